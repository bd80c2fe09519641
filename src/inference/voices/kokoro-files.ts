/** A Kokoro model as it lies in a directory of the hub's layout (onnx-community/Kokoro-82M-v1.0-ONNX). */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { faultOfOnnxFile } from '../onnx/onnx-file.ts'
import { asObject, isCount, readFileOf, readJsonFile } from './voice-files.ts'

/** What `config.json` calls the architecture. */
export const KOKORO_MODEL_TYPE = 'style_text_to_speech_2'
/** Full numbers first: on a CPU the smaller files are not faster, and the voice suffers. */
const VARIANTS = [
  'model',
  'model_fp16',
  'model_quantized',
  'model_q8f16',
  'model_uint8',
  'model_uint8f16',
  'model_q4',
  'model_q4f16',
]
/** A voice has a style of 256 numbers for each length of text, 1 to 510 phonemes. */
export const STYLE_LENGTHS = 510
export const STYLE_SIZE = 256
const VOICE_BYTES = STYLE_LENGTHS * STYLE_SIZE * 4
const MOST_TOKENS = 10_000

export interface KokoroFiles {
  /** The directory, for messages. */
  where: string
  /** Path of the model. */
  model: string
  /** Token of each phoneme and mark. */
  vocabulary: ReadonlyMap<string, number>
  /** The token that begins and ends every text. */
  pad: number
}

/** Reads a model. Throws an Error that names the file and says what is wrong with it. */
export function readKokoroFiles(dir: string): KokoroFiles {
  const type = readJsonFile(join(dir, 'config.json')).model_type
  if (type !== KOKORO_MODEL_TYPE)
    throw new Error(
      `${join(dir, 'config.json')}: model_type is ${JSON.stringify(type)}, Kokoro's is '${KOKORO_MODEL_TYPE}'`,
    )
  const path = join(dir, 'tokenizer.json')
  const entries = Object.entries(asObject(asObject(readJsonFile(path).model)?.vocab) ?? {})
  const vocabulary = new Map<string, number>()
  for (const [token, id] of entries) if (isCount(id, MOST_TOKENS)) vocabulary.set(token, id)
  const pad = vocabulary.get('$')
  if (pad === undefined || vocabulary.size < 2)
    throw new Error(`${path} has no 'model.vocab' of phonemes with the mark '$'`)
  return { where: dir, model: modelOf(dir), vocabulary, pad }
}

function modelOf(dir: string): string {
  const found = VARIANTS.map((name) => join(dir, 'onnx', `${name}.onnx`))
    .map((path) => ({ path, fault: faultOfOnnxFile(path) }))
    .find(({ fault }) => fault !== 'is missing')
  if (!found) throw new Error(`${join(dir, 'onnx', 'model.onnx')} is missing`)
  if (found.fault) throw new Error(`${found.path} ${found.fault}`)
  return found.path
}

/** The ids of the voices in a directory whose files have the right size, sorted. */
export function listKokoroVoices(dir: string): string[] {
  try {
    return readdirSync(join(dir, 'voices'))
      .filter((name) => /^[a-z]{2}_[a-z0-9_]{1,60}\.bin$/.test(name))
      .filter((name) => statSync(join(dir, 'voices', name)).size === VOICE_BYTES)
      .map((name) => name.slice(0, -'.bin'.length))
      .sort()
  } catch {
    return []
  }
}

/** The styles of a voice, one after the other. Throws an Error that names the file. */
export function readStyles(dir: string, voice: string): Float32Array {
  const path = join(dir, 'voices', `${voice}.bin`)
  const bytes = readFileOf(path)
  if (bytes.length !== VOICE_BYTES)
    throw new Error(
      `${path} is no voice of Kokoro, or is truncated: it has ${bytes.length} bytes, not ${VOICE_BYTES}`,
    )
  const styles = new Float32Array(VOICE_BYTES / 4)
  for (let i = 0; i < styles.length; i++) styles[i] = bytes.readFloatLE(4 * i)
  if (!styles.every(Number.isFinite)) throw new Error(`${path} is no voice of Kokoro`)
  return styles
}
