/** Sounds that are no speech, made by arithmetic: the tones of machines, and music on hold. */
import { sharedSamples, toSamples } from '../core/pcm.ts'

type Clip = Int16Array<SharedArrayBuffer>

const TONE_AMPLITUDE = 8000
/** So that a tone does not begin and end with a click. */
const RAMP_MS = 5

/** A pure tone: a beep at 1000 Hz, the answer of a fax (ITU-T T.30: CED) at 2100 Hz, its call (CNG) at 1100 Hz. */
export function tone(o: { hz: number; ms: number; rateHz: number }): Clip {
  const clip = sharedSamples(toSamples(o.ms, o.rateHz))
  const ramp = toSamples(RAMP_MS, o.rateHz)
  for (let n = 0; n < clip.length; n++) {
    const envelope = Math.min(1, (n + 1) / ramp, (clip.length - n) / ramp)
    clip[n] = TONE_AMPLITUDE * envelope * Math.sin((2 * Math.PI * o.hz * n) / o.rateHz)
  }
  return clip
}

/** C, A minor, F, G: four notes each, as frequencies. */
const CHORDS = [
  [130.81, 261.63, 329.63, 392.0],
  [110.0, 220.0, 261.63, 329.63],
  [87.31, 220.0, 261.63, 349.23],
  [98.0, 196.0, 246.94, 293.66],
]
const CHORD_MS = 1600
const NOTES_A_CHORD = 8
const NOTE_AMPLITUDE = 2200
/** Loudness of a note's overtones, the fundamental first. */
const OVERTONES = [1, 0.45, 0.2, 0.08]
const DECAY_MS = 450

/** Music on hold: broken chords over their bass, on and on. */
export function music(o: { ms: number; rateHz: number }): Clip {
  const clip = sharedSamples(toSamples(o.ms, o.rateHz))
  const noteMs = CHORD_MS / NOTES_A_CHORD
  for (let i = 0; i * noteMs < o.ms; i++) {
    const chord = CHORDS[Math.floor(i / NOTES_A_CHORD) % CHORDS.length] ?? []
    const from = toSamples(i * noteMs, o.rateHz)
    if (i % NOTES_A_CHORD === 0) pluck(clip, from, { hz: chord[0] ?? 0, ...o })
    pluck(clip, from, { hz: chord[1 + (i % 3)] ?? 0, ...o })
  }
  return clip
}

/** Adds a plucked note that fades away. */
function pluck(clip: Clip, from: number, { hz, rateHz }: { hz: number; rateHz: number }): void {
  const length = Math.min(toSamples(DECAY_MS * 3, rateHz), clip.length - from)
  for (let n = 0; n < length; n++) {
    const seconds = n / rateHz
    const envelope =
      Math.min(1, (seconds * 1000) / RAMP_MS) * Math.exp((-1000 * seconds) / DECAY_MS)
    let value = 0
    for (const [i, weight] of OVERTONES.entries())
      value += weight * Math.sin(2 * Math.PI * hz * (i + 1) * seconds)
    clip[from + n] = (clip[from + n] ?? 0) + NOTE_AMPLITUDE * envelope * value
  }
}
