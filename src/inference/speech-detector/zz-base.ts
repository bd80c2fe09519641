import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'

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

/** One stream of sound through Silero VAD (version 6): windows in, the probability of speech in each out. */
export class SileroStream {
  private readonly session: Session
  private readonly samples = new Float32Array(CONTEXT_SAMPLES + WINDOW_SAMPLES)
  private readonly input = new Tensor('float32', this.samples, [1, this.samples.length])
  private readonly rate = new Tensor('int64', BigInt64Array.of(BigInt(WINDOW_RATE_HZ)), [])
  private state = new Tensor('float32', new Float32Array(2 * 128), STATE_SHAPE)

  constructor(session: Session) {
    this.session = session
  }

  /** The probability, 0 to 1, that the next WINDOW_SAMPLES samples at 8 kHz hold speech. Takes about 0.1 ms. */
  push(window: Int16Array): number {
    this.samples.copyWithin(0, WINDOW_SAMPLES)
    for (let i = 0; i < WINDOW_SAMPLES; i++)
      this.samples[CONTEXT_SAMPLES + i] = (window[i] ?? 0) / 32768
    const { output, stateN } = this.session.run({
      input: this.input,
      state: this.state,
      sr: this.rate,
    })
    if (!output || !stateN) throw new Error('silero_vad.onnx gives no output and stateN')
    this.state = stateN as typeof this.state
    return Number(output.data[0])
  }
}
