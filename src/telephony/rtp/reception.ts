import { sequenceDistance } from './packet.ts'
import type { ReportBlock } from './rtcp.ts'

/** How the packets of the stream that is heard come, counted as RFC 3550 appendix A.3 does. */
export class Reception {
  private ssrc: number | undefined
  private first = 0
  /** The highest sequence number with the wrap-arounds before it. */
  private highest = 0
  private received = 0
  private expectedBefore = 0
  private receivedBefore = 0

  /** A packet of the stream came, be it new or repeated; another SSRC begins anew. */
  count(ssrc: number, sequence: number): void {
    if (ssrc !== this.ssrc) {
      this.ssrc = ssrc
      this.first = sequence
      this.highest = sequence
      this.received = 0
      this.expectedBefore = 0
      this.receivedBefore = 0
    }
    this.received++
    const ahead = sequenceDistance(this.highest & 0xffff, sequence)
    if (ahead > 0) this.highest += ahead
  }

  /** The block about this stream since the last one asked for; undefined before the first packet. */
  block(
    o: Pick<ReportBlock, 'jitter' | 'lastReport' | 'sinceLastReport'>,
  ): ReportBlock | undefined {
    if (this.ssrc === undefined) return undefined
    const expected = this.highest - this.first + 1
    const expectedNow = expected - this.expectedBefore
    const lostNow = expectedNow - (this.received - this.receivedBefore)
    this.expectedBefore = expected
    this.receivedBefore = this.received
    const fraction = expectedNow > 0 && lostNow > 0 ? Math.floor((lostNow * 256) / expectedNow) : 0
    return {
      ssrc: this.ssrc,
      fractionLost: Math.min(255, fraction),
      lost: expected - this.received,
      highestSequence: this.highest >>> 0,
      ...o,
    }
  }
}
