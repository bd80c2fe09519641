/**
 * SRTP and SRTCP (RFC 3711) with AES-128 in counter mode and HMAC-SHA1. Packets are changed where they lie. One object
 * is one direction under one master key; it knows no time and no socket.
 */
import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import type { SrtpSuite } from '../media/media.ts'
import { RTP_HEADER_BYTES, read16, read32, write32 } from './packet.ts'
import { ReplayWindow } from './replay-window.ts'

/** How much longer a packet gets at most: the index of SRTCP (4) and a tag of 80 bits. */
export const SRTP_OVERHEAD_BYTES = 14

/** RFC 4568 §6.2: the tag of SRTCP has 80 bits in both suites. */
const TAG_BYTES: Readonly<Record<SrtpSuite, number>> = {
  AES_CM_128_HMAC_SHA1_80: 10,
  AES_CM_128_HMAC_SHA1_32: 4,
}
const RTCP_TAG_BYTES = 10
/** §4.3.1: what each derived key is for. */
const LABELS = { rtp: [0, 1, 2], rtcp: [3, 4, 5] } as const
/** So many streams of one sender are told apart; further ones take the oldest's place, once they are authentic. */
const MAX_STREAMS = 8
const RTCP_HEADER_BYTES = 8
const ENCRYPTED = 0x8000_0000

interface SessionKeys {
  cipher: Buffer
  auth: Buffer
  salt: Buffer
}

/** §4.3.3: `length` bytes of key by the pseudo-random function. Exported for its test vectors. */
export function deriveKey(master: Uint8Array, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16)
  iv.set(master.subarray(16, 30))
  iv[7] = (iv[7] as number) ^ label
  return crypt(Buffer.from(master.subarray(0, 16)), iv, Buffer.alloc(length))
}

function sessionKeys(key: string, [cipher, auth, salt]: readonly [number, number, number]) {
  const master = Buffer.from(key, 'base64')
  if (master.length !== 30) throw new Error('SRTP: a master key and its salt are 30 bytes')
  return {
    cipher: deriveKey(master, cipher, 16),
    auth: deriveKey(master, auth, 20),
    salt: deriveKey(master, salt, 14),
  }
}

