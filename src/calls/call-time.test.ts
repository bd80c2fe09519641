import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { createCallTime } from './call-time.ts'

const HOUR = 3_600_000

describe('the time of a call', () => {
  it('begins with the wall clock, and passes in whole milliseconds', async () => {
    const clock = new SimClock()
    const begin = clock.now()
    const time = createCallTime(clock)
    await clock.advance(12_345.6)
    expect(time()).toBe(begin + 12_346)
  })

  it.each([HOUR, -HOUR, 7])('is not changed by a clock that is set by %i ms', async (ms) => {
    const clock = new SimClock()
    const begin = clock.now()
    const time = createCallTime(clock)
    await clock.advance(10_000)
    clock.jump(ms)
    expect(time()).toBe(begin + 10_000)
    await clock.advance(10_000)
    expect(time()).toBe(begin + 20_000)
  })
})
