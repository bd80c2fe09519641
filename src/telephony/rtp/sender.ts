import { toSamples } from '../../core/pcm.ts'
import type { Codec, Encoder } from '../codecs/codec.ts'
import { type DigitFrame, DigitSender, writeEvent } from './dtmf.ts'
import { RTP_HEADER_BYTES, writeHeader } from './packet.ts'
import { SRTP_OVERHEAD_BYTES } from './srtp.ts'
import { SteadyResampler } from './steady-resampler.ts'

/** RFC 6263 §5: at least every 15 s something has to leave, or NATs close. */
const KEEPALIVE_MS = 15_000
const EVENT_BYTES = 4
/** 60 ms of the codecs that take 8 bytes a millisecond, and the longest packet that Opus makes. */
const MAX_PAYLOAD_BYTES = 1500

export interface SenderEvents {
  /** The first sample of a clip leaves with the packet under way. */
  started(clip: number): void
  /** The last sample that will leave has left, `heardSamples` in all. */
  ended(clip: number, heardSamples: number, whole: boolean): void
  /** So many samples of clips are in the packet under way. */
  heard(samples: number): void
}

export interface Sending {
  codec: Codec
  payloadType: number
  /** How much sound is in one packet. */
  ptimeMs: number
  telephoneEventPayloadType: number | null
  telephoneEventClockHz: number
  /** False on hold: only what keeps NATs open leaves; clips and keys wait. */
  aloud: boolean
}

/**
 * The packet and the samples of the moment, for all calls of this thread: each packet is on its way before the next is
 * made. Memory of each call's own would be cold at every packet when there are hundreds.
 */
const PACKET = new Uint8Array(RTP_HEADER_BYTES + MAX_PAYLOAD_BYTES + SRTP_OVERHEAD_BYTES)
const buffers = new Map<number, { samples: Int16Array; nothing: Int16Array }>()

function buffersOf(length: number): { samples: Int16Array; nothing: Int16Array } {
  let known = buffers.get(length)
  if (!known) {
    known = { samples: new Int16Array(length), nothing: new Int16Array(length) }
    buffers.set(length, known)
  }
  return known
}

interface Clip {
  id: number
  samples: Int16Array
  at: number
}

/** Makes the next packet of a call, `ptimeMs` of sound or silence each; knows no time and no socket. */
export class RtpSender {
  /** Packets and bytes of payload that were made, for RTCP (RFC 3550 §6.4.1). */
  packets = 0
  octets = 0
  private readonly events: SenderEvents
  /** Of clips. */
  private readonly rateHz: number
  private sequence: number
  ssrc: number
  timestamp: number
  private sending: Sending
  private encoder: Encoder
  private resampler: SteadyResampler
  private readonly clips: Clip[] = []
  private readonly digits = new DigitSender()
  private eventTimestamp = 0
  /** The next packet with sound begins a talk spurt: it carries the marker (RFC 3551 §4.1). */
  private resting = true
  private silentMs = 0
  private samples: Int16Array = new Int16Array(0)
  private nothing: Int16Array = new Int16Array(0)
  /** Clips wait where they are, and silence leaves in their place. */
  paused = false
  /** Where the packet lies; what SRTP adds goes behind it. */
  readonly packet = PACKET

  /** The first sequence number, timestamp and the SSRC are random (RFC 3550 §5.1). */
  constructor(o: {
    ssrc: number
    sequence: number
    timestamp: number
    rateHz: number
    sending: Sending
    events: SenderEvents
  }) {
    this.ssrc = o.ssrc
    this.sequence = o.sequence
    this.timestamp = o.timestamp
    this.rateHz = o.rateHz
    this.events = o.events
    this.sending = o.sending
    this.encoder = o.sending.codec.encoder()
    this.resampler = new SteadyResampler(this.rateHz, o.sending.codec.rateHz)
    this.agree(o.sending)
  }

  /** Changes how it sends from the next packet on. */
  agree(sending: Sending): void {
    const { codec } = sending
    if (codec !== this.sending.codec) {
      this.encoder = codec.encoder()
      this.resampler = new SteadyResampler(this.rateHz, codec.rateHz)
    }
    this.sending = sending
    this.silentMs = KEEPALIVE_MS
    const { samples, nothing } = buffersOf(toSamples(sending.ptimeMs, this.rateHz))
    this.samples = samples
    this.nothing = nothing
  }

  /** Goes on as another stream: with a new key what was sent under the old one must not be sent again. */
  become(ssrc: number, sequence: number): void {
    this.ssrc = ssrc
    this.sequence = sequence
  }

