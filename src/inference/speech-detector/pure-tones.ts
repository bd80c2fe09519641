/**
 * Finds pure tones: the beep of a voicemail, the tones of a fax. A tone is told when it is over and silence follows it:
 * music and a whistling voice go on. No I/O, no clock.
 */
import { toSamples } from '../../core/pcm.ts'

const FRAME_MS = 20
/** Louder than −46 dB. */
const LEAST_RMS = 164
/** What a resonator of two taps leaves of a pure tone, against the whole. */
const MAX_REST = 0.05
/** So much of the energy lies at the one frequency: of two notes at once, or of a voice, less does. */
const MIN_SHARE = 0.85
/** A beep stays where it is; a voice does not. */
const MAX_DRIFT_HZ = 25
/** A phase reversal (ITU-T V.25 makes one each 450 ms) spoils a frame or two. */
const MAX_GAP_FRAMES = 2
const MIN_TONE_FRAMES = 9
/** So many frames of silence, each this much below the tone, end it. */
const SILENT_FRAMES = 3
const SILENT_SHARE = 0.1
const LOWEST_HZ = 390
const HIGHEST_HZ = 2300

export interface Tone {
  /** Samples. */
  from: number
  to: number
  hz: number
  /** Up to where it was listened to know it. */
  at: number
}

interface Run {
  from: number
  to: number
  hz: number
  rms: number
  frames: number
  gap: number
}

export class PureTones {
  private readonly rateHz: number
  private readonly frame: Int16Array
  private filled = 0
  private at: number
  private run: Run | null = null
  private silent = 0

  constructor(o: { rateHz: number; at: number }) {
    this.rateHz = o.rateHz
    this.at = o.at
    this.frame = new Int16Array(toSamples(FRAME_MS, o.rateHz))
  }

  /** Takes the next samples, any number; returns the tones that are over by them. */
  push(samples: Int16Array): Tone[] {
    const tones: Tone[] = []
    for (let from = 0; from < samples.length; ) {
      const part = samples.subarray(from, from + this.frame.length - this.filled)
      this.frame.set(part, this.filled)
      this.filled += part.length
      from += part.length
      if (this.filled < this.frame.length) continue
      this.filled = 0
      this.at += this.frame.length
      const tone = this.judge()
      if (tone) tones.push(tone)
    }
    return tones
  }

  private judge(): Tone | null {
    const rms = rmsOf(this.frame)
    const hz = rms < LEAST_RMS ? null : pureHz(this.frame, this.rateHz)
    const { run } = this
    if (hz !== null && run && Math.abs(hz - run.hz) <= MAX_DRIFT_HZ) this.goOn(run, hz, rms)
    else if (hz !== null) this.begin(hz, rms)
    else if (run) return this.pause(run, rms)
    return null
  }

  private begin(hz: number, rms: number): void {
    this.silent = 0
    const from = this.at - this.frame.length
    this.run = { from, to: this.at, hz, rms, frames: 1, gap: 0 }
  }

  private goOn(run: Run, hz: number, rms: number): void {
    this.silent = 0
    run.frames++
    run.gap = 0
    run.to = this.at
    run.hz += (hz - run.hz) / run.frames
    run.rms = Math.max(run.rms, rms)
  }

  /** A frame that is no tone: silence ends one, anything else for longer than a reversal shows that it was none. */
  private pause(run: Run, rms: number): Tone | null {
    this.silent = rms < run.rms * SILENT_SHARE ? this.silent + 1 : 0
    run.gap++
    if (this.silent === SILENT_FRAMES) {
      this.run = null
      const { from, to, hz, frames } = run
      return frames < MIN_TONE_FRAMES ? null : { from, to, hz: Math.round(hz), at: this.at }
    }
    if (this.silent === 0 && run.gap > MAX_GAP_FRAMES) this.run = null
    return null
  }
}

function rmsOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return Math.sqrt(sum / samples.length)
}

/** The frequency of a frame that is one tone; null when it is not. */
function pureHz(x: Int16Array, rateHz: number): number | null {
  // A sinusoid obeys x[n] + x[n-2] = a x[n-1], a = 2 cos(w): `a` by least squares, and how well it fits.
  let cross = 0
  let power = 0
  for (let n = 2; n < x.length; n++) {
    const middle = x[n - 1] as number
    cross += middle * ((x[n] as number) + (x[n - 2] as number))
    power += middle * middle
  }
  const a = power === 0 ? 2 : cross / power
  if (Math.abs(a) >= 2) return null
  let rest = 0
  for (let n = 2; n < x.length; n++)
    rest += ((x[n] as number) + (x[n - 2] as number) - a * (x[n - 1] as number)) ** 2
  const hz = (Math.acos(a / 2) * rateHz) / (2 * Math.PI)
  if (rest > MAX_REST * power || hz < LOWEST_HZ || hz > HIGHEST_HZ) return null
  return shareAt(x, a) >= MIN_SHARE ? hz : null
}

/** How much of the energy of a frame lies at the frequency whose 2 cos(w) is `a` (Goertzel). */
function shareAt(x: Int16Array, a: number): number {
  let one = 0
  let two = 0
  let power = 0
  for (const sample of x) {
    const next = sample + a * one - two
    two = one
    one = next
    power += sample * sample
  }
  return (2 * (one * one + two * two - a * one * two)) / (x.length * power)
}
