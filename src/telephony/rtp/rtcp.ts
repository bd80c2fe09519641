/** RTCP's compound packets (RFC 3550 §6): what we read of theirs, and ours. */
import { read16, read32, write32 } from './packet.ts'

/** What one side says of how another's packets come (§6.4.1). */
export interface ReportBlock {
  /** Of the stream that it is about. */
  ssrc: number
  /** Of 256, since the report before. */
  fractionLost: number
  /** In all; below 0 when more came than were sent. */
  lost: number
  highestSequence: number
  /** In ticks of the stream's clock. */
  jitter: number
  /** The middle of the NTP time of the last sender report, 0 when there was none, and how long ago that came, both in 1/65536 s. */
  lastReport: number
  sinceLastReport: number
}

export interface SenderInfo {
  /** 64 bits of NTP time in two halves. */
  seconds: number
  fraction: number
  timestamp: number
  packets: number
  octets: number
}

export interface Report {
  ssrc: number
  /** Null: a receiver report. */
  sender: SenderInfo | null
  blocks: readonly ReportBlock[]
}

const SENDER_REPORT = 200
const RECEIVER_REPORT = 201
const DESCRIPTION = 202
const BYE = 203
const CNAME = 1
const BLOCK_BYTES = 24
const SENDER_BYTES = 20
/** Enough for a sender report with one block, a description of 64 bytes and BYE. */
export const MAX_REPORT_BYTES = 160

/**
 * The report that a compound packet begins with; undefined unless all its lengths add up (appendix A.2). What follows
 * (descriptions, BYE, feedback) is of no use to us. Never throws.
 */
export function parseReport(bytes: Uint8Array): Report | undefined {
  if (!isCompound(bytes)) return undefined
  const type = bytes[1]
  const isSender = type === SENDER_REPORT
  if (!isSender && type !== RECEIVER_REPORT) return undefined
  const end = lengthAt(bytes, 0)
  const from = 8 + (isSender ? SENDER_BYTES : 0)
  const count = (bytes[0] as number) & 31
  if (from + count * BLOCK_BYTES > end) return undefined
  return {
    ssrc: read32(bytes, 4),
    sender: isSender ? readSender(bytes) : null,
    blocks: Array.from({ length: count }, (_, n) => readBlock(bytes, from + n * BLOCK_BYTES)),
  }
}

function isCompound(bytes: Uint8Array): boolean {
  // The first packet of a compound has no padding.
  if (bytes.length < 8 || ((bytes[0] as number) & 0x20) !== 0) return false
  let at = 0
  while (at + 4 <= bytes.length) {
    const type = bytes[at + 1] as number
    if ((bytes[at] as number) >> 6 !== 2 || type < 192 || type > 223) return false
    at += lengthAt(bytes, at)
  }
  return at === bytes.length
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (read16(bytes, at + 2) + 1) * 4
}

function readSender(bytes: Uint8Array): SenderInfo {
  return {
    seconds: read32(bytes, 8),
    fraction: read32(bytes, 12),
    timestamp: read32(bytes, 16),
    packets: read32(bytes, 20),
    octets: read32(bytes, 24),
  }
}

function readBlock(bytes: Uint8Array, at: number): ReportBlock {
  const word = read32(bytes, at + 4)
  return {
    ssrc: read32(bytes, at),
    fractionLost: word >>> 24,
    lost: (word << 8) >> 8,
    highestSequence: read32(bytes, at + 8),
    jitter: read32(bytes, at + 12),
    lastReport: read32(bytes, at + 16),
    sinceLastReport: read32(bytes, at + 20),
  }
}

/**
 * Writes a compound packet into `to`, which holds MAX_REPORT_BYTES: the report with one block at most, our name, and
 * where `bye` is set that we leave. Returns its length. The name has 64 ASCII characters at most.
 */
export function writeReport(
  to: Uint8Array,
  o: { report: Report; cname: string; bye: boolean },
): number {
  const { ssrc, sender, blocks } = o.report
  const [block] = blocks
  const type = sender ? SENDER_REPORT : RECEIVER_REPORT
  let at = 8
  if (sender) at = writeSender(to, at, sender)
  if (block) at = writeBlock(to, at, block)
  writeHead(to, 0, { count: block ? 1 : 0, type, end: at, ssrc })
  const describedAt = at
  at = writeCname(to, at + 8, o.cname.slice(0, 64))
  writeHead(to, describedAt, { count: 1, type: DESCRIPTION, end: at, ssrc })
  if (!o.bye) return at
  writeHead(to, at, { count: 1, type: BYE, end: at + 8, ssrc })
  return at + 8
}

function writeHead(
  to: Uint8Array,
  at: number,
  o: { count: number; type: number; end: number; ssrc: number },
): void {
  const words = (o.end - at) / 4 - 1
  to[at] = 0x80 | o.count
  to[at + 1] = o.type
  to[at + 2] = words >> 8
  to[at + 3] = words
  write32(to, at + 4, o.ssrc)
}

function writeSender(to: Uint8Array, at: number, sender: SenderInfo): number {
  const { seconds, fraction, timestamp, packets, octets } = sender
  write32(to, at, seconds)
  write32(to, at + 4, fraction)
  write32(to, at + 8, timestamp)
  write32(to, at + 12, packets)
  write32(to, at + 16, octets)
  return at + SENDER_BYTES
}

function writeBlock(to: Uint8Array, at: number, block: ReportBlock): number {
  const lost = Math.max(-0x80_0000, Math.min(0x7f_ffff, block.lost))
  write32(to, at, block.ssrc)
  write32(to, at + 4, (block.fractionLost << 24) | (lost & 0xff_ffff))
  write32(to, at + 8, block.highestSequence)
  write32(to, at + 12, block.jitter)
  write32(to, at + 16, block.lastReport)
  write32(to, at + 20, block.sinceLastReport)
  return at + BLOCK_BYTES
}

/** §6.5: the item, at least one zero behind it, up to a whole word. */
function writeCname(to: Uint8Array, at: number, cname: string): number {
  to[at] = CNAME
  to[at + 1] = cname.length
  for (let i = 0; i < cname.length; i++) to[at + 2 + i] = cname.charCodeAt(i) & 0x7f
  const end = at + 2 + cname.length
  const whole = (end + 4) & ~3
  to.fill(0, end, whole)
  return whole
}
