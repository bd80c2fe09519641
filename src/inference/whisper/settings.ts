import type { Tokenizer } from './tokenizer.ts'

/** What running a Whisper model needs to know of it, from its JSON files. */
export interface WhisperSettings {
  melBands: number
  modelSize: number
  decoderLayers: number
  decoderHeads: number
  vocabularySize: number
  /** The encoder's window: this many positions of 20 ms. */
  sourcePositions: number
  /** Tokens that the decoder can hold, its prompt included. */
  targetPositions: number
  tokens: {
    start: number
    end: number
    noTimestamps: number
    /** Where a model has a token for "there is no speech". */
    noSpeech: number | undefined
    transcribe: number | undefined
    /** By ISO 639-1 code; empty for English-only models. */
    languages: ReadonlyMap<string, number>
    /** Never written, and never written first. */
    suppressed: readonly number[]
    suppressedFirst: readonly number[]
  }
}

type Json = Record<string, unknown>

/** Reads settings from the parsed files of a model. Throws an Error that begins with the file's name. */
export function readSettings(files: {
  config: unknown
  generation: unknown
  preprocessor: unknown
  tokenizer: Tokenizer
}): WhisperSettings {
  const config = files.config as Json
  const { tokenizer } = files
  if (config.model_type !== 'whisper')
    throw new Error(`config.json: model_type is '${String(config.model_type)}', not 'whisper'`)
  const number = (key: string, most: number): number => count('config.json', config, key, most)
  const melBands = number('num_mel_bins', 256)
  checkPreprocessor(files.preprocessor as Json, melBands)
  const vocabularySize = number('vocab_size', 1_000_000)
  if (tokenizer.size > vocabularySize)
    throw new Error(
      `tokenizer.json: has ${tokenizer.size} tokens, the model's config.json only ${vocabularySize}`,
    )
  return {
    melBands,
    modelSize: number('d_model', 16_384),
    decoderLayers: number('decoder_layers', 256),
    decoderHeads: number('decoder_attention_heads', 256),
    vocabularySize,
    sourcePositions: number('max_source_positions', 100_000),
    targetPositions: number('max_target_positions', 100_000),
    tokens: readTokens(files.generation as Json, tokenizer, vocabularySize),
  }
}

/** The features are computed as Whisper's own; a model that wants others is not for us. */
function checkPreprocessor(preprocessor: Json, melBands: number): void {
  const expected = { sampling_rate: 16_000, n_fft: 400, hop_length: 160, feature_size: melBands }
  for (const [key, value] of Object.entries(expected))
    if (preprocessor[key] !== value)
      throw new Error(
        `preprocessor_config.json: ${key} is ${JSON.stringify(preprocessor[key])}, Whisper's is ${value}`,
      )
}

function readTokens(
  generation: Json,
  tokenizer: Tokenizer,
  vocabularySize: number,
): WhisperSettings['tokens'] {
  const file = 'generation_config.json'
  const id = (key: string): number => count(file, generation, key, vocabularySize - 1, 0)
  const optional = (value: unknown): number | undefined =>
    isToken(value, vocabularySize) ? value : undefined
  const tasks = (generation.task_to_id ?? {}) as Json
  return {
    start: id('decoder_start_token_id'),
    end: id('eos_token_id'),
    noTimestamps: id('no_timestamps_token_id'),
    // Older vocabularies call it <|nocaptions|>.
    noSpeech: optional(tokenizer.idOf('<|nospeech|>') ?? tokenizer.idOf('<|nocaptions|>')),
    transcribe: optional(tasks.transcribe ?? tokenizer.idOf('<|transcribe|>')),
    languages: readLanguages(generation, vocabularySize),
    suppressed: tokenList(generation.suppress_tokens, vocabularySize),
    suppressedFirst: tokenList(generation.begin_suppress_tokens, vocabularySize),
  }
}

function readLanguages(generation: Json, vocabularySize: number): Map<string, number> {
  const languages = new Map<string, number>()
  if (generation.is_multilingual === false) return languages
  for (const [token, id] of Object.entries((generation.lang_to_id ?? {}) as Json)) {
    const code = /^<\|([a-z]{2,3})\|>$/.exec(token)?.[1]
    if (code && isToken(id, vocabularySize)) languages.set(code, id)
  }
  return languages
}

function tokenList(value: unknown, vocabularySize: number): number[] {
  return Array.isArray(value) ? value.filter((id) => isToken(id, vocabularySize)) : []
}

function isToken(value: unknown, vocabularySize: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < vocabularySize
}

function count(file: string, object: Json, key: string, most: number, least = 1): number {
  const value = object[key]
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number
  const what = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
  throw new Error(`${file}: ${key} ${what}, it should be a number from ${least} to ${most}`)
}
