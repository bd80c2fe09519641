import { FRAME_MS, FRAME_SAMPLES, rms, toMs, toSamples } from '../../core/pcm.ts'
import { Concealment } from './concealment.ts'

/** So long (beyond one packet) without sound before its place is filled with silence. */
const STARVED_MS = 40
/** The timeline may stray this far from real time while there is speech; in quiet it is set right. */
const STRAY_SAMPLES = toSamples(60)
/** Further than this it is set right even in speech. */
const TOO_FAR_BEHIND_SAMPLES = toSamples(200)
const TOO_FAR_AHEAD_SAMPLES = toSamples(500)
/** A loss is concealed for this long at least, even where the timeline leads real time. */
const LEAST_CONCEALED_SAMPLES = toSamples(100)
/** About -50 dB of full scale: a frame that nobody misses. */
const QUIET_RMS = 100

/**
 * What the human says as one unbroken line of samples that follows real time: sound as it comes, with nothing held
 * back; concealment where packets were lost; silence where nothing comes at all. Sound that comes late in a bunch is
 * kept, and the lead it makes is taken back from quiet frames.
 */
export class EarsTimeline {
  private readonly write: (samples: Int16Array) => void
  private readonly concealment = new Concealment()
  private startedAt: number | undefined
  private written = 0
  private lastSoundAt = 0
  private packetMs = FRAME_MS
  /** Silence written since the last sound because nothing came. */
  private starved = 0

  /** `write` takes frames of at most 20 ms. */
  constructor(write: (samples: Int16Array) => void) {
    this.write = write
  }

  /** Position 0 is now. */
  start(now: number): void {
    if (this.startedAt !== undefined) return
    this.startedAt = now
    this.lastSoundAt = now
  }

  /** Appends the sound of one packet. */
  sound(samples: Int16Array, now: number): void {
    this.lastSoundAt = now
    this.packetMs = toMs(samples.length)
    this.starved = 0
    const behind = this.behind(now) - samples.length
    const quiet = rms(samples) < QUIET_RMS
    if (-behind > (quiet ? STRAY_SAMPLES : TOO_FAR_AHEAD_SAMPLES)) return
    if (behind > (quiet ? STRAY_SAMPLES : TOO_FAR_BEHIND_SAMPLES)) this.silence(behind)
    this.concealment.hear(samples)
    this.append(samples)
  }

  /** Before the packet that came now, `missing` samples were lost on the way (`lost`), or were never sent. */
  gap(missing: number, lost: boolean, now: number): void {
    const room = this.behind(now) - toSamples(this.packetMs)
    const conceal = Math.min(LEAST_CONCEALED_SAMPLES, room + TOO_FAR_AHEAD_SAMPLES)
    const count = Math.min(missing - this.starved, lost ? Math.max(room, conceal) : room)
    this.starved = 0
    if (count <= 0) return
    if (lost) this.append(this.concealment.fill(count))
    else this.silence(count)
  }

  /** Time passed: fills with silence what nobody sends. The frame that may still be under way is left open. */
  tick(now: number): void {
    if (now - this.lastSoundAt <= STARVED_MS + this.packetMs) return
    const frames = Math.floor(this.behind(now) / FRAME_SAMPLES) - 1
    if (frames <= 0) return
    this.silence(frames * FRAME_SAMPLES)
    this.starved += frames * FRAME_SAMPLES
  }

  private behind(now: number): number {
    return toSamples(now - (this.startedAt ?? now)) - this.written
  }

  private silence(count: number): void {
    this.append(new Int16Array(count))
  }

  private append(samples: Int16Array): void {
    for (let at = 0; at < samples.length; at += FRAME_SAMPLES)
      this.write(samples.subarray(at, at + FRAME_SAMPLES))
    this.written += samples.length
  }
}
