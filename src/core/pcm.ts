/** Sound inside Landline: signed 16-bit mono samples. The telephone's rate is 8 kHz. */
export const TELEPHONE_RATE_HZ = 8000
/** One frame is 20 ms. */
export const FRAME_MS = 20
export const FRAME_SAMPLES = (TELEPHONE_RATE_HZ * FRAME_MS) / 1000

export function toMs(samples: number, rateHz = TELEPHONE_RATE_HZ): number {
  return (samples * 1000) / rateHz
}

export function toSamples(ms: number, rateHz = TELEPHONE_RATE_HZ): number {
  return Math.round((ms * rateHz) / 1000)
}

/** Samples in memory that threads share, so that a clip travels as a handle. */
export function sharedSamples(count: number): Int16Array<SharedArrayBuffer> {
  return new Int16Array(new SharedArrayBuffer(count * 2))
}

/** Root mean square of 16-bit samples, 0 to 32768. */
export function rms(samples: Int16Array): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum += (samples[i] as number) ** 2
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length)
}
