import { describe, expect, it } from 'vitest'
import { SilenceWatchdog } from './silence-watchdog.ts'

describe('SilenceWatchdog', () => {
  it('fires each time that nothing came for its time', () => {
    const watchdog = new SilenceWatchdog(30_000)
    watchdog.watch(true, 1000)
    expect(watchdog.expired(30_999)).toBe(false)
    expect(watchdog.expired(31_000)).toBe(true)
    expect(watchdog.expired(31_020)).toBe(false)
    expect(watchdog.expired(60_999)).toBe(false)
    expect(watchdog.expired(61_000)).toBe(true)
  })

  it('waits anew after each packet', () => {
    const watchdog = new SilenceWatchdog(30_000)
    watchdog.watch(true, 0)
    watchdog.heard(20_000)
    expect(watchdog.expired(49_999)).toBe(false)
    expect(watchdog.expired(50_000)).toBe(true)
  })

  it('does not wait before the start nor on hold, and waits the whole time after it', () => {
    const watchdog = new SilenceWatchdog(30_000)
    expect(watchdog.expired(90_000)).toBe(false)
    watchdog.watch(true, 0)
    watchdog.watch(false, 10_000)
    watchdog.heard(10_020)
    expect(watchdog.expired(90_000)).toBe(false)
    watchdog.watch(true, 100_000)
    expect(watchdog.expired(129_999)).toBe(false)
    expect(watchdog.expired(130_000)).toBe(true)
  })
})
