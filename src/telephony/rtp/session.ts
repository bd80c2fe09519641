import type { Ring } from '../../core/ring.ts'
import type { Codec, Codecs, Decoder } from '../codecs/codec.ts'
import { OFFERED_EVENTS } from '../codecs/formats.ts'
import type { Agreement, MediaStats } from '../media/media.ts'
import { EventReceiver } from './event-receiver.ts'
import { Pace } from './pace.ts'
import { emptyPacket, isControl, parsePacket, type RtpPacket } from './packet.ts'
import { type HeardPacket, RtpReceiver } from './receiver.ts'
import { Reports } from './reports.ts'
import { parseReport } from './rtcp.ts'
import { RtpSender, type Sending } from './sender.ts'
import { SilenceWatchdog } from './silence-watchdog.ts'
import { CONTROL_WAIT_MS, SourceRule } from './source-rule.ts'
import { SrtpSession } from './srtp-session.ts'
import { SteadyResampler } from './steady-resampler.ts'
import { ToneReceiver } from './tone-receiver.ts'

const COMFORT_NOISE = 13

export interface RtpSessionOptions {
  ears: Ring
  codecs: Codecs
  /** Random, per call (RFC 3550 §5.1). The sequence number is below 2^15 (RFC 3711 §3.3.1). */
  ssrc: number
  sequence: number
  timestamp: number
  /** Our name in RTCP, random and per call (RFC 7022). */
  cname: string
  silenceTimeoutMs: number
  /** Puts a packet on the wire; false when it could not leave. The bytes are valid during the call only. */
  send(packet: Uint8Array, port: number, host: string): boolean
  /** The same over the socket of RTCP, where that has one of its own. */
  sendControl(packet: Uint8Array, port: number, host: string): void
  started(clip: number): void
  ended(clip: number, heardSamples: number, whole: boolean): void
  /** The other side pressed a key. */
  digit(key: string): void
  /** No packet came for the watchdog's time. */
  silent(): void
}

type Heard = RtpPacket & HeardPacket

/** Sound that comes in one codec: decoded, and at the ring's rate. */
interface Hearing {
  codec: Codec
  decoder: Decoder
  resampler: SteadyResampler
}

/** The sound of one call between its ring and its wire. Holds no timer and no socket: told of packets and of time. */
export class RtpSession {
  private readonly o: RtpSessionOptions
  private readonly rule = new SourceRule()
  private readonly controlRule = new SourceRule(CONTROL_WAIT_MS)
  private readonly receiver: RtpReceiver<Heard>
  private readonly sender: RtpSender
  private readonly watchdog: SilenceWatchdog
  private readonly srtp = new SrtpSession()
  private readonly events = new EventReceiver()
  private readonly tones: ToneReceiver
  private readonly packet: Heard = { ...emptyPacket(), clockHz: null }
  /** What each payload type is decoded by, as far as it came. */
  private readonly hearing = new Map<number, Hearing>()
  private agreement: Agreement | undefined
  private reports: Reports | undefined
  private pace: Pace | undefined
  private sent = 0
  private bytesSent = 0
  private bytesReceived = 0
  private foreign = 0
  private digits = 0

  constructor(o: RtpSessionOptions) {
    this.o = o
    const { rateHz } = o.ears
    this.receiver = new RtpReceiver<Heard>({
      rateHz,
      decode: (packet) => this.decode(packet),
      keep: (packet) => ({ ...packet, payload: packet.payload.slice() }),
      write: (samples) => o.ears.write(samples),
      last: (count) => o.ears.read(o.ears.written - count, o.ears.written),
    })
    this.tones = new ToneReceiver(rateHz)
    this.watchdog = new SilenceWatchdog(o.silenceTimeoutMs)
    const { ssrc, sequence, timestamp } = o
    const heard = (samples: number): void => o.ears.addHeard(samples)
    const events = { started: o.started, ended: o.ended, heard }
    const sending = notYet(this.codec('PCMU'))
    this.sender = new RtpSender({ ssrc, sequence, timestamp, rateHz, sending, events })
  }

  /** When `tick` has to be called next; Infinity before the first agreement. */
  get dueAt(): number {
    return this.pace?.dueAt ?? Number.POSITIVE_INFINITY
  }

