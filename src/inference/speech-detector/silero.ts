import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'
import { END_PROBABILITY } from './detector.ts'

/** Silero's window, in samples at each of the two rates that it is trained for: 32 ms. */
export const WINDOW_SAMPLES: Readonly<Record<number, number>> = { 8000: 256, 16000: 512 }
/**
 * How much longer than the voice Silero reports speech: 68 ms in the median of synthetic speech over a real call, taken
 * as two windows. Whoever waits for the end of a turn waits from the voice's end.
 */
export const SILERO_LAG_WINDOWS = 2
/** Each window is read behind the last samples of the one before it: 4 ms. */
const CONTEXT_PARTS = 8
const LAYERS = 2
const UNITS = 128
/**
 * A long silence makes the model slow to hear the next word. Its state is kept as it is after so many windows of silence
 * (320 ms), and it goes back to that state after as many again, for as long as it is silent.
 */
const QUIET_WINDOWS = 10
/**
 * Noise of 16 steps (−66 dB) under all that is heard: telephones that send nothing but zeros between words are not what
 * Silero was trained on, and the first sounds after them would be missed. The same noise every time.
 */
const FLOOR = noiseFloor(16 / 32768)

/** The length of a window at `rateHz`. Throws a RangeError at a rate that Silero does not hear. */
export function windowAt(rateHz: number): number {
  const samples = WINDOW_SAMPLES[rateHz]
  if (samples === undefined)
    throw new RangeError(`the speech detector hears 8000 or 16000 Hz, not ${rateHz}`)
  return samples
}

/**
 * One stream of sound through Silero VAD (version 6): windows in, the probability of speech in each out. A window is
 * loaded and then run, alone (`push`) or together with those of other streams (`runTogether`).
 */
export class SileroStream {
  readonly rateHz: number
  readonly windowSamples: number
  /** The window behind its context, as the model wants it. */
  readonly samples: Float32Array
  /** What the model remembers: two layers of it. */
  state: Float32Array = new Float32Array(LAYERS * UNITS)
  private readonly session: Session
  private readonly context: number
  private quietWindows = 0
  private quietState = this.state

  /** Throws a RangeError at a rate that Silero does not hear. */
  constructor(session: Session, rateHz: number) {
    this.session = session
    this.rateHz = rateHz
    this.windowSamples = windowAt(rateHz)
    this.context = this.windowSamples / CONTEXT_PARTS
    this.samples = new Float32Array(this.context + this.windowSamples)
  }

  /** Loads the next `windowSamples` samples. One that is loaded and not run is only what the next one is heard behind. */
  load(window: Int16Array): void {
    const { context, windowSamples } = this
    this.samples.copyWithin(0, windowSamples)
    for (let i = 0; i < windowSamples; i++)
      this.samples[context + i] = (window[i] ?? 0) / 32768 + (FLOOR[i] ?? 0)
  }

  /** True once it has been silent for so long that more silence would change nothing. */
  get settled(): boolean {
    return this.quietWindows >= QUIET_WINDOWS
  }

  /** Takes the loaded window for silence, unheard: the model stays as it was early in it. */
  rest(): void {
    this.state = this.quietState
  }

  /** The probability, 0 to 1, that the next `windowSamples` samples hold speech. Takes about 0.1 ms at 8 kHz. */
  push(window: Int16Array): number {
    this.load(window)
    return runTogether(this.session, [this])[0] ?? 0
  }

  /** Takes what the model made of the loaded window. */
  take(probability: number, state: Float32Array): void {
    this.state = state
    this.quietWindows = probability < END_PROBABILITY ? this.quietWindows + 1 : 0
    if (this.quietWindows === QUIET_WINDOWS) this.quietState = this.state
    if (this.quietWindows === 2 * QUIET_WINDOWS) {
      this.state = this.quietState
      this.quietWindows = QUIET_WINDOWS
    }
  }
}

/**
 * Runs the loaded windows of streams of one rate, as one batch: a run costs as much again as each window in it. Returns
 * their probabilities, in order.
 */
export function runTogether(session: Session, streams: readonly SileroStream[]): number[] {
  const [first] = streams
  if (!first) return []
  const count = streams.length
  const input = new Float32Array(count * first.samples.length)
  const states = new Float32Array(LAYERS * count * UNITS)
  for (const [n, { samples, state }] of streams.entries()) {
    input.set(samples, n * samples.length)
    for (let layer = 0; layer < LAYERS; layer++)
      states.set(state.subarray(layer * UNITS, (layer + 1) * UNITS), (layer * count + n) * UNITS)
  }
  const { output, stateN } = session.run({
    input: new Tensor('float32', input, [count, first.samples.length]),
    state: new Tensor('float32', states, [LAYERS, count, UNITS]),
    sr: new Tensor('int64', BigInt64Array.of(BigInt(first.rateHz)), []),
  })
  if (!output || !stateN) throw new Error('silero_vad.onnx gives no output and stateN')
  return streams.map((stream, n) => {
    const probability = Number(output.data[n])
    stream.take(probability, stateOf(stateN.data as Float32Array, n, count))
    return probability
  })
}

function stateOf(states: Float32Array, n: number, count: number): Float32Array {
  const state = new Float32Array(LAYERS * UNITS)
  for (let layer = 0; layer < LAYERS; layer++) {
    const from = (layer * count + n) * UNITS
    state.set(states.subarray(from, from + UNITS), layer * UNITS)
  }
  return state
}

/** White noise of the amplitude `level`, as long as the longest window; a shorter one takes its beginning. */
function noiseFloor(level: number): Float32Array {
  let seed = 1
  return Float32Array.from({ length: windowAt(16_000) }, () => {
    // A linear congruential generator (Numerical Recipes' constants): any noise does.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return (seed / 2 ** 31 - 1) * level
  })
}
