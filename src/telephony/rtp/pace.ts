import { FRAME_MS } from '../../core/pcm.ts'

/** After a stall so many frames are sent at once; what was due before them is skipped. */
const MAX_CATCH_UP = 5
/** The sound may run this far ahead of its clock, so that a clip need not wait for the next beat. */
const MAX_AHEAD_MS = FRAME_MS
/** What was taken in advance is given back in silence, so little a frame that no gap is felt. */
const GIVE_BACK_MS = 2

/**
 * When the next frame of one stream is due: every 20 ms of the clock it is told, without drift. A clip that comes in
 * silence may begin at once: the beat moves forward, and back again by 2 ms a frame in the next silence.
 */
export class Pace {
  /** When the next frame should leave. */
  dueAt: number
  private aheadMs = 0

  constructor(now: number) {
    this.dueAt = now
  }

  /** Frames that are so late that they are not to be sent; they are behind us now. */
  skip(now: number): number {
    const frames = Math.floor((now - this.dueAt) / FRAME_MS) + 1 - MAX_CATCH_UP
    if (frames <= 0) return 0
    this.dueAt += frames * FRAME_MS
    return frames
  }

  /** A frame left; `quiet` when nothing of a clip was in it. */
  sent(quiet: boolean): void {
    const back = quiet ? Math.min(this.aheadMs, GIVE_BACK_MS) : 0
    this.aheadMs -= back
    this.dueAt += FRAME_MS + back
  }

  /** Makes the next frame due now if the beat may move; false when it has to wait. */
  hurry(now: number): boolean {
    const earlier = this.dueAt - now
    if (earlier <= 0) return true
    if (this.aheadMs + earlier > MAX_AHEAD_MS) return false
    this.aheadMs += earlier
    this.dueAt = now
    return true
  }
}
