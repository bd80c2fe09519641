import { FRAME_MS } from '../../core/pcm.ts'

/** After a stall so many packets are sent at once; what was due before them is skipped. */
const MAX_CATCH_UP = 5
/** The sound may run this far ahead of its clock, so that a clip need not wait for the next beat. */
const MAX_AHEAD_MS = FRAME_MS
/** What was taken in advance is given back in silence, so little a packet that no gap is felt. */
const GIVE_BACK_MS = 2

/**
 * When the next packet of one stream is due: every `packetMs` of the clock it is told, without drift. A clip that comes
 * in silence may begin at once: the beat moves forward, and back again by 2 ms a packet in the next silence.
 */
export class Pace {
  /** When the next packet should leave. */
  dueAt: number
  /** How much sound is in a packet; may change from one to the next. */
  packetMs: number
  private aheadMs = 0

  constructor(now: number, packetMs: number = FRAME_MS) {
    this.dueAt = now
    this.packetMs = packetMs
  }

  /** Packets that are so late that they are not to be sent; they are behind us now. */
  skip(now: number): number {
    const packets = Math.floor((now - this.dueAt) / this.packetMs) + 1 - MAX_CATCH_UP
    if (packets <= 0) return 0
    this.dueAt += packets * this.packetMs
    return packets
  }

  /** A packet left; `quiet` when nothing of a clip was in it. */
  sent(quiet: boolean): void {
    const back = quiet ? Math.min(this.aheadMs, GIVE_BACK_MS) : 0
    this.aheadMs -= back
    this.dueAt += this.packetMs + back
  }

  /** Makes the next packet due now if the beat may move; false when it has to wait. */
  hurry(now: number): boolean {
    const earlier = this.dueAt - now
    if (earlier <= 0) return true
    if (this.aheadMs + earlier > MAX_AHEAD_MS) return false
    this.aheadMs += earlier
    this.dueAt = now
    return true
  }
}
