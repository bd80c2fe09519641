import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'

describe('Pace', () => {
  it('is due at once, then every 20 ms from its start, however late it is served', () => {
    const pace = new Pace(1000)
    const due: number[] = []
    for (let n = 0; n < 5; n++) {
      due.push(pace.dueAt)
      pace.skip(pace.dueAt + 7)
      pace.sent(true)
    }
    expect(due).toEqual([1000, 1020, 1040, 1060, 1080])
  })

  it('catches up at most five frames after a stall and skips what was due before', () => {
    const pace = new Pace(0)
    expect(pace.skip(99)).toBe(0)
    expect(pace.skip(1000)).toBe(46)
    let sent = 0
    for (; pace.dueAt <= 1000; sent++) pace.sent(false)
    expect(sent).toBe(5)
    expect(pace.dueAt).toBe(1020)
  })

  it('moves the beat forward for a clip and takes it back in silence, 2 ms a frame', () => {
    const pace = new Pace(0)
    pace.sent(true)
    expect(pace.hurry(7)).toBe(true)
    expect(pace.dueAt).toBe(7)
    pace.sent(false)
    expect(pace.dueAt).toBe(27)
    const gaps: number[] = []
    for (let n = 0; n < 9; n++) {
      const before = pace.dueAt
      pace.sent(true)
      gaps.push(pace.dueAt - before)
    }
    expect(gaps).toEqual([22, 22, 22, 22, 22, 22, 21, 20, 20])
    // 11 frames left; without the clip the last would be due at 220 too.
    expect(pace.dueAt).toBe(220)
  })

  it('never runs further ahead than a frame', () => {
    const pace = new Pace(0)
    pace.sent(true)
    expect(pace.hurry(5)).toBe(true)
    pace.sent(false)
    expect(pace.hurry(6)).toBe(false)
    expect(pace.dueAt).toBe(25)
  })
})
