import { describe, expect, it } from 'vitest'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { createFakeLeg } from '../../test/kit/fake-leg.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { type CalleeReport, createCallee } from './callee.ts'
import { parseDialogue } from './dialogue.ts'

/** A callee on an answered call; `caller` are the other side's words: when they begin, and for how long. */
async function setup(
  o: { dialogue?: string; mute?: boolean; caller?: [at: number, ms: number][] } = {},
) {
  const clock = new SimClock()
  const says = (o.caller ?? []).map(([at, ms]) => ({ at, ms, text: 'words' }))
  const leg = createFakeLeg({ clock, says })
  const { speech, voice, textOf } = createFakeEngines({ clock, hear: () => '' })
  const dialogue = parseDialogue(o.dialogue ?? 'hang up')
  const callee = createCallee({ clock, speech, voice, dialogue, mute: o.mute ?? false })
  let over = false
  let report: CalleeReport | null = null
  const wire = {
    get count() {
      return Math.round(leg.time() / 10)
    },
  }
  void callee.answer(leg, wire).then((told) => {
    over = true
    report = told
  })
  await clock.advance(0)
  return {
    clock,
    leg,
    isOver: () => over,
    report: () => report,
    said: () => leg.played.map(({ clip, from }) => ({ text: textOf.get(clip), from })),
  }
}

/** From when the callee hears that the other side has stopped, give or take the detector's windows. */
const within = (ms: number, from: number): void => {
  expect(ms).toBeGreaterThanOrEqual(from)
  expect(ms).toBeLessThan(from + 200)
}

describe('the callee', () => {
  it('takes its turn once the other side has been silent for its patience', async () => {
    const dialogue = 'patience 700ms\nlisten\nsay Hello there.\nhang up'
    const kit = await setup({ dialogue, caller: [[500, 1500]] })
    await kit.clock.advance(6000)
    const [line, ...more] = kit.said()
    expect([line?.text, more]).toEqual(['Hello there.', []])
    within(line?.from ?? 0, 2000 + 700 + 80)
    within(kit.leg.hungUpAt ?? 0, (line?.from ?? 0) + 'Hello there.'.length * 60)
    expect(kit.isOver()).toBe(true)
  })

  it('does not take a breath for the end of a turn', async () => {
    const dialogue = 'patience 700ms\nlisten\nsay Yes?\nhang up'
    const caller: [number, number][] = [
      [500, 1000],
      [2000, 1000],
    ]
    const kit = await setup({ dialogue, caller })
    await kit.clock.advance(6000)
    within(kit.said()[0]?.from ?? 0, 3000 + 700 + 80)
  })

  it('counts what is said into its own words as the answer to them', async () => {
    const dialogue = 'say One two three four five.\nlisten\nsay So?\nhang up'
    const kit = await setup({ dialogue, caller: [[1000, 800]] })
    await kit.clock.advance(6000)
    expect(kit.said().map(({ text }) => text)).toEqual(['One two three four five.', 'So?'])
    within(kit.said()[1]?.from ?? 0, 1800 + 600 + 80)
  })

  it('gives the call up when the other side says nothing for too long', async () => {
    const kit = await setup({ dialogue: 'listen 4s\nsay Never said.\nhang up' })
    await kit.clock.advance(3900)
    expect(kit.leg.hungUpAt).toBeNull()
    await kit.clock.advance(200)
    expect(kit.leg.hungUpAt).not.toBeNull()
    expect(kit.said()).toEqual([])
  })

  it('says nothing when mute, and stays until the other side hangs up', async () => {
    const kit = await setup({ dialogue: 'say Hello?\nhang up', mute: true, caller: [[500, 1000]] })
    await kit.clock.advance(60_000)
    expect([kit.said(), kit.leg.hungUpAt, kit.isOver()]).toEqual([[], null, false])
    kit.leg.humanHangsUp()
    await kit.clock.advance(0)
    expect(kit.isOver()).toBe(true)
  })

  it('goes on while it speaks where it only begins a line, and can hang up in it', async () => {
    const kit = await setup({ dialogue: 'begin One two three four five.\nwait 700ms\nhang up' })
    await kit.clock.advance(5000)
    expect(kit.leg.hungUpAt).toBe(700)
    expect(kit.leg.played[0]?.heardSamples).toBe((700 - 80) * 8)
    expect(kit.isOver()).toBe(true)
  })

  it('takes what it says with breaths between for one turn, and tells where on the wire it was', async () => {
    const dialogue = 'say One two.\npause 500ms\nsay Three.\nthink 1s\nhang up'
    const kit = await setup({ dialogue })
    await kit.clock.advance(6000)
    const ms = 8 * 60 + 500 + 6 * 60
    expect(kit.report()).toMatchObject({
      acts: [
        { kind: 'turn', text: 'One two. Three.', from: 0 },
        { kind: 'think', text: '' },
      ],
      gaveUp: null,
    })
    const [turn, think] = kit.report()?.acts ?? []
    within((turn?.to ?? 0) * 10, ms)
    within(((think?.to ?? 0) - (think?.from ?? 0)) * 10, 1000)
  })

  it('speaks into the other side once that has spoken for long enough, breaths included', async () => {
    const caller: [number, number][] = [
      [500, 800],
      [1500, 2500],
    ]
    const kit = await setup({ dialogue: 'interrupt after 1500ms Stop.\nhang up', caller })
    await kit.clock.advance(6000)
    within(kit.said()[0]?.from ?? 0, 2000)
    expect(kit.report()?.acts).toMatchObject([{ kind: 'interrupt', text: 'Stop.' }])
  })

  it('does not take what it has interrupted for the answer', async () => {
    const dialogue =
      'interrupt after 500ms Stop, stop, stop, please stop it now.\nlisten 4s\nsay Yes.'
    const kit = await setup({ dialogue, caller: [[500, 700]] })
    await kit.clock.advance(12_000)
    expect(kit.said()).toHaveLength(1)
    expect(kit.report()?.gaveUp).toBe('nothing was said for 4000 ms')
  })

  it('waits for keys, and gives the call up without them', async () => {
    const kit = await setup({ dialogue: 'keys 12\nsay Thanks.\nhang up' })
    await kit.clock.advance(1000)
    kit.leg.press('1')
    await kit.clock.advance(1000)
    expect(kit.said()).toEqual([])
    kit.leg.press('2')
    await kit.clock.advance(3000)
    expect(kit.report()).toMatchObject({ keys: '12', gaveUp: null })
    const other = await setup({ dialogue: 'keys 1\nsay Thanks.' })
    await other.clock.advance(21_000)
    expect(other.report()?.gaveUp).toBe('keys 1 were not pressed')
    expect(other.leg.hungUpAt).not.toBeNull()
  })

  it('beeps and plays music', async () => {
    const kit = await setup({ dialogue: 'tone 1000hz 400ms\nmusic 2s\nhang up' })
    await kit.clock.advance(3000)
    expect(kit.leg.played.map(({ clip }) => clip.length)).toEqual([3200, 16_000])
    expect(kit.report()?.acts.map(({ kind }) => kind)).toEqual(['tone', 'music'])
  })

  it('ends at once when the other side hangs up, wherever it was', async () => {
    for (const dialogue of ['listen', 'wait 60s', 'say One two three four five six seven.']) {
      const kit = await setup({ dialogue: `${dialogue}\nsay Never said.\nhang up` })
      await kit.clock.advance(500)
      kit.leg.humanHangsUp()
      await kit.clock.advance(20)
      expect(kit.isOver()).toBe(true)
      expect(kit.said().map(({ text }) => text)).not.toContain('Never said.')
    }
  })
})
