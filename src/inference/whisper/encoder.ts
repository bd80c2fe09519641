import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'
import { HOP_SAMPLES, LogMel, type MelMemory } from './mel.ts'
import { nameOfFile, type WhisperFiles } from './model-files.ts'
import { floatTypeOf, toFloatType } from './tensors.ts'

/** Frames of silence behind the speech in a cut window: 0.3 s, so that the last word has an end. */
const TAIL_FRAMES = 30
/** The window tried to learn whether a model takes any: 1 s. */
const TRIAL_FRAMES = 100

export interface Encoder {
  /** Hidden states of at most `longestSamples` samples at 16 kHz; `memory` is of the same sound, shorter or longer. */
  encode(samples: Int16Array, memory?: MelMemory): Tensor
  readonly longestSamples: number
  /** Whether the window is cut to the speech; else every run costs as much as the longest. */
  readonly isCut: boolean
}

/**
 * Whisper's encoder. Half of its cost on a CPU is padding, so the window is cut to the speech where the model's export
 * allows that; where it wants its whole window (30 s), it gets it. Throws an Error when the file is no Whisper encoder.
 */
export function createEncoder(session: Session, files: WhisperFiles): Encoder {
  const { settings } = files
  const mel = new LogMel(settings.melBands)
  const whole = 2 * settings.sourcePositions
  const type = floatTypeOf(session, 'input_features')
  const run = (samples: Int16Array, frames: number, memory?: MelMemory): Tensor => {
    const values = mel.compute(samples, frames, memory)
    const features = toFloatType(
      new Tensor('float32', values, [1, settings.melBands, frames]),
      type,
    )
    const hidden = session.run({ input_features: features }).last_hidden_state
    if (hidden?.dims[1] !== frames / 2 || hidden.dims[2] !== settings.modelSize)
      throw new Error(`${nameOf(files)} gives ${hidden?.dims.join('×')}, not Whisper's shape`)
    return hidden
  }
  checkSignature(session, files)
  const isCut = whole > TRIAL_FRAMES && takes(() => run(new Int16Array(0), TRIAL_FRAMES))
  if (!isCut) run(new Int16Array(0), whole)
  const longestSamples = (whole - (isCut ? TAIL_FRAMES : 0)) * HOP_SAMPLES
  return {
    longestSamples,
    isCut,
    encode(samples, memory) {
      const frames = Math.ceil(samples.length / HOP_SAMPLES) + TAIL_FRAMES
      return run(samples, isCut ? Math.min(whole, frames + (frames % 2)) : whole, memory)
    },
  }
}

function takes(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}

function checkSignature(session: Session, files: WhisperFiles): void {
  const [input] = session.inputs
  if (session.inputs.length !== 1 || input?.name !== 'input_features')
    throw new Error(`${nameOf(files)} is no Whisper encoder: its input is not input_features`)
  if (!session.outputs.some(({ name }) => name === 'last_hidden_state'))
    throw new Error(`${nameOf(files)} is no Whisper encoder: it has no output last_hidden_state`)
  const bands = input.shape[1]
  if (typeof bands === 'number' && bands !== files.settings.melBands)
    throw new Error(
      `${nameOf(files)} takes ${bands} mel bands, config.json says ${files.settings.melBands}`,
    )
}

function nameOf({ encoder, where }: WhisperFiles): string {
  return nameOfFile(encoder, `${where}/onnx/encoder_model.onnx`)
}
