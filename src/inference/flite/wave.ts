/** Sound as a WAV file holds it: 16-bit mono samples and their rate. */
export interface Wave {
  rateHz: number
  samples: Int16Array
}

const HEADER_BYTES = 44
/** Quieter than this (of 32768) is silence in a synthetic voice, which has no room noise. */
const SILENCE = 200

/** Reads the plain 16-bit mono PCM file that Flite writes; undefined for anything else. */
export function readWave(file: Uint8Array): Wave | undefined {
  if (file.length < HEADER_BYTES) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const tag = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4))
  const isPlain =
    tag(0) === 'RIFF' &&
    tag(8) === 'WAVE' &&
    tag(36) === 'data' &&
    view.getUint16(20, true) === 1 &&
    view.getUint16(22, true) === 1 &&
    view.getUint16(34, true) === 16
  const rateHz = view.getUint32(24, true)
  if (!isPlain || rateHz === 0) return undefined
  const samples = new Int16Array((file.length - HEADER_BYTES) >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(HEADER_BYTES + 2 * i, true)
  return { rateHz, samples }
}

/** The sound without the silence around it, less what `lead` and `trail` (in ms) leave; empty when all is silent. */
export function trimSilence(wave: Wave, o: { leadMs: number; trailMs: number }): Int16Array {
  const { samples, rateHz } = wave
  let first = 0
  while (first < samples.length && Math.abs(samples[first] as number) < SILENCE) first++
  if (first === samples.length) return new Int16Array(0)
  let last = samples.length - 1
  while (Math.abs(samples[last] as number) < SILENCE) last--
  const lead = Math.round((o.leadMs * rateHz) / 1000)
  const trail = Math.round((o.trailMs * rateHz) / 1000)
  return samples.subarray(Math.max(0, first - lead), last + 1 + trail)
}
