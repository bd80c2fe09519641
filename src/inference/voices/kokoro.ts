import { Tensor } from 'onnxruntime-common'
import type { Runtime } from '../onnx/runtime.ts'
import {
  type KokoroFiles,
  readKokoroFiles,
  readStyles,
  STYLE_LENGTHS,
  STYLE_SIZE,
} from './kokoro-files.ts'
import { TIE, toKokoroPhones } from './kokoro-phones.ts'
import type { Phonemizer } from './phonemes.ts'
import { type Synthesiser, soundOf } from './synthesiser.ts'

export const KOKORO_RATE_HZ = 24_000
const INPUTS = ['input_ids', 'style', 'speed']
/** Styles of so many voices stay in memory, half a megabyte each. */
const MOST_VOICES = 16

export interface Kokoro {
  /** Speaks with a voice of the model; throws an Error that names its file when that is no voice. */
  voice(o: { voice: string; espeakVoice: string }): Synthesiser
  release(): void
}

/** Loads a Kokoro model; `threads` work on one phrase. Throws an Error that names the file that does not fit. */
export function loadKokoro(
  runtime: Runtime,
  o: { dir: string; phonemizer: Phonemizer; threads: number },
): Kokoro {
  const files = readKokoroFiles(o.dir)
  const session = runtime.createSession(files.model, { threads: o.threads })
  const names = session.inputs.map(({ name }) => name)
  const lacking = INPUTS.filter((name) => !names.includes(name))
  const [output] = session.outputs
  if (lacking.length > 0 || !output) {
    session.release()
    throw new Error(`${files.model} is no Kokoro model: it has no input ${lacking.join(', ')}`)
  }
  const styles = new Map<string, Float32Array>()

  function stylesOf(voice: string): Float32Array {
    const known = styles.get(voice)
    if (known) return known
    const read = readStyles(o.dir, voice)
    const [oldest] = styles.keys()
    if (styles.size >= MOST_VOICES && oldest !== undefined) styles.delete(oldest)
    styles.set(voice, read)
    return read
  }

  return {
    voice({ voice, espeakVoice }) {
      const all = stylesOf(voice)
      return {
        synthesise(text) {
          const ipa = o.phonemizer.toPhonemes(text, { espeakVoice, tie: TIE })
          const tokens = toTokens(toKokoroPhones(ipa, espeakVoice), files)
          if (tokens.length === 0) return { samples: new Float32Array(0), rateHz: KOKORO_RATE_HZ }
          const ids = BigInt64Array.from([files.pad, ...tokens, files.pad], BigInt)
          // A style for each length: long texts are spoken otherwise than short ones.
          const at = Math.min(tokens.length, STYLE_LENGTHS - 1) * STYLE_SIZE
          const result = session.run({
            input_ids: new Tensor('int64', ids, [1, ids.length]),
            style: new Tensor('float32', all.slice(at, at + STYLE_SIZE), [1, STYLE_SIZE]),
            speed: new Tensor('float32', Float32Array.of(1), [1]),
          })
          const samples = soundOf(files.model, result[output.name], KOKORO_RATE_HZ)
          return { samples, rateHz: KOKORO_RATE_HZ }
        },
      }
    },
    release: () => session.release(),
  }
}

/** What the model has no token for is not said; what is too long for it is cut. */
function toTokens(phones: string, { vocabulary }: KokoroFiles): number[] {
  const tokens: number[] = []
  for (const phone of phones) {
    const token = vocabulary.get(phone)
    if (token !== undefined) tokens.push(token)
  }
  return tokens.slice(0, STYLE_LENGTHS)
}
