/** RTP's fixed header (RFC 3550 §5.1), parsed from and built into bytes. */

export interface RtpPacket {
  payloadType: number
  marker: boolean
  /** 16 bits; wraps. */
  sequence: number
  /** 32 bits of the sample clock; wraps. */
  timestamp: number
  ssrc: number
  /** A view of the datagram, without CSRCs, extension and padding. */
  payload: Uint8Array
}

export const RTP_HEADER_BYTES = 12

export function emptyPacket(): RtpPacket {
  const payload = new Uint8Array(0)
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, payload }
}

/**
 * A packet out of a datagram, written into `into`; undefined when it is not RTP version 2 or its lengths do not add up.
 * Never throws.
 */
export function parsePacket<P extends RtpPacket>(bytes: Uint8Array, into: P): P | undefined
export function parsePacket(bytes: Uint8Array): RtpPacket | undefined
export function parsePacket(bytes: Uint8Array, into = emptyPacket()): RtpPacket | undefined {
  if (bytes.length < RTP_HEADER_BYTES) return undefined
  const first = bytes[0] as number
  const second = bytes[1] as number
  if (first >> 6 !== 2) return undefined
  // RFC 5761 §4: 64 to 95 after the marker bit are RTCP's packet types (192 to 223) on the same port.
  const payloadType = second & 0x7f
  if (payloadType >= 64 && payloadType <= 95) return undefined
  let from = RTP_HEADER_BYTES + (first & 0x0f) * 4
  if (first & 0x10) {
    if (from + 4 > bytes.length) return undefined
    from += 4 + read16(bytes, from + 2) * 4
  }
  // §5.1: the last byte of the padding counts it, itself included.
  const padding = first & 0x20 ? (bytes[bytes.length - 1] as number) : 0
  if ((first & 0x20 && padding === 0) || from + padding > bytes.length) return undefined
  into.payloadType = payloadType
  into.marker = (second & 0x80) !== 0
  into.sequence = read16(bytes, 2)
  into.timestamp = read32(bytes, 4)
  into.ssrc = read32(bytes, 8)
  into.payload = bytes.subarray(from, bytes.length - padding)
  return into
}

/** RFC 5761 §4: whether a datagram that shares a port with RTP is RTCP (packet types 192 to 223). */
export function isControl(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0
  return type >= 192 && type <= 223
}

/** Writes a header without CSRCs and extension into the first 12 bytes of `to`. */
export function writeHeader(to: Uint8Array, header: Omit<RtpPacket, 'payload'>): void {
  to[0] = 0x80
  to[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f)
  to[2] = header.sequence >>> 8
  to[3] = header.sequence
  write32(to, 4, header.timestamp)
  write32(to, 8, header.ssrc)
}

/** How far `to` lies ahead of `from` on the circle of 2^16 sequence numbers: -32768 to 32767. */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16
}

/** How far `to` lies ahead of `from` on the circle of 2^32 timestamps: -2^31 to 2^31 - 1. */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0
}

export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

export function read32(bytes: Uint8Array, at: number): number {
  return read16(bytes, at) * 0x1_0000 + read16(bytes, at + 2)
}

export function write32(to: Uint8Array, at: number, value: number): void {
  to[at] = value >>> 24
  to[at + 1] = value >>> 16
  to[at + 2] = value >>> 8
  to[at + 3] = value
}
