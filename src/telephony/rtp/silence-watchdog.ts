/** Notices that no packet comes any more. Fires once in its life. */
export class SilenceWatchdog {
  private readonly timeoutMs: number
  private since: number | undefined
  private fired = false

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs
  }

  /** Begins to wait at `now`, or, on hold, does not wait. */
  watch(waiting: boolean, now: number): void {
    this.since = waiting ? now : undefined
  }

  /** A packet of the other side came. */
  heard(now: number): void {
    if (this.since !== undefined) this.since = now
  }

  /** True once, when nothing came for the time-out. */
  expired(now: number): boolean {
    if (this.fired || this.since === undefined || now - this.since < this.timeoutMs) return false
    this.fired = true
    return true
  }
}
