import { describe, expect, it } from 'vitest'
import { waitByPace, withPause } from './pace.ts'

describe("a human's pace", () => {
  it('is the usual one until three pauses are known', () => {
    expect(waitByPace([], 850)).toBe(850)
    expect(waitByPace([200, 200], 850)).toBe(850)
    expect(waitByPace([200, 200, 500], 850)).toBe(600)
  })

  it('is slow at once after a long pause, within limits', () => {
    expect(waitByPace([1000], 850)).toBe(1100)
    expect(waitByPace([2900], 850)).toBe(1600)
    expect(waitByPace([100, 100, 100], 850)).toBe(500)
  })

  it('is told by the last eight pauses', () => {
    const all = [1200, 300, 300, 300, 300, 300, 300, 300, 400]
    const pauses = all.reduce<readonly number[]>(withPause, [])
    expect(pauses).toEqual([300, 300, 300, 300, 300, 300, 300, 400])
  })
})
