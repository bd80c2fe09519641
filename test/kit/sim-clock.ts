import type { Clock } from '../../src/core/clock.ts'

/** A clock that stands still until told to move, then jumps from timer to timer. */
export class SimClock implements Clock {
  private timers: { at: number; fn: () => void }[] = []
  private time: number
  private jumped = 0
  /** How many timers have run. */
  fired = 0

  constructor(start = Date.parse('2026-03-20T18:30:00Z')) {
    this.time = start
  }

  now(): number {
    return this.time
  }

  steady(): number {
    return this.time - this.jumped
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), fn }
    let i = this.timers.length
    while (i > 0 && (this.timers[i - 1]?.at ?? 0) > timer.at) i--
    this.timers.splice(i, 0, timer)
    return () => {
      const at = this.timers.indexOf(timer)
      if (at >= 0) this.timers.splice(at, 1)
    }
  }

  /** Runs everything due up to `ms` from now, letting promises settle between timers. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    for (let next = this.timers[0]; next && next.at <= end; next = this.timers[0]) {
      this.timers.shift()
      this.time = next.at
      this.fired++
      next.fn()
      await settle()
    }
    this.time = end
  }

  /** Sets the wall clock, as a time server or a suspended machine would: what timers still wait stays the same. */
  jump(ms: number): void {
    this.time += ms
    this.jumped += ms
    for (const timer of this.timers) timer.at += ms
  }
}

/** Lets every promise that can settle without a timer do so. */
export function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}
