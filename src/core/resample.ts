/** Input samples that one output sample is made of, at the lower of the two rates. */
const TAPS = 64
/** How far images and aliases are pushed down. */
const STOP_BAND_DB = 96

/** The coefficients of each of `up` phases, TAPS × max(1, down / up) long. */
interface Filter {
  up: number
  down: number
  half: number
  phases: readonly Float64Array[]
}

const filters = new Map<string, Filter>()

/**
 * Changes the sample rate of a stream of 16-bit mono samples: a polyphase FIR filter under a Kaiser window.
 * Any two whole rates; state is carried from piece to piece, so that the pieces join without a seam. Output sample
 * m stands for the moment of input sample m × from / to; it comes once the filter has seen 32 samples of the lower rate
 * (4 ms of 8 kHz) past that moment.
 */
export class Resampler {
  private readonly filter: Filter
  private pending: Int16Array
  /** Where the next output sample stands: whole part in `pending`, and the phase between two input samples. */
  private at: number
  private phase = 0
  private taken = 0
  private given = 0

  constructor(fromHz: number, toHz: number) {
    this.filter = filterFor(fromHz, toHz)
    this.at = this.filter.half - 1
    this.pending = new Int16Array(this.at)
  }

  /** So many input samples have to come before the first output does. */
  get delay(): number {
    return this.filter.half
  }

  /** The output that became complete with this input. */
  push(samples: Int16Array): Int16Array {
    this.taken += samples.length
    return this.run(samples, Number.POSITIVE_INFINITY)
  }

  /** The rest of the output, as if silence followed. In all, ceil(input × to / from) samples came. Starts anew. */
  flush(): Int16Array {
    const { up, down, half } = this.filter
    const total = Math.ceil((this.taken * up) / down)
    const rest = this.run(new Int16Array(half + Math.ceil(down / up)), total - this.given)
    this.at = half - 1
    this.pending = new Int16Array(this.at)
    this.phase = 0
    this.taken = 0
    this.given = 0
    return rest
  }

  private run(samples: Int16Array, most: number): Int16Array {
    const { up, down, half, phases } = this.filter
    const input = new Int16Array(this.pending.length + samples.length)
    input.set(this.pending)
    input.set(samples, this.pending.length)
    const ready = Math.ceil(((input.length - half - this.at) * up - this.phase) / down)
    const out = new Int16Array(Math.max(0, Math.min(ready, most)))
    for (let n = 0; n < out.length; n++) {
      out[n] = convolve(input, this.at - half + 1, phases[this.phase] as Float64Array)
      this.phase += down
      this.at += Math.floor(this.phase / up)
      this.phase %= up
    }
    const keepFrom = Math.min(this.at - half + 1, input.length)
    this.pending = input.slice(keepFrom)
    this.at -= keepFrom
    this.given += out.length
    return out
  }
}

/** A whole clip at another rate; `samples` itself where the rates are the same. */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples
  const resampler = new Resampler(fromHz, toHz)
  const head = resampler.push(samples)
  const tail = resampler.flush()
  const out = new Int16Array(head.length + tail.length)
  out.set(head)
  out.set(tail, head.length)
  return out
}

function convolve(input: Int16Array, from: number, taps: Float64Array): number {
  let sum = 0
  for (let j = 0; j < taps.length; j++) sum += (input[from + j] as number) * (taps[j] as number)
  return Math.max(-32768, Math.min(32767, Math.round(sum)))
}

function filterFor(fromHz: number, toHz: number): Filter {
  const key = `${fromHz}:${toHz}`
  const known = filters.get(key)
  if (known) return known
  const made = design(fromHz, toHz)
  filters.set(key, made)
  return made
}

function design(fromHz: number, toHz: number): Filter {
  if (!(Number.isInteger(fromHz) && Number.isInteger(toHz) && fromHz > 0 && toHz > 0))
    throw new RangeError(`resampling ${fromHz} Hz to ${toHz} Hz: rates are whole numbers above 0`)
  const divisor = gcd(fromHz, toHz)
  const up = toHz / divisor
  const down = fromHz / divisor
  if (up === 1 && down === 1) return { up, down, half: 1, phases: [Float64Array.of(1, 0)] }
  const half = Math.ceil((TAPS / 2) * Math.max(1, down / up))
  // Kaiser's estimates for a stop band of A dB: window shape, and the width that the transition takes.
  const beta = 0.1102 * (STOP_BAND_DB - 8.7)
  const width = (STOP_BAND_DB - 7.95) / (2.285 * 2 * Math.PI * (2 * half))
  // In cycles per input sample; the stop band begins at half of the lower rate.
  const cutoff = 0.5 * Math.min(1, up / down) - width / 2
  const phases = Array.from({ length: up }, (_, phase) => phaseTaps(phase / up, half, cutoff, beta))
  return { up, down, half, phases }
}

/** The taps for an output that stands `fraction` of an input sample after an input sample; they sum to 1. */
function phaseTaps(fraction: number, half: number, cutoff: number, beta: number): Float64Array {
  const taps = new Float64Array(2 * half)
  let sum = 0
  for (let j = 0; j < taps.length; j++) {
    const distance = fraction + half - 1 - j
    const window = bessel0(beta * Math.sqrt(Math.max(0, 1 - (distance / half) ** 2)))
    const tap = sinc(2 * cutoff * distance) * window
    taps[j] = tap
    sum += tap
  }
  return taps.map((tap) => tap / sum)
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** The modified Bessel function of the first kind, order 0, by its power series. */
function bessel0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
