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
    /** What was said before follows it; where a model has a token for that. */
    previous: number | undefined
    /** Tokens that stand at these places of the prompt where nothing else is said: 1 follows the start. */
    forced: ReadonlyMap<number, number>
    /** By ISO 639-1 code; empty for English-only models. */
    languages: ReadonlyMap<string, number>
    /** Never written, and never written first. */
    suppressed: readonly number[]
    suppressedFirst: readonly number[]
  }
}

type Json = Record<string, unknown>
/** A prompt has four tokens before what was said earlier. */
const MOST_FORCED = 16

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
    // What generation_config.json leaves out, older models have in config.json.
    tokens: readTokens(
      { ...config, ...stated(files.generation as Json) },
      tokenizer,
      vocabularySize,
    ),
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
    noTimestamps:
      optional(generation.no_timestamps_token_id ?? tokenizer.idOf('<|notimestamps|>')) ??
      id('no_timestamps_token_id'),
    // Older vocabularies call it <|nocaptions|>.
    noSpeech: optional(tokenizer.idOf('<|nospeech|>') ?? tokenizer.idOf('<|nocaptions|>')),
    transcribe: optional(tasks.transcribe ?? tokenizer.idOf('<|transcribe|>')),
    previous: optional(tokenizer.idOf('<|startofprev|>')),
    forced: readForced(generation.forced_decoder_ids, vocabularySize),
    languages: readLanguages(generation, tokenizer, vocabularySize),
    suppressed: tokenList(generation.suppress_tokens, vocabularySize),
    suppressedFirst: tokenList(generation.begin_suppress_tokens, vocabularySize),
  }
}

/** Languages by their tokens; older models name them in the tokenizer only. */
function readLanguages(
  generation: Json,
  tokenizer: Tokenizer,
  vocabularySize: number,
): Map<string, number> {
  const languages = new Map<string, number>()
  if (generation.is_multilingual === false) return languages
  const named = generation.lang_to_id
    ? Object.entries(generation.lang_to_id as Json)
    : generation.is_multilingual === true || tokenizer.specials.has('<|de|>')
      ? [...tokenizer.specials]
      : []
  for (const [token, id] of named) {
    const code = /^<\|([a-z]{2,3})\|>$/.exec(token)?.[1]
    if (code && isToken(id, vocabularySize)) languages.set(code, id)
  }
  return languages
}

/** `forced_decoder_ids`: pairs of place and token; a null in place of a token forces none. */
function readForced(value: unknown, vocabularySize: number): Map<number, number> {
  const forced = new Map<number, number>()
  for (const pair of Array.isArray(value) ? value.slice(0, MOST_FORCED) : []) {
    const [place, id] = Array.isArray(pair) ? (pair as unknown[]) : []
    if (Number.isInteger(place) && (place as number) > 0 && isToken(id, vocabularySize))
      forced.set(place as number, id)
  }
  return forced
}

function stated(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value != null))
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
