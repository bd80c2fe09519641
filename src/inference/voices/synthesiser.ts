/** A loaded model of a voice. Its methods block their thread. */
export interface Synthesiser {
  /** Sound of one phrase of spoken text; empty when nothing of it can be said. Throws an Error of one sentence. */
  synthesise(text: string): { samples: Float32Array; rateHz: number }
}

/** A phrase is never longer than this; a model that gives more gives nonsense. */
export const MOST_SECONDS = 60

/** The sound among a model's outputs. Throws an Error that begins with `what` when it is none. */
export function soundOf(
  what: string,
  tensor: { data: unknown } | undefined,
  rateHz: number,
): Float32Array {
  const samples = tensor?.data
  if (!(samples instanceof Float32Array))
    throw new Error(`${what} gives no sound in 32-bit numbers: it is another kind of model`)
  return samples.subarray(0, MOST_SECONDS * rateHz)
}

/** 16-bit samples; what is no number is silence. */
export function toInt16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length)
  for (let i = 0; i < samples.length; i++) {
    const scaled = Math.round((samples[i] as number) * 32767)
    out[i] = Number.isNaN(scaled) ? 0 : Math.max(-32768, Math.min(32767, scaled))
  }
  return out
}
