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
const STATE_SHAPE = [2, 1, 128] as const
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

/** One stream of sound through Silero VAD (version 6): windows in, the probability of speech in each out. */
export class SileroStream {
  readonly windowSamples: number
  private readonly session: Session
  private readonly context: number
  private readonly samples: Float32Array
  private readonly input: Tensor
  private readonly rate: Tensor
  private state = new Tensor('float32', new Float32Array(2 * 128), STATE_SHAPE)
  private quietWindows = 0
  private quietState = this.state

  /** Throws a RangeError at a rate that Silero does not hear. */
  constructor(session: Session, rateHz: number) {
    this.session = session
    this.windowSamples = windowAt(rateHz)
    this.context = this.windowSamples / CONTEXT_PARTS
    this.samples = new Float32Array(this.context + this.windowSamples)
    this.input = new Tensor('float32', this.samples, [1, this.samples.length])
    this.rate = new Tensor('int64', BigInt64Array.of(BigInt(rateHz)), [])
  }

  /** The probability, 0 to 1, that the next `windowSamples` samples hold speech. Takes about 0.1 ms at 8 kHz. */
  push(window: Int16Array): number {
    const { context, windowSamples } = this
    this.samples.copyWithin(0, windowSamples)
    for (let i = 0; i < windowSamples; i++)
      this.samples[context + i] = (window[i] ?? 0) / 32768 + (FLOOR[i] ?? 0)
    const { output, stateN } = this.session.run({
      input: this.input,
      state: this.state,
      sr: this.rate,
    })
    if (!output || !stateN) throw new Error('silero_vad.onnx gives no output and stateN')
    const probability = Number(output.data[0])
    this.state = stateN as typeof this.state
    this.quietWindows = probability < END_PROBABILITY ? this.quietWindows + 1 : 0
    if (this.quietWindows === QUIET_WINDOWS) this.quietState = this.state
    if (this.quietWindows === 2 * QUIET_WINDOWS) {
      this.state = this.quietState
      this.quietWindows = QUIET_WINDOWS
    }
    return probability
  }
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
