/**
 * How loud a stream of sound is against the voice in it and the noise under it: tells within a packet that a voice has
 * fallen silent, where a model needs some windows. No I/O, no clock.
 */
import { toSamples } from '../../core/pcm.ts'

const FRAME_MS = 10
/** A frame is loud against the voice's own level from −24 dB on: weak consonants are above, room and breath below. */
const OF_VOICE = 0.06
/** … and against the noise from 9.5 dB above it on. */
const OF_NOISE = 3
/** Nothing below −60 dB is loud: lines have noise of their own. */
const LEAST = 33
/** Up to 5 dB above the noise nobody speaks … */
const ASLEEP_OF_NOISE = 1.8
/** … where that is below −41 dB: on louder lines a voice may lie that near. */
const QUIET_LINE = 300
/** Where noise comes this near the voice, loudness tells nothing. */
const NOISY = 0.3
/** Per frame: the voice's level falls by 9 dB a second, the noise's rises by 3. */
const VOICE_DECAY = 0.99
const NOISE_RISE = 1.0035

export class Loudness {
  /** Where the last loud frame ended. */
  quietFrom: number
  /** Where the last frame ended in which somebody might have spoken, however softly. */
  awakeUntil: number
  /** How much of what came last was loud without a break, in samples. */
  loudFor = 0
  /** Up to where it has judged: whole frames. */
  at: number
  private readonly frame: number
  private readonly pending: Int16Array
  private filled = 0
  private voice = 0
  private noise = Number.POSITIVE_INFINITY

  constructor(o: { rateHz: number; at: number }) {
    this.at = o.at
    this.quietFrom = o.at
    this.awakeUntil = o.at
    this.frame = toSamples(FRAME_MS, o.rateHz)
    this.pending = new Int16Array(this.frame)
  }

  /** Takes the next samples, any number. */
  push(samples: Int16Array): void {
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + this.frame - this.filled)
      this.pending.set(part, this.filled)
      this.filled += part.length
      from += part.length
      if (this.filled === this.frame) this.judge()
    }
  }

  /** Where the next samples begin. */
  get heardTo(): number {
    return this.at + this.filled
  }

  /** How long it has been quiet, in samples; 0 where noise hides it. */
  get quietFor(): number {
    return this.isNoisy ? 0 : this.at - this.quietFrom
  }

  private get isNoisy(): boolean {
    return this.noise * OF_NOISE > this.voice * NOISY
  }

  private judge(): void {
    let sum = 0
    for (const sample of this.pending) sum += sample * sample
    const rms = Math.sqrt(sum / this.frame)
    this.filled = 0
    this.at += this.frame
    this.voice = Math.max(rms, this.voice * VOICE_DECAY)
    this.noise = Math.min(rms, Math.max(this.noise, 1) * NOISE_RISE)
    const loud = rms > Math.max(LEAST, this.voice * OF_VOICE, this.noise * OF_NOISE)
    const asleep = this.noise < QUIET_LINE && rms <= Math.max(LEAST, this.noise * ASLEEP_OF_NOISE)
    if (!asleep) this.awakeUntil = this.at
    this.loudFor = loud ? this.loudFor + this.frame : 0
    if (loud) this.quietFrom = this.at
  }
}
