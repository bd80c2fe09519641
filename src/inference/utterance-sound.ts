import { toSamples } from '../core/pcm.ts'
import { resample } from '../core/resample.ts'
import { Ring } from '../core/ring.ts'

/**
 * Heard before `from` too: speech is told when a vowel is in sight, and "th" or "f" before it would be cut off. Not
 * longer than the shortest pause, so that no word of the speech before is heard again.
 */
const LEAD_MS = 100

/** The sound of an utterance as a recogniser wants it. Takes tens of milliseconds: for a worker. */
export function utteranceSound(o: {
  ears: SharedArrayBuffer
  from: number
  to: number
  rateHz: number
}): Int16Array {
  if (o.to <= o.from) return new Int16Array(0)
  const ring = new Ring(o.ears)
  const sound = ring.read(o.from - toSamples(LEAD_MS, ring.rateHz), o.to)
  return resample(sound, ring.rateHz, o.rateHz)
}