  enqueue(id: number, samples: Int16Array): void {
    this.clips.push({ id, samples, at: 0 })
  }

  /** Drops every clip. */
  stop(): void {
    for (const clip of this.clips.splice(0))
      this.events.ended(clip.id, clip.at, clip.at === clip.samples.length)
  }

  /** Presses keys behind those already queued; clips wait meanwhile. `done` is called when the last one left. */
  press(digits: string, done: () => void): void {
    this.digits.press(digits, { asEvents: this.sending.telephoneEventPayloadType !== null, done })
  }

  /** Drops clips and keys; everybody who waits is told. */
  close(): void {
    this.stop()
    this.digits.clear()
  }

  /** True when the next packet would be silence. */
  get idle(): boolean {
    return !this.hasSound && this.digits.idle
  }

  private get hasSound(): boolean {
    return this.clips.length > 0 && !this.paused
  }

  /** `packets` packets are not sent at all: the sample clock moves on without them. */
  skip(packets: number): void {
    this.advance(packets)
    this.resting = true
  }

  /** The packet of this moment, valid until any sender makes another; undefined when nothing is to be sent. */
  next(): Uint8Array | undefined {
    const packet = this.sending.aloud ? this.aloud() : this.keepAlive()
    this.advance(1)
    return packet
  }

  private advance(packets: number): void {
    const { codec, ptimeMs } = this.sending
    this.timestamp = (this.timestamp + packets * toSamples(ptimeMs, codec.clockHz)) >>> 0
  }

  private aloud(): Uint8Array {
    const { ptimeMs } = this.sending
    const digit = this.digits.idle ? undefined : this.digits.next(ptimeMs, this.rateHz)
    if (digit?.kind === 'event') return this.event(digit)
    if (digit?.kind === 'tone') return this.sound(digit.samples)
    return digit || !this.hasSound ? this.silence() : this.sound(this.nextSound())
  }

  private keepAlive(): Uint8Array | undefined {
    const due = this.silentMs >= KEEPALIVE_MS
    this.silentMs = due ? this.sending.ptimeMs : this.silentMs + this.sending.ptimeMs
    return due ? this.silence() : undefined
  }

  /** The next samples of the clips; one begins in the packet in which the last one ended. */
  private nextSound(): Int16Array {
    const { samples } = this
    let filled = 0
    for (let clip = this.clips[0]; clip && filled < samples.length; clip = this.clips[0]) {
      if (clip.at === 0) this.events.started(clip.id)
      const piece = clip.samples.subarray(clip.at, clip.at + samples.length - filled)
      samples.set(piece, filled)
      filled += piece.length
      clip.at += piece.length
      if (clip.at < clip.samples.length) break
      this.clips.shift()
      this.events.ended(clip.id, clip.at, true)
    }
    samples.fill(0, filled)
    this.events.heard(filled)
    return samples
  }

  private sound(samples: Int16Array): Uint8Array {
    const marker = this.resting
    this.resting = false
    return this.encoded(samples, marker)
  }

  private silence(): Uint8Array {
    this.resting = true
    return this.encoded(this.nothing, false)
  }

  private encoded(samples: Int16Array, marker: boolean): Uint8Array {
    const coded = this.resampler.push(samples)
    const bytes = this.encoder.encode(coded, this.packet, RTP_HEADER_BYTES)
    return this.withHeader(this.sending.payloadType, marker, this.timestamp, bytes)
  }

  /** RFC 4733 §2.5.1.2: all packets of an event carry the timestamp of its beginning. */
  private event(frame: Extract<DigitFrame, { kind: 'event' }>): Uint8Array {
    const { telephoneEventPayloadType: type, telephoneEventClockHz } = this.sending
    if (type === null) return this.silence()
    if (frame.first) this.eventTimestamp = this.timestamp
    const duration = toSamples(frame.durationMs, telephoneEventClockHz)
    writeEvent(this.packet, RTP_HEADER_BYTES, { event: frame.event, end: frame.end, duration })
    this.resting = true
    return this.withHeader(type, frame.first, this.eventTimestamp, EVENT_BYTES)
  }

  private withHeader(
    payloadType: number,
    marker: boolean,
    timestamp: number,
    payloadBytes: number,
  ): Uint8Array {
    const { sequence, ssrc } = this
    writeHeader(this.packet, { payloadType, marker, sequence, timestamp, ssrc })
    this.sequence = (sequence + 1) & 0xffff
    this.packets++
    this.octets += payloadBytes
    return this.packet.subarray(0, RTP_HEADER_BYTES + payloadBytes)
  }
}
