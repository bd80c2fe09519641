/** What running a Moonshine model needs to know of it, from its JSON files. */
export interface MoonshineSettings {
  modelSize: number
  layers: number
  heads: number
  headSize: number
  vocabularySize: number
  /** Tokens that the decoder can hold, its start included. */
  positions: number
  start: number
  end: number
  suppressed: readonly number[]
  suppressedFirst: readonly number[]
}

type Json = Record<string, unknown>

/** Reads settings from the parsed files of a model. Throws an Error that begins with the file's name. */
export function readMoonshineSettings(files: {
  config: Json
  generation: Json
  preprocessor: Json
}): MoonshineSettings {
  const { config, preprocessor } = files
  const number = (key: string, most: number): number => count(config, key, most)
  if (preprocessor.sampling_rate !== 16_000)
    throw new Error(
      `preprocessor_config.json: sampling_rate is ${JSON.stringify(preprocessor.sampling_rate)}, Moonshine's is 16000`,
    )
  const vocabularySize = number('vocab_size', 1_000_000)
  const modelSize = number('hidden_size', 16_384)
  const attentionHeads = number('decoder_num_attention_heads', 256)
  const generation: Json = { ...config, ...files.generation }
  return {
    modelSize,
    layers: number('decoder_num_hidden_layers', 256),
    heads: number('decoder_num_key_value_heads', 256),
    headSize: modelSize / attentionHeads,
    vocabularySize,
    positions: number('max_position_embeddings', 100_000),
    start: count(generation, 'decoder_start_token_id', vocabularySize - 1, 0),
    end: count(generation, 'eos_token_id', vocabularySize - 1, 0),
    suppressed: tokenList(generation.suppress_tokens, vocabularySize),
    suppressedFirst: tokenList(generation.begin_suppress_tokens, vocabularySize),
  }
}

function tokenList(value: unknown, vocabularySize: number): number[] {
  const isToken = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabularySize
  return Array.isArray(value) ? (value.filter(isToken) as number[]) : []
}

function count(object: Json, key: string, most: number, least = 1): number {
  const value = object[key]
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number
  const what = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
  throw new Error(`config.json: ${key} ${what}, it should be a number from ${least} to ${most}`)
}
