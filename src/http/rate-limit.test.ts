import { describe, expect, it } from 'vitest'
import { SlidingWindow, TokenBuckets } from './rate-limit.ts'

describe('token buckets', () => {
  const setup = () => new TokenBuckets({ perSecond: 2, burst: 20 })
  const drain = (buckets: TokenBuckets, name: string, now: number): number => {
    let taken = 0
    while (buckets.take(name, now) === null) taken++
    return taken
  }

  it('give a burst, then as many per second as they are filled with', () => {
    const buckets = setup()
    expect(drain(buckets, 'a', 0)).toBe(20)
    expect(drain(buckets, 'a', 1000)).toBe(2)
    expect(drain(buckets, 'a', 5000)).toBe(8)
  })

  it('say after how many seconds the next try makes sense', () => {
    const slow = new TokenBuckets({ perSecond: 0.25, burst: 1 })
    expect(slow.take('a', 0)).toBeNull()
    expect(slow.take('a', 0)).toBe(4)
    expect(slow.take('a', 3000)).toBe(1)
    expect(slow.take('a', 4000)).toBeNull()
  })

  it('never hold more than a burst, and keep names apart', () => {
    const buckets = setup()
    expect(drain(buckets, 'a', 0)).toBe(20)
    expect(drain(buckets, 'a', 3_600_000)).toBe(20)
    expect(drain(buckets, 'b', 3_600_000)).toBe(20)
  })

  it('neither give nor take when the clock goes back', () => {
    const buckets = setup()
    drain(buckets, 'a', 10_000)
    expect(buckets.take('a', 5000)).toBe(1)
    expect(drain(buckets, 'a', 6000)).toBe(2)
  })
})

describe('a sliding window', () => {
  const setup = () => new SlidingWindow({ max: 3, windowMs: 60_000 })

  it('lets so many through in any window, and says when the oldest leaves it', () => {
    const window = setup()
    expect([0, 10_000, 20_000].map((now) => window.take('a', now))).toEqual([null, null, null])
    expect(window.take('a', 30_000)).toBe(30)
    expect(window.take('a', 59_999)).toBe(1)
    expect(window.take('a', 60_000)).toBeNull()
    expect(window.take('a', 60_001)).toBe(10)
    expect(window.take('b', 60_001)).toBeNull()
  })

  it('is not held shut by what it refused, nor by a clock that went back', () => {
    const window = setup()
    for (let now = 0; now < 100; now++) window.take('a', now)
    expect(window.take('a', 60_000)).toBeNull()
    for (let i = 0; i < 10; i++) window.take('c', 1_000_000)
    expect(window.take('c', 1000)).toBeNull()
  })

  it('forgets the name that was quiet longest before it grows without bound', () => {
    const window = new SlidingWindow({ max: 1, windowMs: 60_000 })
    window.take('first', 0)
    for (let i = 0; i < 10_000; i++) window.take(`n${i}`, 0)
    expect(window.take('n9999', 0)).toBe(60)
    expect(window.take('first', 0)).toBeNull()
  })
})
