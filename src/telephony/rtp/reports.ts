import type { MediaStats } from '../media/media.ts'
import { Reception } from './reception.ts'
import { MAX_REPORT_BYTES, type Report, type SenderInfo, writeReport } from './rtcp.ts'
import { SRTP_OVERHEAD_BYTES } from './srtp.ts'

/** RFC 3550 §6.2: a report every 5 s in the mean, each after half to one and a half of that. */
const INTERVAL_MS = 5000
/** A round trip longer than this is no measurement. */
const LONGEST_ROUND_TRIP_MS = 60_000

/** What is sent, as RTCP tells it. */
export interface Sent {
  ssrc: number
  /** The RTP timestamp of this moment. */
  timestamp: number
  packets: number
  octets: number
}

/** RTCP of one call: when a report is due and what is in it, and what the other side's reports say of us. */
export class Reports {
  /** When the next report is due. */
  dueAt: number
  /** What the other side says of what we send; null until it does. */
  remote: MediaStats['remote'] = null
  readonly reception = new Reception()
  /** The memory of the report, with room for what SRTCP adds. */
  readonly packet = new Uint8Array(MAX_REPORT_BYTES + SRTP_OVERHEAD_BYTES)
  private readonly cname: string
  private random: number
  private sentBefore = 0
  /** Of the last sender report of theirs: the middle of its NTP time, and when it came. */
  private lastReport: { middle: number; at: number } | undefined

  /** `seed` is random: calls that begin together must not report together. */
  constructor(o: { cname: string; seed: number; now: number }) {
    this.cname = o.cname
    this.random = o.seed >>> 0 || 1
    this.dueAt = o.now
    this.plan(o.now)
  }

  /**
   * Writes the report of this moment into `packet`, and plans the next. Returns its length. A sender report when
   * something was sent since the last one (§6.4), with a block about the stream that is heard.
   */
  write(o: { now: number; sent: Sent; jitterMs: number; clockHz: number; bye: boolean }): number {
    const { now, sent } = o
    this.plan(now)
    const isSending = sent.packets > this.sentBefore
    this.sentBefore = sent.packets
    const since = this.lastReport
    const block = this.reception.block({
      jitter: Math.round((o.jitterMs * o.clockHz) / 1000),
      lastReport: since?.middle ?? 0,
      sinceLastReport: since ? Math.round((now - since.at) * 65.536) : 0,
    })
    const report: Report = {
      ssrc: sent.ssrc,
      sender: isSending ? senderInfo(now, sent) : null,
      blocks: block ? [block] : [],
    }
    return writeReport(this.packet, { report, cname: this.cname, bye: o.bye })
  }

  /** Takes a report of theirs. `ssrc` is ours, `clockHz` that of what we send. */
  receive(report: Report, o: { now: number; ssrc: number; clockHz: number }): void {
    if (report.sender) {
      const { seconds, fraction } = report.sender
      this.lastReport = { middle: middleOf(seconds, fraction), at: o.now }
    }
    const block = report.blocks.find(({ ssrc }) => ssrc === o.ssrc)
    if (!block) return
    this.remote = {
      packetsLost: Math.max(0, block.lost),
      jitterMs: (block.jitter * 1000) / o.clockHz,
      roundTripMs: roundTrip(block, o.now) ?? this.remote?.roundTripMs ?? null,
    }
  }

  /** Xorshift: enough for a spread in time. */
  private plan(now: number): void {
    this.random ^= this.random << 13
    this.random ^= this.random >>> 17
    this.random ^= this.random << 5
    this.random >>>= 0
    this.dueAt = now + INTERVAL_MS * (0.5 + this.random / 2 ** 32)
  }
}

/** §6.4.1: who knows no wall clock may tell the time since it began; nobody learns ours. */
function ntpOf(now: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(now / 1000)
  return { seconds: seconds >>> 0, fraction: Math.floor((now / 1000 - seconds) * 2 ** 32) >>> 0 }
}

function middleOf(seconds: number, fraction: number): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0
}

function senderInfo(now: number, { timestamp, packets, octets }: Sent): SenderInfo {
  return { ...ntpOf(now), timestamp, packets, octets }
}

/** Now, less our report, less how long they kept it (§6.4.1); undefined where that is no measurement. */
function roundTrip(
  block: { lastReport: number; sinceLastReport: number },
  now: number,
): number | undefined {
  if (block.lastReport === 0) return undefined
  const { seconds, fraction } = ntpOf(now)
  const units = (middleOf(seconds, fraction) - block.lastReport - block.sinceLastReport) | 0
  const ms = units / 65.536
  // The clocks' ticks may make a round trip in no time come out below 0.
  if (ms < -1 || ms > LONGEST_ROUND_TRIP_MS) return undefined
  return Math.max(0, ms)
}
