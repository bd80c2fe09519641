import { FRAME_MS, FRAME_SAMPLES } from '../../core/pcm.ts'
import { encodeG711, type G711, pcmu } from '../codecs/g711.ts'
import { DigitSender, writeEvent } from './dtmf.ts'
import { RTP_HEADER_BYTES, writeHeader } from './packet.ts'

/** RFC 6263 §5: at least every 15 s something has to leave, or NATs close. */
const KEEPALIVE_FRAMES = 15_000 / FRAME_MS
const EVENT_BYTES = 4

export interface SenderEvents {
  /** The first sample of a clip leaves with the packet under way. */
  started(clip: number): void
  /** The last sample that will leave has left, `heardSamples` in all. */
  ended(clip: number, heardSamples: number, whole: boolean): void
  /** So many samples of clips are in the packet under way. */
  heard(samples: number): void
}

export interface Sending {
  law: G711
  payloadType: number
  telephoneEventPayloadType: number | null
  /** False on hold: only what keeps NATs open leaves; clips and keys wait. */
  aloud: boolean
}

interface Clip {
  id: number
  samples: Int16Array
  at: number
}

/** Makes the next packet of a call, 20 ms of sound or silence each; knows no time and no socket. */
export class RtpSender {
  private readonly events: SenderEvents
  private readonly ssrc: number
  private sequence: number
  private timestamp: number
  private sending: Sending = {
    law: pcmu,
    payloadType: 0,
    telephoneEventPayloadType: null,
    aloud: false,
  }
  private readonly clips: Clip[] = []
  private readonly digits = new DigitSender()
  private eventTimestamp = 0
  /** The next packet with sound begins a talk spurt: it carries the marker (RFC 3551 §4.1). */
  private resting = true
  private silentFrames = 0
  private readonly frame = new Int16Array(FRAME_SAMPLES)
  private readonly packet = new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES)

  /** The first sequence number, timestamp and the SSRC are random (RFC 3550 §5.1). */
  constructor(o: { ssrc: number; sequence: number; timestamp: number; events: SenderEvents }) {
    this.ssrc = o.ssrc
    this.sequence = o.sequence
    this.timestamp = o.timestamp
    this.events = o.events
  }

  agree(sending: Sending): void {
    this.sending = sending
    this.silentFrames = KEEPALIVE_FRAMES
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

  /** True when the next frame would be silence. */
  get idle(): boolean {
    return this.clips.length === 0 && this.digits.idle
  }

  /** `frames` frames are not sent at all: the sample clock moves on without them. */
  skip(frames: number): void {
    this.timestamp = (this.timestamp + frames * FRAME_SAMPLES) >>> 0
    this.resting = true
  }

  /** The packet of this frame, valid until the next call; undefined when nothing is to be sent. */
  next(): Uint8Array | undefined {
    const packet = this.sending.aloud ? this.aloud() : this.keepAlive()
    this.timestamp = (this.timestamp + FRAME_SAMPLES) >>> 0
    return packet
  }

  private aloud(): Uint8Array {
    const digit = this.digits.next()
    if (digit?.kind === 'event') return this.event(digit)
    if (digit?.kind === 'tone') return this.sound(digit.samples)
    return digit || this.clips.length === 0 ? this.silence() : this.sound(this.nextSound())
  }

  private keepAlive(): Uint8Array | undefined {
    if (this.silentFrames++ < KEEPALIVE_FRAMES) return undefined
    this.silentFrames = 1
    return this.silence()
  }

  /** The next 20 ms of the clips; one begins in the frame in which the last one ended. */
  private nextSound(): Int16Array {
    let filled = 0
    for (let clip = this.clips[0]; clip && filled < FRAME_SAMPLES; clip = this.clips[0]) {
      if (clip.at === 0) this.events.started(clip.id)
      const piece = clip.samples.subarray(clip.at, clip.at + FRAME_SAMPLES - filled)
      this.frame.set(piece, filled)
      filled += piece.length
      clip.at += piece.length
      if (clip.at < clip.samples.length) break
      this.clips.shift()
      this.events.ended(clip.id, clip.at, true)
    }
    this.frame.fill(0, filled)
    this.events.heard(filled)
    return this.frame
  }

  private sound(samples: Int16Array): Uint8Array {
    encodeG711(this.sending.law, samples, this.packet, RTP_HEADER_BYTES)
    const marker = this.resting
    this.resting = false
    return this.withHeader(this.sending.payloadType, marker, this.timestamp, FRAME_SAMPLES)
  }

  private silence(): Uint8Array {
    this.packet.fill(this.sending.law.silence, RTP_HEADER_BYTES)
    this.resting = true
    return this.withHeader(this.sending.payloadType, false, this.timestamp, FRAME_SAMPLES)
  }

  /** RFC 4733 §2.5.1.2: all packets of an event carry the timestamp of its beginning. */
  private event(frame: Parameters<typeof writeEvent>[2]): Uint8Array {
    const type = this.sending.telephoneEventPayloadType
    if (type === null) return this.silence()
    if (frame.first) this.eventTimestamp = this.timestamp
    writeEvent(this.packet, RTP_HEADER_BYTES, frame)
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
    return this.packet.subarray(0, RTP_HEADER_BYTES + payloadBytes)
  }
}