  /** Begins, or changes, sound as agreed. Throws when the codec or a key is none of ours. */
  agree(agreement: Agreement, now: number): void {
    const { direction, remote, signallingHost, rtcp } = agreement
    const codec = this.codec(agreement.codec)
    if (this.srtp.agree(agreement.srtp)) this.sender.become(...this.srtp.freshStream(this.o))
    if (this.agreement?.codec !== agreement.codec) this.hearing.clear()
    this.agreement = agreement
    this.rule.agree(remote, signallingHost, now)
    if (rtcp !== null && rtcp !== 'mux')
      this.controlRule.agree({ host: remote.host, port: rtcp.port }, signallingHost, now)
    this.receiver.start(now)
    this.pace ??= new Pace(now)
    this.pace.packetMs = agreement.ptimeMs
    this.reports ??= new Reports({ cname: this.o.cname, seed: this.o.ssrc, now })
    this.watchdog.watch(direction === 'sendrecv', now)
    this.sender.agree({
      ...agreement,
      codec,
      aloud: direction === 'sendrecv' || direction === 'sendonly',
    })
  }

  /** A datagram came where sound comes. Whatever is in it, this does not throw. It may be changed. */
  receive(datagram: Uint8Array, host: string, port: number, now: number): void {
    const { agreement } = this
    if (!agreement) return
    if (agreement.rtcp === 'mux' && isControl(datagram)) {
      this.takeReport(datagram, this.rule, { host, port, now })
      return
    }
    if (!this.rule.couldBe(host, port, now)) {
      this.foreign++
      return
    }
    const { length } = datagram
    const plain = this.srtp.unprotect(datagram)
    const packet = plain && parsePacket(plain, this.packet)
    if (!packet || !this.isOurs(packet, agreement) || !this.rule.accepts(host, port, now)) return
    this.watchdog.heard(now)
    this.bytesReceived += length
    if (agreement.direction !== 'sendonly' && agreement.direction !== 'inactive')
      this.hear(packet, agreement, now)
  }

  /** A datagram came where RTCP comes, where that is a port of its own. */
  receiveControl(datagram: Uint8Array, host: string, port: number, now: number): void {
    const rtcp = this.agreement?.rtcp
    if (rtcp && rtcp !== 'mux') this.takeReport(datagram, this.controlRule, { host, port, now })
  }

  /** Sends what is due at `now`, and lets time pass for what is heard. */
  tick(now: number): void {
    const pace = this.pace
    if (!pace) return
    this.sender.paused = this.o.ears.paused
    const skipped = pace.skip(now)
    if (skipped > 0) this.sender.skip(skipped)
    do this.sendFrame(pace)
    while (pace.dueAt <= now)
    this.receiver.tick(now)
    if (this.reports && this.reports.dueAt <= now) this.report(now, false)
    if (this.watchdog.expired(now)) this.o.silent()
  }

  /** Queues a clip. True when it may leave at once: call `tick`. */
  enqueue(clip: number, samples: Int16Array, now: number): boolean {
    const wasIdle = this.sender.idle
    this.sender.enqueue(clip, samples)
    return wasIdle && (this.pace?.hurry(now) ?? false)
  }

  /** Drops the clips that are queued or playing; those that come after are not paused. */
  stop(): void {
    this.sender.stop()
    this.o.ears.resume()
  }

  press(digits: string, done: () => void): void {
    this.sender.press(digits, done)
  }

  /** Ends clips and keys, and says so by RTCP. */
  close(now: number): void {
    if (this.sent > 0) this.report(now, true)
    this.pace = undefined
    this.agreement = undefined
    this.sender.close()
  }

  stats(): MediaStats {
    return {
      packetsSent: this.sent,
      packetsReceived: this.receiver.received,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      packetsLost: this.receiver.lost,
      packetsLate: this.receiver.late,
      packetsDuplicate: this.receiver.duplicates,
      packetsForeign: this.foreign,
      packetsUnauthentic: this.srtp.refused,
      concealedMs: this.receiver.concealedMs,
      jitterMs: this.receiver.jitterMs,
      ssrcChanges: this.receiver.ssrcChanges,
      digitsReceived: this.digits,
      codec: this.agreement?.codec ?? null,
      ptimeMs: this.agreement?.ptimeMs ?? null,
      encrypted: this.srtp.isOn,
      remote: this.reports?.remote ?? null,
    }
  }

  // ---------------------------------------------------------------- what comes

  /** Whether the packet is of this call, and what it is: sound, an event, comfort noise. */
  private isOurs(packet: Heard, agreement: Agreement): boolean {
    const { payloadType, payload } = packet
    packet.clockHz = null
    if (isEvent(payloadType, agreement) || payloadType === COMFORT_NOISE) return true
    const hearing = this.hearing.get(payloadType) ?? this.learn(payloadType, agreement)
    if (!hearing || payload.length === 0 || payload.length > hearing.codec.maxPayloadBytes)
      return false
    packet.clockHz = hearing.codec.clockHz
    return true
  }

