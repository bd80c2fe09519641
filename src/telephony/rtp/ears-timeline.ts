import { FRAME_MS, rms, toMs, toSamples } from '../../core/pcm.ts'
import { Concealment } from './concealment.ts'

/** So long (beyond one packet) without sound before its place is filled with silence. */
const STARVED_MS = 40
/** The timeline may stray this far from real time while there is speech; in quiet it is set right. */
const STRAY_MS = 60
/** Further than this it is set right even in speech. */
const TOO_FAR_BEHIND_MS = 200
const TOO_FAR_AHEAD_MS = 500
/** A loss is concealed for this long at least, even where the timeline leads real time. */
const LEAST_CONCEALED_MS = 100
/** About -50 dB of full scale: a frame that nobody misses. */
const QUIET_RMS = 100

/**
 * What the human says as one unbroken line of samples that follows real time: sound as it comes, with nothing held
 * back; concealment where packets were lost; silence where nothing comes at all. Sound that comes late in a bunch is
 * kept, and the lead it makes is taken back from quiet frames.
 */
export class EarsTimeline {
  private readonly rateHz: number
  private readonly write: (samples: Int16Array) => void
  private readonly concealment: Concealment
  private readonly frameSamples: number
  private readonly nothing: Int16Array
  private startedAt: number | undefined
  private written = 0
  private lastSoundAt = 0
  private packetMs = FRAME_MS
  /** Silence written since the last sound because nothing came. */
  private starved = 0
  private concealed = 0

  /**
   * `write` takes frames of at most 20 ms, valid during the call only; `last` gives the last `count` samples that were
   * written, fewer where there are no more.
   */
  constructor(
    rateHz: number,
    write: (samples: Int16Array) => void,
    last: (count: number) => Int16Array,
  ) {
    this.rateHz = rateHz
    this.write = write
    this.concealment = new Concealment(rateHz, last)
    this.frameSamples = this.toSamples(FRAME_MS)
    this.nothing = new Int16Array(this.frameSamples)
  }

  /** Position 0 is now. */
  start(now: number): void {
    if (this.startedAt !== undefined) return
    this.startedAt = now
    this.lastSoundAt = now
  }

  /** Appends the sound of one packet; where something was concealed before it, its beginning is blended with that. */
  sound(samples: Int16Array, now: number): void {
    this.lastSoundAt = now
    this.packetMs = toMs(samples.length, this.rateHz)
    this.starved = 0
    const behind = toMs(this.behind(now) - samples.length, this.rateHz)
    if (behind > STRAY_MS || -behind > STRAY_MS) {
      const quiet = rms(samples) < QUIET_RMS
      if (-behind > (quiet ? STRAY_MS : TOO_FAR_AHEAD_MS)) return
      if (behind > (quiet ? STRAY_MS : TOO_FAR_BEHIND_MS)) this.silence(this.toSamples(behind))
    }
    this.append(this.concealment.hear(samples))
  }

  /** Before the packet that came now, `missing` samples were lost on the way (`lost`), or were never sent. */
  gap(missing: number, lost: boolean, now: number): void {
    const room = this.behind(now) - this.toSamples(this.packetMs)
    const conceal = Math.min(
      this.toSamples(LEAST_CONCEALED_MS),
      room + this.toSamples(TOO_FAR_AHEAD_MS),
    )
    const count = Math.min(missing - this.starved, lost ? Math.max(room, conceal) : room)
    this.starved = 0
    if (count <= 0) return
    if (lost) this.conceal(count)
    else this.silence(count)
  }

  /** Sound that was made up in place of what was lost. */
  get concealedMs(): number {
    return toMs(this.concealed, this.rateHz)
  }

  /** Time passed: fills with silence what nobody sends. The frame that may still be under way is left open. */
  tick(now: number): void {
    if (now - this.lastSoundAt <= STARVED_MS + this.packetMs) return
    const frames = Math.floor(this.behind(now) / this.frameSamples) - 1
    if (frames <= 0) return
    this.silence(frames * this.frameSamples)
    this.starved += frames * this.frameSamples
  }

  private behind(now: number): number {
    return this.toSamples(now - (this.startedAt ?? now)) - this.written
  }

  private toSamples(ms: number): number {
    return toSamples(ms, this.rateHz)
  }

  private conceal(count: number): void {
    this.concealed += count
    this.append(this.concealment.fill(count))
  }

  private silence(count: number): void {
    for (let left = count; left > 0; left -= this.frameSamples)
      this.write(left < this.frameSamples ? this.nothing.subarray(0, left) : this.nothing)
    this.written += count
    this.concealment.forget()
  }

  private append(samples: Int16Array): void {
    this.written += samples.length
    if (samples.length <= this.frameSamples) {
      this.write(samples)
      return
    }
    for (let at = 0; at < samples.length; at += this.frameSamples)
      this.write(samples.subarray(at, at + this.frameSamples))
  }
}
