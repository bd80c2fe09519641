import { createPowerSpectrum } from './fourier.ts'

/** What Whisper hears: 16 kHz, a spectrum of 25 ms every 10 ms. */
export const WHISPER_RATE_HZ = 16_000
export const HOP_SAMPLES = 160
const FFT_SAMPLES = 400
const BINS = FFT_SAMPLES / 2 + 1
/** Power below this counts as this; log10 of it is the floor. */
const LEAST_POWER = 1e-10
/** Nothing is quieter than this below the loudest value, in powers of ten. */
const RANGE = 8

type Sound = Int16Array | Float32Array

/** The part of a mel band that is not zero: weights from bin `first` on. */
interface Band {
  first: number
  weights: Float64Array
}

/** Log-mel features as Whisper was trained on, for models of `bands` mel bands (80, or 128 for large-v3). */
export class LogMel {
  readonly bands: number
  private readonly filters: readonly Band[]
  private readonly power = createPowerSpectrum(FFT_SAMPLES)
  private readonly windowed = new Float64Array(FFT_SAMPLES)
  private readonly spectrum = new Float64Array(BINS)
  // A periodic Hann window, as torch.hann_window makes it.
  private readonly hann = Float64Array.from(
    { length: FFT_SAMPLES },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FFT_SAMPLES),
  )

  constructor(bands: number) {
    this.bands = bands
    this.filters = melFilters(bands).map(cutZeros)
  }

  /**
   * Features [bands × frames] of samples at 16 kHz, 16-bit ones or fractions, in a window of `frames` × 10 ms: zeros follow the samples
   * up to its end, samples past it are not heard. At the edges the sound is mirrored, as Whisper's padding does.
   * `memory` is of the same sound as far as it was there before: what it holds is not computed again.
   */
  compute(samples: Sound, frames: number, memory: MelMemory = new MelMemory()): Float32Array {
    const { bands } = this
    const heard = mirrorEdges(samples, frames * HOP_SAMPLES)
    const out = new Float32Array(bands * frames).fill(Math.log10(LEAST_POWER))
    const used = Math.min(frames, Math.ceil((samples.length + FFT_SAMPLES / 2) / HOP_SAMPLES))
    // Frames that reach past the samples, or past the window, hear zeros or a mirror.
    const lasting = Math.min(lastingFrames(samples.length), lastingFrames(frames * HOP_SAMPLES))
    for (let frame = 0; frame < used; frame++) {
      const known = frame < lasting ? memory.frames[frame] : undefined
      const column = known ?? this.frame(heard, frame)
      if (frame < lasting) memory.frames[frame] = column
      for (let band = 0; band < bands; band++) out[band * frames + frame] = column[band] as number
    }
    return compress(out)
  }

  /** The logarithm of a frame's energy in each band. */
  private frame(heard: Float64Array, frame: number): Float32Array {
    for (let i = 0; i < FFT_SAMPLES; i++)
      this.windowed[i] = (heard[frame * HOP_SAMPLES + i] as number) * (this.hann[i] as number)
    this.power(this.windowed, this.spectrum)
    return Float32Array.from(this.filters, (filter) =>
      Math.log10(Math.max(LEAST_POWER, weigh(filter, this.spectrum))),
    )
  }
}

/** What was computed of a sound that goes on: frames that stay as they are whatever follows. */
export class MelMemory {
  readonly frames: Float32Array[] = []
}

/** The last samples of a sound that goes on change when more of it is resampled: these are more than those. */
const UNSETTLED_SAMPLES = 160

function lastingFrames(samples: number): number {
  return Math.max(0, Math.floor((samples - UNSETTLED_SAMPLES - FFT_SAMPLES / 2) / HOP_SAMPLES) + 1)
}

/** Mel filters [band][bin] on Slaney's scale (linear to 1 kHz, then logarithmic), each of the same area. */
export function melFilters(bands: number): Float64Array[] {
  const highest = toMel(WHISPER_RATE_HZ / 2)
  const edges = Array.from({ length: bands + 2 }, (_, i) => toHz((highest * i) / (bands + 1)))
  return Array.from({ length: bands }, (_, band) => {
    const [low, middle, high] = edges.slice(band, band + 3) as [number, number, number]
    return Float64Array.from({ length: BINS }, (_, bin) => {
      const hz = (bin * WHISPER_RATE_HZ) / FFT_SAMPLES
      const rise = (hz - low) / (middle - low)
      const fall = (high - hz) / (high - middle)
      return (2 / (high - low)) * Math.max(0, Math.min(rise, fall))
    })
  })
}

const LINEAR_TO_HZ = 1000
const MELS_AT_1_KHZ = 15
const HZ_PER_MEL = LINEAR_TO_HZ / MELS_AT_1_KHZ
/** Above 1 kHz 27 mels are a factor of 6.4. */
const MELS_PER_E = 27 / Math.log(6.4)

function toMel(hz: number): number {
  return hz < LINEAR_TO_HZ
    ? hz / HZ_PER_MEL
    : MELS_AT_1_KHZ + MELS_PER_E * Math.log(hz / LINEAR_TO_HZ)
}

function toHz(mel: number): number {
  return mel < MELS_AT_1_KHZ
    ? mel * HZ_PER_MEL
    : LINEAR_TO_HZ * Math.exp((mel - MELS_AT_1_KHZ) / MELS_PER_E)
}

function cutZeros(filter: Float64Array): Band {
  const first = Math.max(
    0,
    filter.findIndex((weight) => weight > 0),
  )
  return { first, weights: filter.slice(first, filter.findLastIndex((weight) => weight > 0) + 1) }
}

function weigh({ first, weights }: Band, power: Float64Array): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++)
    sum += (weights[i] as number) * (power[first + i] as number)
  return sum
}

/** `length` samples as fractions, half a spectrum's width mirrored before and after them. */
function mirrorEdges(samples: Sound, length: number): Float64Array {
  const margin = FFT_SAMPLES / 2
  const out = new Float64Array(length + 2 * margin)
  const count = Math.min(samples.length, length)
  const one = samples instanceof Int16Array ? 32768 : 1
  for (let i = 0; i < count; i++) out[margin + i] = (samples[i] as number) / one
  for (let i = 1; i <= margin; i++) {
    out[margin - i] = out[margin + i] as number
    out[margin + length - 1 + i] = out[margin + length - 1 - i] as number
  }
  return out
}

function compress(values: Float32Array): Float32Array {
  let loudest = Number.NEGATIVE_INFINITY
  for (const value of values) if (value > loudest) loudest = value
  for (let i = 0; i < values.length; i++)
    values[i] = (Math.max(values[i] as number, loudest - RANGE) + 4) / 4
  return values
}
