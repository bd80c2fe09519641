import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'
import { END_PROBABILITY } from './detector.ts'

/** Silero's window at 8 kHz: 32 ms. */
export const WINDOW_SAMPLES = 256
export const WINDOW_RATE_HZ = 8000
/**
 * How much longer than the voice Silero reports speech: 68 ms in the median of synthetic speech over a real call, taken
 * as two windows. Whoever waits for the end of a turn waits from the voice's end.
 */
export const SILERO_LAG_SAMPLES = 2 * WINDOW_SAMPLES
/** Each window is read behind the last samples of the one before it. */
const CONTEXT_SAMPLES = 32
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

/** One stream of sound through Silero VAD (version 6): windows in, the probability of speech in each out. */
export class SileroStream {
  private readonly session: Session
  private readonly samples = new Float32Array(CONTEXT_SAMPLES + WINDOW_SAMPLES)
  private readonly input = new Tensor('float32', this.samples, [1, this.samples.length])
  private readonly rate = new Tensor('int64', BigInt64Array.of(BigInt(WINDOW_RATE_HZ)), [])
  private state = new Tensor('float32', new Float32Array(2 * 128), STATE_SHAPE)
  private quietWindows = 0
  private quietState = this.state

  constructor(session: Session) {
    this.session = session
  }

  /** The probability, 0 to 1, that the next WINDOW_SAMPLES samples at 8 kHz hold speech. Takes about 0.1 ms. */
  push(window: Int16Array): number {
    this.samples.copyWithin(0, WINDOW_SAMPLES)
    for (let i = 0; i < WINDOW_SAMPLES; i++)
      this.samples[CONTEXT_SAMPLES + i] = (window[i] ?? 0) / 32768 + (FLOOR[i] ?? 0)
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

/** One window of white noise of the amplitude `level`. */
function noiseFloor(level: number): Float32Array {
  let seed = 1
  return Float32Array.from({ length: WINDOW_SAMPLES }, () => {
    // A linear congruential generator (Numerical Recipes' constants): any noise does.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return (seed / 2 ** 31 - 1) * level
  })
}
