/** Notices that no packet comes any more, and again each time that its time has passed without one. */
export class SilenceWatchdog {
  private readonly timeoutMs: number
  private since: number | undefined

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

  /** True when nothing came for the time-out; then it waits anew. */
  expired(now: number): boolean {
    if (this.since === undefined || now - this.since < this.timeoutMs) return false
    this.since = now
    return true
  }
}
