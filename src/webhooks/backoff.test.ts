import { describe, expect, it } from 'vitest'
import { waitAfter } from './backoff.ts'

const wait = (failures: number, o: { fraction?: number; retryAfterMs?: number } = {}) =>
  waitAfter({
    failures,
    baseMs: 10_000,
    fraction: o.fraction ?? 0.5,
    retryAfterMs: o.retryAfterMs ?? null,
  })

describe('the wait after a failed attempt', () => {
  it('is 10 s × 3ⁿ and at most six hours', () => {
    expect([1, 2, 3, 4].map((failures) => wait(failures))).toEqual([
      10_000, 30_000, 90_000, 270_000,
    ])
    expect(wait(10)).toBe(6 * 3600_000)
    expect(wait(10, { fraction: 0.999 })).toBe(6 * 3600_000)
  })

  it('varies by ten per cent to either side', () => {
    expect(wait(1, { fraction: 0 })).toBe(9000)
    expect(wait(1, { fraction: 0.999999 })).toBe(11_000)
  })

  it('is lengthened by Retry-After to one hour at most, and never shortened', () => {
    expect(wait(1, { retryAfterMs: 60_000 })).toBe(60_000)
    expect(wait(1, { retryAfterMs: 24 * 3600_000 })).toBe(3600_000)
    expect(wait(4, { retryAfterMs: 1000 })).toBe(270_000)
  })
})
