import { describe, expect, it } from 'vitest'
import { randomSource } from '../../test/kit/seeded.ts'
import { decide, nextDue } from './decide.ts'
import { bargeInRule } from './limits.ts'
import { changed, type Event, initialState, type State } from './state.ts'

function setup(o: Partial<Parameters<typeof initialState>[0]> = {}): State {
  return initialState({
    answeredAt: 0,
    maxDurationSeconds: 600,
    hasFirstMessage: true,
    rule: bargeInRule(8000),
    llmTimeoutMs: 20_000,
    transferTo: '+15557654321',
    onVoicemail: 'leave',
    callBacks: true,
    held: false,
    ...o,
  })
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) freeze(inner)
  }
  return value
}

/** Any event, sensible or not. */
function anyEvent(random: () => number, now: number): Event {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const id = Math.ceil(random() * 8)
  const from = now * 8
  return pick<() => Event>([
    () => ({ type: 'speech_started', from, since: now }),
    () => ({ type: 'barge_in', from, since: now }),
    () => ({ type: 'speech_paused', from, to: from + 800, since: now - 200, until: now - 100 }),
    () => ({
      type: 'recognised',
      id,
      text: pick([
        '',
        'Yes.',
        'and',
        'so long',
        'Leave a message.',
        'Press one for us.',
        'Hold on.',
      ]),
      noSpeech: random(),
    }),
    () => ({
      type: 'failed',
      id,
      stage: pick(['recogniser', 'model', 'voice', 'empty']),
      reason: 'x',
    }),
    () => ({
      type: 'tool',
      id,
      call: {
        name: pick(['end_call', 'press_digits', 'transfer_call', 'wait', 'schedule_callback', 'x']),
        arguments: {},
      },
    }),
    () => ({ type: 'sounding', id }),
    () => ({
      type: 'finished',
      id,
      whole: random() < 0.5,
      text: pick(['', 'Hm.', 'What is your number?']),
    }),
    () => ({ type: 'tone', hz: pick([440, 1000, 1100, 2100]), ms: 200 + random() * 2000 }),
    () => ({ type: 'key', digit: '1' }),
    () => ({ type: 'judged', id, chance: random() }),
    () => ({ type: 'hold', held: random() < 0.5, position: from }),
    () => ({ type: 'transferring', id, call: { name: 'transfer_call', arguments: {} } }),
    () => ({
      type: 'transferred',
      id,
      outcome: random() < 0.1 ? { ok: true } : { ok: false, reason: 'x' },
    }),
    () => ({ type: 'due', position: from }),
  ])()
}

describe('decide', () => {
  it('changes nothing it is given, and always waits for something, whatever happens', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomSource(seed)
      let state = freeze(setup({ hasFirstMessage: seed % 2 === 0 }))
      state = freeze(changed(state, decide(state, { type: 'answered' }, 0)))
      for (let now = 10; now < 20_000; now += Math.ceil(random() * 400)) {
        const event = freeze(anyEvent(random, now))
        const actions = decide(state, event, now)
        expect(decide(state, event, now)).toEqual(actions)
        state = freeze(changed(state, actions))
        expect(nextDue(state)).toBeLessThanOrEqual(600_000)
      }
    }
  })

  it('makes progress with every due: from any state, dues alone lead to the end', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomSource(seed)
      let state = setup({ hasFirstMessage: seed % 2 === 0 })
      state = changed(state, decide(state, { type: 'answered' }, 0))
      for (let now = 10; now < 5000; now += Math.ceil(random() * 400))
        state = changed(state, decide(state, anyEvent(random, now), now))
      let closed = state.ending?.over === true
      let dues = 0
      for (let now = 5000; !closed; dues++) {
        now = Math.max(now, nextDue(state))
        const actions = decide(state, { type: 'due', position: now * 8 }, now)
        closed = actions.some(({ type }) => type === 'close')
        state = changed(state, actions)
        if (dues > 10_000) break
      }
      expect(closed).toBe(true)
    }
  })

  it('lets no leg end without the conversation ending', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = randomSource(seed)
      let state = setup()
      for (let now = 10; now < 5000; now += 300)
        state = changed(state, decide(state, anyEvent(random, now), now))
      state = changed(state, decide(state, { type: 'leg_ended', end: { by: 'human' } }, 5000))
      expect(state.ending).toMatchObject({ over: true })
      expect(nextDue(state)).toBeLessThanOrEqual(8000)
    }
  })
})
