import { toSamples } from '../../core/pcm.ts'
import { EarsTimeline } from './ears-timeline.ts'
import { sequenceDistance, timestampDistance } from './packet.ts'

/** A packet of the agreed source. */
export interface HeardPacket {
  sequence: number
  timestamp: number
  ssrc: number
  /** Ticks a second of its timestamp; null where it carries no sound (telephone-event, comfort noise). */
  clockHz: number | null
}

export interface ReceiverOptions<P extends HeardPacket> {
  /** Of what is written. */
  rateHz: number
  /** The samples of a packet at that rate, valid until the next call. Asked in the order in which they were sent. */
  decode(packet: P): Int16Array
  /** A copy that may be kept: a packet that is pushed may be changed after `push` returned. */
  keep(packet: P): P
  /** Takes what the human says, in frames of at most 20 ms, valid during the call only. */
  write(samples: Int16Array): void
  /** The last `count` samples that were written, fewer where there are no more. */
  last(count: number): Int16Array
}

interface Stream {
  ssrc: number
  /** The sequence number that comes next, and the timestamp that its sound should have. */
  next: number
  nextTimestamp: number
  clockHz: number
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
 * called every 20 ms or so.
 */
export class RtpReceiver<P extends HeardPacket> {
  received = 0
  lost = 0
  late = 0
  duplicates = 0
  ssrcChanges = 0
  private readonly o: ReceiverOptions<P>
  private readonly timeline: EarsTimeline
  private stream: Stream | undefined
  /** The first packet of what may become another stream. */
  private candidate: P | undefined
  private readonly held: { packet: P; at: number }[] = []
  private readonly seen = new Int32Array(SEEN)
  private lastPacketSamples: number
  /** RFC 3550 §6.4.1, in ms. */
  jitterMs = 0
  private lastTimestamp = 0
  /** When the packet before came; below 0 where none did. */
  private lastAt = -1

  constructor(o: ReceiverOptions<P>) {
    this.o = o
    this.lastPacketSamples = toSamples(20, o.rateHz)
    this.timeline = new EarsTimeline(o.rateHz, o.write, o.last)
  }

  /** Begins the timeline; again changes nothing. */
  start(now: number): void {
    this.timeline.start(now)
  }

  /** The stream that is heard; undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.stream?.ssrc
  }

  push(packet: P, now: number): void {
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

  /** Sound that was made up in place of what was lost. */
  get concealedMs(): number {
    return this.timeline.concealedMs
  }

  private begin(packet: P, now: number): void {
    const { ssrc, sequence, timestamp } = packet
    if (this.stream && this.stream.ssrc !== ssrc) this.ssrcChanges++
    const clockHz = packet.clockHz ?? this.stream?.clockHz ?? this.o.rateHz
    this.stream = { ssrc, next: sequence, nextTimestamp: timestamp, clockHz, lastAt: now }
    this.seen.fill(-1)
    this.lastAt = -1
  }

  private isOfAnotherStream(packet: P, ours: Stream): boolean {
    const ahead = sequenceDistance(ours.next, packet.sequence)
    return packet.ssrc !== ours.ssrc || ahead > MAX_DROPOUT || ahead < -MAX_MISORDER
  }

  /** Two packets in a row, or one when our stream is still, make another stream ours. */
  private takesOver(packet: P, now: number): boolean {
    const first = this.candidate
    const distance = first ? sequenceDistance(first.sequence, packet.sequence) : 0
    const follows = first?.ssrc === packet.ssrc && distance > 0 && distance <= HELD_PACKETS
    this.candidate = this.o.keep(packet)
    if (!follows && now - (this.stream?.lastAt ?? 0) < STILL_MS) return false
    while (this.held.length > 0) this.giveUp(now)
    this.begin(follows ? first : packet, now)
    if (follows) this.accept(first, now)
    return true
  }

  private accept(packet: P, now: number): void {
    if (!this.stream) return
    this.candidate = undefined
    this.stream.lastAt = now
    const ahead = sequenceDistance(this.stream.next, packet.sequence)
    if (this.alreadySeen(packet.sequence)) this.duplicates++
    else if (ahead < 0) this.tooLate()
    else this.take(packet, ahead, now)
  }

  private take(packet: P, ahead: number, now: number): void {
    this.measureJitter(packet, now)
    if (ahead === 0) {
      this.play(packet, 0, now)
      this.playHeld(now)
      return
    }
    const later = (one: { packet: P }): boolean =>
      sequenceDistance(packet.sequence, one.packet.sequence) > 0
    const place = this.held.findIndex(later)
    const kept = { packet: this.o.keep(packet), at: now }
    this.held.splice(place < 0 ? this.held.length : place, 0, kept)
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
      this.play((this.held.shift() as { packet: P }).packet, 0, now)
  }

  private play(packet: P, lost: number, now: number): void {
    const stream = this.stream
    if (!stream) return
    stream.next = (packet.sequence + 1) & 0xffff
    const { clockHz } = packet
    if (clockHz === null) return
    const missing = this.missingBefore(packet, { stream, clockHz, lost })
    if (missing > 0) this.timeline.gap(missing, lost > 0, now)
    const samples = this.o.decode(packet)
    if (samples.length === 0) return
    this.timeline.sound(samples, now)
    this.lastPacketSamples = samples.length
    const ticks = Math.round((samples.length * clockHz) / this.o.rateHz)
    stream.nextTimestamp = (packet.timestamp + ticks) >>> 0
    stream.clockHz = clockHz
  }

  /** Samples that should have come between the packet before and this one. */
  private missingBefore(
    packet: P,
    { stream, clockHz, lost }: { stream: Stream; clockHz: number; lost: number },
  ): number {
    // A timestamp that goes back or stands still, or of another clock, says nothing about how much was lost.
    const jump =
      clockHz === stream.clockHz ? timestampDistance(stream.nextTimestamp, packet.timestamp) : 0
    if (lost > 0 && jump <= 0) return lost * this.lastPacketSamples
    return Math.round((jump * this.o.rateHz) / clockHz)
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

  private measureJitter({ timestamp, clockHz }: P, now: number): void {
    if (clockHz === null) return
    const apart = now - this.lastAt
    const sentApart = (timestampDistance(this.lastTimestamp, timestamp) * 1000) / clockHz
    const known = this.lastAt >= 0
    this.lastTimestamp = timestamp
    this.lastAt = now
    const transit = Math.abs(apart - sentApart)
    // A jump of the sender's clock is not jitter.
    if (known && transit <= 1000) this.jitterMs += (transit - this.jitterMs) / 16
  }
}
