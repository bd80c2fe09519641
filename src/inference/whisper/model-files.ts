import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../core/errors.ts'
import { faultOfOnnxFile } from '../onnx/onnx-file.ts'
import { readSettings, type WhisperSettings } from './settings.ts'
import { createTokenizer, type Tokenizer } from './tokenizer.ts'

/** A Whisper model as it lies in a directory of the Hugging Face/onnx-community layout, read and checked. */
export interface WhisperFiles {
  /** Where it lies, for messages. */
  where: string
  settings: WhisperSettings
  tokenizer: Tokenizer
  /** Paths, or the files themselves. */
  encoder: string | Uint8Array
  decoder: string | Uint8Array
}

/** Where the files come from. Methods throw an Error that names the file and says what is wrong. */
export interface ModelSource {
  where: string
  json(name: string): unknown
  /** `name` without its ending. */
  onnx(name: string): string | Uint8Array
}

/** Reads a model. Throws an Error that names the file and says what is wrong with it. */
export function readWhisperFiles(source: ModelSource): WhisperFiles {
  const config = source.json('config.json')
  const generation = source.json('generation_config.json')
  const preprocessor = source.json('preprocessor_config.json')
  const tokenizer = within(`${source.where}/tokenizer.json`, () =>
    createTokenizer(source.json('tokenizer.json')),
  )
  const settings = within(source.where, () =>
    readSettings({ config, generation, preprocessor, tokenizer }),
  )
  return {
    where: source.where,
    settings,
    tokenizer,
    encoder: source.onnx('onnx/encoder_model'),
    decoder: source.onnx('onnx/decoder_model_merged'),
  }
}

/** tokenizer.json of the largest Whisper is 2.5 MB. */
const LARGEST_JSON = 32 * 1024 * 1024
/** Full numbers before those stored in 8 bits; both take and give 32-bit ones. */
const VARIANTS = ['', '_quantized']

/** The files of a directory. */
export function directorySource(dir: string): ModelSource {
  return {
    where: dir,
    json(name) {
      const path = join(dir, name)
      return parseJson(path, readText(path))
    },
    onnx(name) {
      const candidates = VARIANTS.map((variant) => join(dir, `${name}${variant}.onnx`))
      const faults = candidates.map((path) => ({ path, fault: faultOfOnnxFile(path) }))
      const present = faults.find(({ fault }) => fault !== 'is missing') ?? faults[0]
      if (!present) throw new Error(`${dir}/${name}.onnx is missing`)
      if (present.fault) throw new Error(`${present.path} ${present.fault}`)
      return present.path
    },
  }
}

function readText(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(`${path} ${isMissing ? 'is missing' : `cannot be read: ${reasonOf(error)}`}`)
  }
  if (bytes.length > LARGEST_JSON) throw new Error(`${path} is too large to be a Whisper model's`)
  return bytes.toString('utf8')
}

function parseJson(path: string, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`${path} is truncated or is no JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${path} is no JSON object`)
  return value
}

function within<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const reason = reasonOf(error)
    throw new Error(reason.startsWith(where) ? reason : `${where} ${reason}`, { cause: error })
  }
}
