import { describe, expect, it } from 'vitest'
import type { WirePacket } from '../telephony/media/wire-log.ts'
import type { Act } from './callee.ts'
import { measure } from './measures.ts'

type Stretch = [from: number, to: number]

/** A wire on which both sides send a packet every 20 ms, loud in these stretches of time; acts are given by theirs. */
function setup(o: { callee?: Stretch[]; agent: Stretch[]; acts: [Act['kind'], ...Stretch][] }) {
  const packets: WirePacket[] = []
  const within = (stretches: Stretch[] = [], at: number): boolean =>
    stretches.some(([from, to]) => at >= from && at <= to)
  for (let at = 0; at < 10_000; at += 20) {
    packets.push({ at, sent: true, loudness: within(o.callee, at) ? 3000 : 0 })
    packets.push({ at: at + 5, sent: false, loudness: within(o.agent, at) ? 3000 : 20 })
  }
  const acts = o.acts.map(([kind, from, to]): Act => {
    const index = (at: number): number => packets.findIndex((packet) => packet.at >= at)
    return { kind, text: '', from: index(from), to: index(to) }
  })
  return measure(packets, acts)
}

describe('what the wire shows', () => {
  it('is the gap between a turn and its answer, first and last loud packet', () => {
    const { gapsMs, falseInterruptions } = setup({
      callee: [[1000, 2000]],
      agent: [
        [0, 600],
        [2320, 4000],
      ],
      acts: [['turn', 980, 2300]],
    })
    expect(gapsMs).toEqual([325])
    expect(falseInterruptions).toBe(0)
  })

  it('counts an agent that begins within a turn, be it in a breath, and measures no gap of it', () => {
    const { gapsMs, falseInterruptions } = setup({
      callee: [
        [1000, 2000],
        [3000, 4000],
      ],
      agent: [
        [2600, 3100],
        [4400, 5000],
      ],
      acts: [['turn', 1000, 4100]],
    })
    expect({ gapsMs, falseInterruptions }).toEqual({ gapsMs: [], falseInterruptions: 1 })
  })

  it('does not blame an agent that was speaking already, or began at the same moment', () => {
    const agent: Stretch[] = [
      [0, 1200],
      [1700, 1900],
    ]
    expect(
      setup({ callee: [[1000, 2000]], agent, acts: [['turn', 1000, 2100]] }).falseInterruptions,
    ).toBe(0)
    expect(
      setup({ callee: [[1000, 2000]], agent: [[1100, 1300]], acts: [['turn', 1000, 2100]] })
        .falseInterruptions,
    ).toBe(0)
  })

  it('counts an agent that cannot wait while the other thinks', () => {
    const { falseInterruptions } = setup({ agent: [[1500, 2000]], acts: [['think', 1000, 3000]] })
    expect(falseInterruptions).toBe(1)
  })

  it('is how fast an interruption stops the agent', () => {
    const { bargeInsMs, missed } = setup({
      callee: [[2000, 3000]],
      agent: [[500, 2080]],
      acts: [['interrupt', 1980, 3100]],
    })
    expect({ bargeInsMs, missed }).toEqual({ bargeInsMs: [85], missed: 0 })
  })

  it('notices an agent that does not stop, and one that was silent anyway', () => {
    const callee: Stretch[] = [[2000, 3000]]
    const acts: [Act['kind'], ...Stretch][] = [['interrupt', 1980, 3100]]
    expect(setup({ callee, agent: [[500, 6000]], acts }).bargeInsMs).toEqual([4005])
    expect(setup({ callee, agent: [[500, 1000]], acts }).missed).toBe(1)
  })

  it('is how soon the agent goes on after a sign of listening', () => {
    const callee: Stretch[] = [[2000, 2400]]
    const acts: [Act['kind'], ...Stretch][] = [['mumble', 1980, 2500]]
    const resumes = (...agent: Stretch[]) => setup({ callee, agent, acts }).resumesMs
    expect(resumes([500, 2100], [2600, 5000])).toEqual([205])
    expect(resumes([500, 5000])).toEqual([0])
    expect(resumes([500, 2100])).toEqual([Number.POSITIVE_INFINITY])
  })

  it('tells who speaks into music, and after a tone', () => {
    const { intoMusic, afterToneMs } = setup({
      callee: [
        [1000, 3000],
        [4000, 4400],
        [8000, 8400],
      ],
      agent: [
        [1500, 2000],
        [5000, 6000],
      ],
      acts: [
        ['music', 1000, 3100],
        ['tone', 3980, 4500],
        ['tone', 7980, 8500],
      ],
    })
    expect(intoMusic).toBe(1)
    expect(afterToneMs).toEqual([605, null])
  })
})
