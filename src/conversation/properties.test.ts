import { describe, expect, it } from 'vitest'
import { placeCall } from '../../test/kit/fake-call.ts'
import type { FakeReply } from '../../test/kit/fake-engines.ts'
import type { Speech } from '../../test/kit/fake-leg.ts'
import { randomSource } from '../../test/kit/seeded.ts'
import type { Turn } from '../calls/call.ts'

const CALLS = 60

/** A human who speaks when they like: into the agent's words, in pieces, with noises between. */
function randomSpeech(random: () => number): Speech[] {
  const says: Speech[] = []
  for (let at = random() * 3000, i = 0; at < 70_000; i++) {
    const ms = 100 + Math.floor(random() * random() * 4000)
    const end = ['.', '?', ' and', ''][Math.floor(random() * 4)]
    const words = Array.from({ length: Math.ceil(ms / 400) }, (_, n) => `h${i}w${n}`).join(' ')
    says.push({ at, ms, text: random() < 0.2 ? '' : `${words}${end}` })
    at += ms + 120 + random() * random() * 9000
  }
  return says
}

/** A model that says a few sentences, fails now and then, and calls tools. Each reply has words of its own. */
function randomModel(random: () => number) {
  let count = 0
  const texts: string[] = []
  const reply = (): FakeReply => {
    const id = count++
    const sentences = Array.from({ length: Math.ceil(random() * 3) }, (_, s) =>
      Array.from({ length: 2 + Math.floor(random() * 8) }, (_, w) => `r${id}s${s}w${w}`).join(' '),
    )
    const text = `${sentences.join('. ')}.`
    texts.push(text)
    const chance = random()
    if (chance < 0.04) return { fails: 'at once' }
    if (chance < 0.08) return { text, fails: 'after the text' }
    if (chance < 0.1) return { text: '' }
    if (chance < 0.16)
      return { text, tools: [{ name: 'press_digits', arguments: { digits: '1' } }] }
    if (chance < 0.17) return { text, tools: [{ name: 'end_call', arguments: {} }] }
    return { text }
  }
  return { reply, texts }
}

const isReply = (text: string): boolean => /^r\d+s/.test(text)

async function randomCall(seed: number) {
  const random = randomSource(seed)
  const model = randomModel(random)
  const call = await placeCall({
    says: randomSpeech(random),
    reply: model.reply,
    brief: {
      firstMessage: seed % 3 === 0 ? null : 'Hi there, this is a call.',
      maxDurationSeconds: 90,
    },
    recogniseMs: Math.floor(random() * 300),
    firstTokenMs: Math.floor(random() * random() * 4000),
    wordMs: Math.floor(random() * 60),
    firstClipMs: Math.floor(random() * 300),
    ringMs: 3000,
  })
  for (let at = 0; at < 90_000; at += 15_000)
    call.clock.after(at + random() * 10_000, () => call.leg.hold(random() < 0.2))
  if (seed % 5 === 0) call.clock.after(random() * 60_000, () => call.leg.humanHangsUp())
  const talk = await call.finish(95_000)
  return { call, talk, model }
}

const wordsOf = (turns: readonly Turn[]): string[] =>
  turns.filter(({ role }) => role === 'agent').flatMap(({ text }) => text.split(' '))

describe.each(Array.from({ length: CALLS }, (_, i) => i + 1))('random call %i', (seed) => {
  it('ends in time, holds what was heard and nothing else, answers no turn twice', async () => {
    const { call, talk, model } = await randomCall(seed)
    expect(call.leg.hungUpAt ?? call.leg.time()).toBeLessThanOrEqual(90_000)
    expect(call.leg.queued).toBe(0)

    // Whatever the transcript says of the agent lies within what left for the human.
    const heard = call.sounds().map(({ text, ms }) => ({ text, share: ms / (text.length * 60) }))
    const played = heard.flatMap(({ text, share }) =>
      text.slice(0, Math.ceil(text.length * share) + 1).split(' '),
    )
    const written = wordsOf(talk.transcript).filter((word) => word !== '…')
    for (const word of new Set(written)) expect(played).toContain(word)
    // And what was heard whole is in it.
    const whole = call.sounds().flatMap(({ text, whole }) => (whole ? text.split(' ') : []))
    for (const word of new Set(whole)) expect(written).toContain(word)

    // One reply a turn: a second one follows another only when that did not get to its end.
    const spoken = talk.transcript.filter(({ role, text }) => role === 'human' || isReply(text))
    for (const [i, turn] of spoken.entries()) {
      const next = spoken[i + 1]
      if (turn.role === 'human' || next?.role !== 'agent') continue
      expect(model.texts).not.toContain(turn.text)
    }

    // Its events tell the same story.
    // A turn that goes on is told again, longer: the last word counts.
    const finals = new Map<number, string>()
    for (const { event } of call.events)
      if (event.type === 'transcript' && event.final)
        finals.set(event.turn, `${event.role} ${event.text}`)
    expect(talk.transcript.map(({ role, text }) => `${role} ${text}`)).toEqual(
      [...finals].sort(([a], [b]) => a - b).map(([, text]) => text),
    )
  })
})

describe('own overhead', () => {
  it('is nothing beyond the commit silence and what the engines take', async () => {
    const gaps: { gap: number; least: number }[] = []
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomSource(seed)
      const recogniseMs = Math.floor(random() * 200)
      const firstTokenMs = Math.floor(random() * 200)
      const firstClipMs = Math.floor(random() * 100)
      const call = await placeCall({
        brief: { firstMessage: 'Hi.' },
        recogniseMs,
        firstTokenMs,
        firstClipMs,
        reply: () => ({ text: 'Fine.' }),
      })
      await call.run(2500)
      call.leg.say('What time is it?', 900 + Math.floor(random() * 300))
      await call.run(5000)
      const timing = call.events.map(({ event }) => event).find((event) => event.type === 'timing')
      if (timing?.type !== 'timing') throw new Error('no reply was timed')
      const { speechEnd, onWire } = timing.timing
      const asked = call.engines.recognised[0]?.at ?? 0
      const detection = asked - speechEnd
      const least = Math.max(300, detection + recogniseMs + firstTokenMs + firstClipMs)
      gaps.push({ gap: (onWire ?? 0) - speechEnd, least })
    }
    const overhead = gaps.map(({ gap, least }) => gap - least).sort((a, b) => a - b)
    process.stdout.write(
      `own overhead over ${gaps.length} turns, simulated ms: p50 ${overhead[20]}, max ${overhead.at(-1)}\n`,
    )
    expect(overhead.at(-1)).toBe(0)
    expect(overhead[0]).toBe(0)
  })
})
