import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../core/errors.ts'
import { faultOfOnnxFile } from '../onnx/onnx-file.ts'
import { readSettings, type WhisperSettings } from './settings.ts'
import { createTokenizer, type Tokenizer } from './tokenizer.ts'

/** A path, or the file itself. */
export type OnnxFile = string | Uint8Array

/** Where the files come from. Methods throw an Error that names the file and says what is wrong. */
export interface ModelSource {
  where: string
  json(name: string): unknown
  /** `name` without its ending. */
  onnx(name: string): OnnxFile
  /** Whether there is such a file, whole or not. */
  hasOnnx(name: string): boolean
}

/** The files of a decoder: one for all passes, or one for the first and one for the rest. */
export type DecoderFiles = { merged: OnnxFile } | { first: OnnxFile; later: OnnxFile }

/** A Whisper model as it lies in a directory of the Hugging Face/onnx-community layout, read and checked. */
export interface WhisperFiles {
  /** Where it lies, for messages. */
  where: string
  settings: WhisperSettings
  tokenizer: Tokenizer
  encoder: OnnxFile
  decoder: DecoderFiles
}

/** Reads a model. Throws an Error that names the file and says what is wrong with it. */
export function readWhisperFiles(source: ModelSource): WhisperFiles {
  const config = source.json('config.json')
  const generation = source.json('generation_config.json')
  const preprocessor = source.json('preprocessor_config.json')
  const tokenizer = readTokenizer(source)
  const settings = within(source.where, () =>
    readSettings({ config, generation, preprocessor, tokenizer }),
  )
  return {
    where: source.where,
    settings,
    tokenizer,
    encoder: source.onnx('onnx/encoder_model'),
    decoder: readDecoder(source),
  }
}

export function readTokenizer(source: ModelSource): Tokenizer {
  return within(`${source.where}/tokenizer.json`, () =>
    createTokenizer(source.json('tokenizer.json')),
  )
}

/** The merged decoder; where there is none, the two that it is merged from. */
export function readDecoder(source: ModelSource): DecoderFiles {
  const merged = 'onnx/decoder_model_merged'
  const later = 'onnx/decoder_with_past_model'
  if (source.hasOnnx(merged) || !source.hasOnnx(later)) return { merged: source.onnx(merged) }
  return { first: source.onnx('onnx/decoder_model'), later: source.onnx(later) }
}

/** How a file is called in messages. */
export function nameOfFile(file: OnnxFile, embedded: string): string {
  return typeof file === 'string' ? file : embedded
}

export function nameOfDecoder(files: DecoderFiles, where: string): string {
  return nameOfFile(
    'merged' in files ? files.merged : files.first,
    `${where}/onnx/decoder_model_merged.onnx`,
  )
}

/** tokenizer.json of the largest Whisper is 2.5 MB. */
const LARGEST_JSON = 32 * 1024 * 1024
/**
 * How a file may be stored, best first: on a CPU full numbers, then 8 bits, then 4, and 16 last, which it has to
 * convert in every run; a graphics card is fastest with 16.
 */
const VARIANTS = {
  cpu: ['', '_quantized', '_int8', '_uint8', '_q4', '_bnb4', '_fp16', '_q4f16'],
  cuda: ['_fp16', '', '_q4f16', '_q4', '_bnb4', '_quantized', '_int8', '_uint8'],
} as const

/** The files of a directory, those that suit the device best. */
export function directorySource(dir: string, device: 'cpu' | 'cuda' = 'cpu'): ModelSource {
  const faultsOf = (name: string) =>
    VARIANTS[device]
      .map((variant) => join(dir, `${name}${variant}.onnx`))
      .map((path) => ({ path, fault: faultOfOnnxFile(path) }))
      .filter(({ fault }) => fault !== 'is missing')
  return {
    where: dir,
    json(name) {
      const path = join(dir, name)
      return parseJson(path, readText(path))
    },
    onnx(name) {
      const present = faultsOf(name)[0]
      if (!present) throw new Error(`${join(dir, name)}.onnx is missing`)
      if (present.fault) throw new Error(`${present.path} ${present.fault}`)
      return present.path
    },
    hasOnnx: (name) => faultsOf(name).length > 0,
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
  if (bytes.length > LARGEST_JSON)
    throw new Error(`${path} is too large to be a speech-to-text model's`)
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

/** Errors of `read`, with where it happened. */
export function within<T>(where: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const reason = reasonOf(error)
    throw new Error(reason.startsWith(where) ? reason : `${where} ${reason}`, { cause: error })
  }
}