/** §4.1.1: encrypting and decrypting are the same. */
function crypt(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Buffer {
  return createCipheriv('aes-128-ctr', key, iv).update(bytes)
}

class Transform {
  private readonly keys: SessionKeys
  private readonly iv = Buffer.alloc(16)
  private readonly counter = Buffer.alloc(4)

  constructor(key: string, labels: readonly [number, number, number]) {
    this.keys = sessionKeys(key, labels)
  }

  /** Encrypts or decrypts `bytes` of the packet with `index` (48 bits) of the stream `ssrc`. */
  crypt(bytes: Uint8Array, ssrc: number, index: number): void {
    const { iv, keys } = this
    iv.set(keys.salt)
    xor32(iv, 4, ssrc)
    xor32(iv, 8, Math.floor(index / 0x1_0000))
    iv[12] = (iv[12] as number) ^ ((index >>> 8) & 0xff)
    iv[13] = (iv[13] as number) ^ (index & 0xff)
    bytes.set(crypt(keys.cipher, iv, bytes))
  }

  /** The tag of `bytes`; of RTP with the roll-over counter behind them (§4.2). 20 bytes, to be cut. */
  tag(bytes: Uint8Array, rollOver?: number): Buffer {
    const hmac = createHmac('sha1', this.keys.auth).update(bytes)
    if (rollOver === undefined) return hmac.digest()
    this.counter.writeUInt32BE(rollOver >>> 0)
    return hmac.update(this.counter).digest()
  }
}

/** Encrypts what we send. */
export class SrtpSender {
  private readonly rtp: Transform
  private readonly rtcp: Transform
  private readonly tagBytes: number
  private rollOver = 0
  private lastSequence = -1
  private controlIndex = 0

  /** Throws when the key is none. */
  constructor(suite: SrtpSuite, key: string) {
    this.rtp = new Transform(key, LABELS.rtp)
    this.rtcp = new Transform(key, LABELS.rtcp)
    this.tagBytes = TAG_BYTES[suite]
  }

  /**
   * Encrypts the first `length` bytes of `packet`, which has room for SRTP_OVERHEAD_BYTES more, and returns how many
   * it has now. Packets come in the order of their sequence numbers.
   */
  protect(packet: Uint8Array, length: number): number {
    const sequence = read16(packet, 2)
    if (sequence < this.lastSequence) this.rollOver++
    this.lastSequence = sequence
    const index = this.rollOver * 0x1_0000 + sequence
    const header = headerBytes(packet, length) ?? RTP_HEADER_BYTES
    this.rtp.crypt(packet.subarray(header, length), read32(packet, 8), index)
    const tag = this.rtp.tag(packet.subarray(0, length), this.rollOver)
    packet.set(tag.subarray(0, this.tagBytes), length)
    return length + this.tagBytes
  }

  /** The same for a compound RTCP packet (§3.4). */
  protectControl(packet: Uint8Array, length: number): number {
    const index = ++this.controlIndex
    this.rtcp.crypt(packet.subarray(RTCP_HEADER_BYTES, length), read32(packet, 4), index)
    write32(packet, length, ENCRYPTED | index)
    const tag = this.rtcp.tag(packet.subarray(0, length + 4))
    packet.set(tag.subarray(0, RTCP_TAG_BYTES), length + 4)
    return length + 4 + RTCP_TAG_BYTES
  }
}

/** Vouches for what comes, and decrypts it. Nothing changes by a packet that is not authentic or was there before. */
export class SrtpReceiver {
  private readonly rtp: Transform
  private readonly rtcp: Transform
  private readonly tagBytes: number
  private readonly streams = new Map<number, ReplayWindow>()
  private readonly control = new Map<number, ReplayWindow>()
  private before: SrtpReceiver | undefined

  /**
   * `before` is the receiver of an earlier key: some start the roll-over counter of a stream anew with a new key,
   * some go on (RFC 3711 §3.3.1); both are understood. Throws when the key is none.
   */
  constructor(suite: SrtpSuite, key: string, before?: SrtpReceiver) {
    this.rtp = new Transform(key, LABELS.rtp)
    this.rtcp = new Transform(key, LABELS.rtcp)
    this.tagBytes = TAG_BYTES[suite]
    this.before = before
    if (before) before.before = undefined
  }

  /** The packet as it was before encryption, a view of `packet`; undefined where nobody vouches for it. */
  unprotect(packet: Uint8Array): Uint8Array | undefined {
    const end = packet.length - this.tagBytes
    const header = headerBytes(packet, end)
    if (header === undefined) return undefined
    const ssrc = read32(packet, 8)
    const sequence = read16(packet, 2)
    const known = this.streams.get(ssrc)
    const index = known ? known.guess(sequence) : this.firstIndex(packet, ssrc, sequence)
    if (index === undefined || index < 0 || known?.has(index)) return undefined
    if (known && !this.isAuthentic(packet, index)) return undefined
    remember(this.streams, ssrc).take(index)
    this.rtp.crypt(packet.subarray(header, end), ssrc, index)
    return packet.subarray(0, end)
  }

  /** The same for SRTCP. */
  unprotectControl(packet: Uint8Array): Uint8Array | undefined {
    const end = packet.length - RTCP_TAG_BYTES - 4
    if (end < RTCP_HEADER_BYTES) return undefined
    const word = read32(packet, end)
    const index = word & 0x7fff_ffff
    const ssrc = read32(packet, 4)
    if (this.control.get(ssrc)?.has(index)) return undefined
    const signed = packet.subarray(0, end + 4)
    if (!isTag(packet.subarray(end + 4), this.rtcp.tag(signed))) return undefined
    remember(this.control, ssrc).take(index)
    if (word & ENCRYPTED) this.rtcp.crypt(packet.subarray(RTCP_HEADER_BYTES, end), ssrc, index)
    return packet.subarray(0, end)
  }

  /** The index of the first packet of a stream: it counts from 0, or from where it was under the key before. */
  private firstIndex(packet: Uint8Array, ssrc: number, sequence: number): number | undefined {
    const continued = this.before?.streams.get(ssrc)?.guess(sequence)
    for (const index of [sequence, continued])
      if (index !== undefined && index >= 0 && this.isAuthentic(packet, index)) return index
    return undefined
  }

  private isAuthentic(packet: Uint8Array, index: number): boolean {
    const end = packet.length - this.tagBytes
    const tag = this.rtp.tag(packet.subarray(0, end), Math.floor(index / 0x1_0000))
    return isTag(packet.subarray(end), tag)
  }
}

function isTag(given: Uint8Array, whole: Buffer): boolean {
  return timingSafeEqual(given, whole.subarray(0, given.length))
}

/** The replay window of a stream that is authentic; one too many takes the place of the one heard first. */
function remember(streams: Map<number, ReplayWindow>, ssrc: number): ReplayWindow {
  const known = streams.get(ssrc)
  if (known) return known
  if (streams.size >= MAX_STREAMS) streams.delete(streams.keys().next().value ?? ssrc)
  const made = new ReplayWindow()
  streams.set(ssrc, made)
  return made
}

/** Header, CSRCs and extension go unencrypted (§3.1). Undefined when they do not fit. */
function headerBytes(packet: Uint8Array, end: number): number | undefined {
  if (end < RTP_HEADER_BYTES || (packet[0] as number) >> 6 !== 2) return undefined
  let header = RTP_HEADER_BYTES + ((packet[0] as number) & 15) * 4
  if ((packet[0] as number) & 0x10) {
    if (header + 4 > end) return undefined
    header += 4 + read16(packet, header + 2) * 4
  }
  return header <= end ? header : undefined
}

function xor32(to: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++)
    to[at + i] = (to[at + i] as number) ^ ((value >>> (24 - 8 * i)) & 0xff)
}
