import { toMs, toSamples } from '../../core/pcm.ts'
import { EarsTimeline } from './ears-timeline.ts'
import { sequenceDistance, timestampDistance } from './packet.ts'

/** A packet of the agreed source. `samples` is null where it carries no sound (telephone-event, comfort noise). */
export interface HeardPacket {
  sequence: number
  timestamp: number
  ssrc: number
  samples: Int16Array | null
}

interface Stream {
  ssrc: number
  /** The sequence number that comes next, and the timestamp that its sound should have. */
  next: number
  nextTimestamp: number
  lastAt: number
}

/** RFC 3550 appendix A.1: further than this is not loss or disorder but another stream. */
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100
/** A missing packet is waited for until three later ones came, or 40 ms; in order nothing waits. */
const HELD_PACKETS = 3
const HELD_MS = 40
/** A stream that has been still for so long gives way to another at its first packet. */
const STILL_MS = 60
/** Larger than MAX_MISORDER, so that a slot is not taken over while its packet may still come again. */
const SEEN = 128

/**
 * Puts packets into order and their sound onto the ears' timeline, without playout delay. Holds no timers: `tick` is
 * called every 20 ms.
 */
export class RtpReceiver {
  received = 0
  lost = 0
  late = 0
  duplicates = 0
  private readonly timeline: EarsTimeline
  private stream: Stream | undefined
  /** The first packet of what may become another stream. */
  private candidate: HeardPacket | undefined
  private held: { packet: HeardPacket; at: number }[] = []
  private readonly seen = new Int32Array(SEEN)
  private lastPacketSamples = toSamples(20)
  private jitterSamples = 0
  private lastArrival: { timestamp: number; at: number } | undefined

  /** `write` takes what the human says, in frames of at most 20 ms. */
  constructor(write: (samples: Int16Array) => void) {
    this.timeline = new EarsTimeline(write)
  }

  /** Begins the timeline; again changes nothing. */
  start(now: number): void {
    this.timeline.start(now)
  }

  /** RFC 3550 §6.4.1, in ms. */
  get jitterMs(): number {
    return toMs(this.jitterSamples)
  }

  push(packet: HeardPacket, now: number): void {
    this.received++
    if (!this.stream) this.begin(packet, now)
    else if (this.isOfAnotherStream(packet, this.stream) && !this.takesOver(packet, now)) return
    this.accept(packet, now)
  }

  /** Time passed: gives up packets that were waited for, and fills what nobody sends with silence. */
  tick(now: number): void {
    while (this.held[0] && now - this.held[0].at >= HELD_MS) this.giveUp(now)
    this.timeline.tick(now)
  }

  private begin(packet: HeardPacket, now: number): void {
    const { ssrc, sequence, timestamp } = packet
    this.stream = { ssrc, next: sequence, nextTimestamp: timestamp, lastAt: now }
    this.seen.fill(-1)
    this.lastArrival = undefined
  }

  private isOfAnotherStream(packet: HeardPacket, ours: Stream): boolean {
    const ahead = sequenceDistance(ours.next, packet.sequence)
    return packet.ssrc !== ours.ssrc || ahead > MAX_DROPOUT || ahead < -MAX_MISORDER
  }

  /** Two packets in a row, or one when our stream is still, make another stream ours. */
  private takesOver(packet: HeardPacket, now: number): boolean {
    const first = this.candidate
    const distance = first ? sequenceDistance(first.sequence, packet.sequence) : 0
    const follows = first?.ssrc === packet.ssrc && distance > 0 && distance <= HELD_PACKETS
    this.candidate = packet
    if (!follows && now - (this.stream?.lastAt ?? 0) < STILL_MS) return false
    while (this.held.length > 0) this.giveUp(now)
    this.begin(follows ? first : packet, now)
    if (follows) this.accept(first, now)
    return true
  }

  private accept(packet: HeardPacket, now: number): void {
    if (!this.stream) return
    this.candidate = undefined
    this.stream.lastAt = now
    const ahead = sequenceDistance(this.stream.next, packet.sequence)
    if (this.alreadySeen(packet.sequence)) this.duplicates++
    else if (ahead < 0) this.tooLate()
    else this.take(packet, ahead, now)
  }

  private take(packet: HeardPacket, ahead: number, now: number): void {
    this.measureJitter(packet, now)
    if (ahead === 0) {
      this.play(packet, 0, now)
      this.playHeld(now)
      return
    }
    const later = (one: { packet: HeardPacket }): boolean =>
      sequenceDistance(packet.sequence, one.packet.sequence) > 0
    const place = this.held.findIndex(later)
    this.held.splice(place < 0 ? this.held.length : place, 0, { packet, at: now })
    while (this.held.length >= HELD_PACKETS) this.giveUp(now)
  }

  /** The packets before the first held one are lost. */
  private giveUp(now: number): void {
    const first = this.held.shift()
    if (!first || !this.stream) return
    const lost = sequenceDistance(this.stream.next, first.packet.sequence)
    this.lost += lost
    this.play(first.packet, lost, now)
    this.playHeld(now)
  }

  private playHeld(now: number): void {
    while (this.held[0] && this.held[0].packet.sequence === this.stream?.next)
      this.play((this.held.shift() as { packet: HeardPacket }).packet, 0, now)
  }

  private play(packet: HeardPacket, lost: number, now: number): void {
    const stream = this.stream
    if (!stream) return
    stream.next = (packet.sequence + 1) & 0xffff
    if (!packet.samples) return
    const jump = timestampDistance(stream.nextTimestamp, packet.timestamp)
    // A timestamp that goes back or stands still says nothing about how much was lost; the count does.
    const missing = lost > 0 && jump <= 0 ? lost * this.lastPacketSamples : jump
    if (missing > 0) this.timeline.gap(missing, lost > 0, now)
    this.timeline.sound(packet.samples, now)
    this.lastPacketSamples = packet.samples.length
    stream.nextTimestamp = (packet.timestamp + packet.samples.length) >>> 0
  }

  private tooLate(): void {
    this.late++
    // It was counted as lost when it was given up.
    if (this.lost > 0) this.lost--
  }

  /** Remembers the sequence number; true when it was there before. */
  private alreadySeen(sequence: number): boolean {
    const slot = sequence % SEEN
    if (this.seen[slot] === sequence) return true
    this.seen[slot] = sequence
    return false
  }

  private measureJitter(packet: HeardPacket, now: number): void {
    const last = this.lastArrival
    if (!packet.samples) return
    this.lastArrival = { timestamp: packet.timestamp, at: now }
    if (!last) return
    const apart = toSamples(now - last.at)
    const transit = apart - timestampDistance(last.timestamp, packet.timestamp)
    // A jump of the sender's clock is not jitter.
    if (Math.abs(transit) > toSamples(1000)) return
    this.jitterSamples += (Math.abs(transit) - this.jitterSamples) / 16
  }
}
