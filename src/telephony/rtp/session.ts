import type { Ring } from '../../core/ring.ts'
import { decodeG711, type G711, pcma, pcmu } from '../codecs/g711.ts'
import { type Agreement, type MediaStats, NO_STATS } from '../media/media.ts'
import { Pace } from './pace.ts'
import { parsePacket, type RtpPacket } from './packet.ts'
import { RtpReceiver } from './receiver.ts'
import { RtpSender } from './sender.ts'
import { SilenceWatchdog } from './silence-watchdog.ts'
import { SourceRule } from './source-rule.ts'

/** RFC 3551 §6: these numbers always mean these codecs, whatever the SDP says beside. */
const STATIC_LAWS: Record<number, G711> = { 0: pcmu, 8: pcma }
const COMFORT_NOISE = 13
/** 200 ms in one packet; more is nobody's telephone. */
const MAX_PAYLOAD_BYTES = 1600

export interface RtpSessionOptions {
  ears: Ring
  /** Random, per call (RFC 3550 §5.1). */
  ssrc: number
  sequence: number
  timestamp: number
  silenceTimeoutMs: number
  /** Puts a packet on the wire; false when it could not leave. The bytes are valid during the call only. */
  send(packet: Uint8Array, port: number, host: string): boolean
  started(clip: number): void
  ended(clip: number, heardSamples: number, whole: boolean): void
  /** No packet came for the watchdog's time. */
  silent(): void
}

/** The sound of one call between its ring and its wire. Holds no timer and no socket: told of packets and of time. */
export class RtpSession {
  private readonly o: RtpSessionOptions
  private readonly rule = new SourceRule()
  private readonly receiver: RtpReceiver
  private readonly sender: RtpSender
  private readonly watchdog: SilenceWatchdog
  private agreement: Agreement | undefined
  private pace: Pace | undefined
  private sent = 0
  private foreign = 0

  constructor(o: RtpSessionOptions) {
    this.o = o
    this.receiver = new RtpReceiver((samples) => o.ears.write(samples))
    this.watchdog = new SilenceWatchdog(o.silenceTimeoutMs)
    const { ssrc, sequence, timestamp } = o
    const heard = (samples: number): void => o.ears.addHeard(samples)
    const events = { started: o.started, ended: o.ended, heard }
    this.sender = new RtpSender({ ssrc, sequence, timestamp, events })
  }

  /** When `tick` has to be called next; Infinity before the first agreement. */
  get dueAt(): number {
    return this.pace?.dueAt ?? Number.POSITIVE_INFINITY
  }

  agree(agreement: Agreement, now: number): void {
    const { direction, codec, payloadType, telephoneEventPayloadType } = agreement
    this.agreement = agreement
    this.rule.agree(agreement.remote, agreement.signallingHost, now)
    this.receiver.start(now)
    this.pace ??= new Pace(now)
    this.watchdog.watch(direction === 'sendrecv', now)
    this.sender.agree({
      law: codec === 'PCMA' ? pcma : pcmu,
      payloadType,
      telephoneEventPayloadType,
      aloud: direction === 'sendrecv' || direction === 'sendonly',
    })
  }

  /** A datagram came. Whatever is in it, this does not throw. */
  receive(datagram: Uint8Array, host: string, port: number, now: number): void {
    const packet = this.agreement && parsePacket(datagram)
    const samples = packet && this.samplesOf(packet)
    if (!packet || samples === undefined) return
    if (!this.rule.accepts(host, port, now)) {
      this.foreign++
      return
    }
    this.watchdog.heard(now)
    const direction = this.agreement?.direction
    if (direction === 'sendonly' || direction === 'inactive') return
    const { sequence, timestamp, ssrc } = packet
    this.receiver.push({ sequence, timestamp, ssrc, samples }, now)
  }

  /** Sends what is due at `now`, and lets time pass for what is heard. */
  tick(now: number): void {
    const pace = this.pace
    if (!pace) return
    if (this.o.ears.takeStop()) this.sender.stop()
    const skipped = pace.skip(now)
    if (skipped > 0) this.sender.skip(skipped)
    do this.sendFrame(pace)
    while (pace.dueAt <= now)
    this.receiver.tick(now)
    if (this.watchdog.expired(now)) this.o.silent()
  }

  /** Queues a clip. True when it may leave at once: call `tick`. */
  enqueue(clip: number, samples: Int16Array, now: number): boolean {
    const wasIdle = this.sender.idle
    this.sender.enqueue(clip, samples)
    return wasIdle && (this.pace?.hurry(now) ?? false)
  }

  /** Drops the clips that are queued or playing. */
  stop(): void {
    this.sender.stop()
  }

  press(digits: string, done: () => void): void {
    this.sender.press(digits, done)
  }

  /** Ends clips and keys. */
  close(): void {
    this.pace = undefined
    this.agreement = undefined
    this.sender.close()
  }

  stats(): MediaStats {
    return {
      ...NO_STATS,
      packetsSent: this.sent,
      packetsReceived: this.receiver.received,
      packetsLost: this.receiver.lost,
      packetsLate: this.receiver.late,
      packetsForeign: this.foreign,
      jitterMs: this.receiver.jitterMs,
    }
  }

  private sendFrame(pace: Pace): void {
    const quiet = this.sender.idle
    const packet = this.sender.next()
    pace.sent(quiet)
    const to = this.rule.destination
    if (packet && to && this.o.send(packet, to.port, to.host)) this.sent++
  }

  /** The sound in a packet, null when it carries none, undefined when it is none of this call. */
  private samplesOf(packet: RtpPacket): Int16Array | null | undefined {
    const { payloadType, payload } = packet
    const { agreement } = this
    if (payloadType === agreement?.telephoneEventPayloadType || payloadType === COMFORT_NOISE)
      return null
    const agreed = agreement?.codec === 'PCMA' ? pcma : pcmu
    const law = payloadType === agreement?.payloadType ? agreed : STATIC_LAWS[payloadType]
    if (!law || payload.length === 0 || payload.length > MAX_PAYLOAD_BYTES) return undefined
    return decodeG711(law, payload)
  }
}
