import { describe, expect, it } from 'vitest'
import { restAfter } from './retry.ts'

describe('the rest after a failure', () => {
  it('doubles from one second to ten minutes', () => {
    const rests = [1, 2, 3, 10, 11, 5000].map((attempt) => restAfter(attempt, 0.5))
    expect(rests).toEqual([1000, 2000, 4000, 512_000, 600_000, 600_000])
  })

  it('varies by ten per cent', () => {
    expect(restAfter(1, 0)).toBe(900)
    expect(restAfter(1, 0.999_999)).toBe(1100)
  })
})