  /** RFC 3551 §6: some numbers always mean the same codec, whatever the SDP says beside. */
  private learn(payloadType: number, agreement: Agreement): Hearing | undefined {
    const codec =
      payloadType === agreement.payloadType
        ? this.codec(agreement.codec)
        : [...this.o.codecs.values()].find((one) => one.staticPayloadType === payloadType)
    if (!codec) return undefined
    const resampler = new SteadyResampler(codec.rateHz, this.o.ears.rateHz)
    const hearing = { codec, decoder: codec.decoder(), resampler }
    this.hearing.set(payloadType, hearing)
    return hearing
  }

  private hear(packet: Heard, agreement: Agreement, now: number): void {
    const { ssrc, sequence } = packet
    if (isEvent(packet.payloadType, agreement)) {
      this.pressed(this.events.push(packet) ?? '')
      // Some send keys as a stream of their own: its numbers are none of the sound's.
      if (ssrc !== this.receiver.ssrc) return
    }
    this.receiver.push(packet, now)
    if (ssrc === this.receiver.ssrc) this.reports?.reception.count(ssrc, sequence)
  }

  private decode(packet: Heard): Int16Array {
    const hearing = this.hearing.get(packet.payloadType)
    if (!hearing) return new Int16Array(0)
    const samples = hearing.resampler.push(hearing.decoder.decode(packet.payload))
    if (this.agreement?.listenForTones) this.pressed(this.tones.push(samples))
    return samples
  }

  private pressed(keys: string): void {
    for (const key of keys) {
      this.digits++
      this.o.digit(key)
    }
  }

  private takeReport(
    datagram: Uint8Array,
    rule: SourceRule,
    from: { host: string; port: number; now: number },
  ): void {
    const { host, port, now } = from
    if (!rule.couldBe(host, port, now)) {
      this.foreign++
      return
    }
    const plain = this.srtp.unprotectControl(datagram)
    const report = plain && parseReport(plain)
    if (!report || !rule.accepts(host, port, now)) return
    const { clockHz } = this.sending
    this.reports?.receive(report, { now, ssrc: this.sender.ssrc, clockHz })
  }

  // ---------------------------------------------------------------- what goes

  private sendFrame(pace: Pace): void {
    const quiet = this.sender.idle
    const packet = this.sender.next()
    pace.sent(quiet)
    const to = this.rule.destination
    if (!packet || !to) return
    const wire = this.srtp.protect(this.sender.packet, packet)
    if (!this.o.send(wire, to.port, to.host)) return
    this.sent++
    this.bytesSent += wire.length
  }

  private report(now: number, bye: boolean): void {
    const { agreement, reports, sender } = this
    if (!agreement || !reports) return
    const { jitterMs } = this.receiver
    const { clockHz } = this.sending
    const length = reports.write({ now, sent: sender, jitterMs, clockHz, bye })
    const muxed = agreement.rtcp === 'mux'
    const to = agreement.rtcp && (muxed ? this.rule : this.controlRule).destination
    if (!to) return
    const wire = this.srtp.protectControl(reports.packet, length)
    if (muxed) this.o.send(wire, to.port, to.host)
    else this.o.sendControl(wire, to.port, to.host)
  }

  private get sending(): Codec {
    return this.codec(this.agreement?.codec ?? 'PCMU')
  }

  private codec(name: Agreement['codec']): Codec {
    const codec = this.o.codecs.get(name)
    if (!codec) throw new Error(`${name} is not available`)
    return codec
  }
}

/** Keys come under the number that we offered; who answered with another may well send that (RFC 3264 §6.1). */
function isEvent(payloadType: number, agreement: Agreement): boolean {
  const { telephoneEventPayloadType: theirs, telephoneEventClockHz: clockHz } = agreement
  if (theirs === null || payloadType === agreement.payloadType) return false
  return payloadType === theirs || payloadType === OFFERED_EVENTS[clockHz]
}

/** Before anything is agreed on nothing is sent. */
function notYet(codec: Codec): Sending {
  return {
    codec,
    payloadType: 0,
    ptimeMs: 20,
    telephoneEventPayloadType: null,
    telephoneEventClockHz: codec.clockHz,
    aloud: false,
  }
}
