import { LogMel, WHISPER_RATE_HZ } from '../whisper/mel.ts'

/** What Smart Turn hears: the last 8 s, as Whisper's features. */
export const TURN_SECONDS = 8
export const TURN_BANDS = 80
export const TURN_FRAMES = TURN_SECONDS * 100
const TURN_SAMPLES = TURN_SECONDS * WHISPER_RATE_HZ
/** Keeps silence finite: Whisper's own extractor adds as much to the variance. */
const LEAST_VARIANCE = 1e-7

/**
 * Features [80 × 800] of 16-bit samples at 16 kHz, as Smart Turn was trained on them: the last 8 s, with zeros before
 * what is shorter, all of it (the zeros too) at mean 0 and variance 1, then Whisper's log-mel.
 */
export function createTurnFeatures(): (samples: Int16Array) => Float32Array {
  const mel = new LogMel(TURN_BANDS)
  return (samples) => mel.compute(turnWindow(samples), TURN_FRAMES)
}

/** The 8 s that end with the samples, at mean 0 and variance 1. */
export function turnWindow(samples: Int16Array): Float32Array {
  const sound = samples.subarray(Math.max(0, samples.length - TURN_SAMPLES))
  let sum = 0
  let squares = 0
  for (const sample of sound) {
    const fraction = sample / 32768
    sum += fraction
    squares += fraction * fraction
  }
  const mean = sum / TURN_SAMPLES
  const variance = Math.max(0, squares / TURN_SAMPLES - mean * mean)
  const scale = 1 / Math.sqrt(variance + LEAST_VARIANCE)
  const out = new Float32Array(TURN_SAMPLES).fill(-mean * scale)
  const start = TURN_SAMPLES - sound.length
  for (let i = 0; i < sound.length; i++)
    out[start + i] = ((sound[i] as number) / 32768 - mean) * scale
  return out
}
