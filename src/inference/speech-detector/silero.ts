import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'

/** Silero's window, in samples at each of the two rates that it is trained for: 32 ms. */
export const WINDOW_SAMPLES: Readonly<Record<number, number>> = { 8000: 256, 16000: 512 }
/** Each window is read behind the last samples of the one before it: 4 ms. */
const CONTEXT_PARTS = 8
const STATE_SHAPE = [2, 1, 128] as const

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
    for (let i = 0; i < windowSamples; i++) this.samples[context + i] = (window[i] ?? 0) / 32768
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
