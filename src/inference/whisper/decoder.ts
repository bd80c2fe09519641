import { Tensor } from 'onnxruntime-common'
import { abortError } from '../../core/abort.ts'
import type { Session } from '../onnx/runtime.ts'
import type { WhisperFiles } from './model-files.ts'
import type { WhisperSettings } from './settings.ts'
import { bansOf, lengthBeforeLoop, likeliest, probabilityOf } from './token-rules.ts'

export interface Decoded {
  tokens: number[]
  /** The probability that there is no speech; 0 where the model has no token for it. */
  noSpeech: number
  /** Mean over the tokens written, the end included. */
  meanLogProbability: number
}

export interface Decoder {
  /**
   * Writes at most `mostTokens` tokens after `prompt`, the likeliest each time. Asks `isAborted` before each and throws
   * AbortError when it says so.
   */
  decode(
    hidden: Tensor,
    o: { prompt: readonly number[]; mostTokens: number; isAborted: () => boolean },
  ): Decoded
}

/** What earlier passes left to go on from, by the name of the decoder's input. */
type Cache = Record<string, Tensor>

/**
 * Whisper's merged decoder: one graph for the first pass and for those that go on from its key/value cache.
 * Throws an Error when the file is no such decoder.
 */
export function createDecoder(session: Session, files: WhisperFiles): Decoder {
  const { settings } = files
  const { vocabularySize, targetPositions, tokens: known } = settings
  checkSignature(session, files)
  const bans = bansOf(settings)

  return {
    decode(hidden, { prompt, mostTokens, isAborted }) {
      const cache = emptyCache(settings)
      const tokens: number[] = []
      const most = Math.min(mostTokens, targetPositions - prompt.length)
      let sum = 0
      let noSpeech = 0
      for (let input = prompt; ; ) {
        if (isAborted()) throw abortError()
        const logits = runPass(session, files, { hidden, input, cache })
        if (tokens.length === 0 && known.noSpeech !== undefined)
          noSpeech = probabilityOf(known.noSpeech, logits.subarray(0, vocabularySize))
        const next = likeliest(
          logits.subarray((input.length - 1) * vocabularySize),
          tokens.length === 0 ? bans.first : bans.later,
        )
        sum += next.logProbability
        if (next.token === known.end || next.token < 0) break
        tokens.push(next.token)
        const loop = lengthBeforeLoop(tokens)
        if (loop !== undefined) tokens.length = loop
        if (loop !== undefined || tokens.length >= most) break
        input = [next.token]
      }
      return { tokens, noSpeech, meanLogProbability: sum / (tokens.length + 1) }
    },
  }
}

function emptyCache({ decoderLayers, decoderHeads, modelSize }: WhisperSettings): Cache {
  const shape = [1, decoderHeads, 0, modelSize / decoderHeads]
  return Object.fromEntries(
    cacheNames(decoderLayers).map((name) => [
      `past_key_values.${name}`,
      new Tensor('float32', new Float32Array(0), shape),
    ]),
  )
}

/** One pass: logits of each position of `input`; `cache` grows by it. */
function runPass(
  session: Session,
  files: WhisperFiles,
  { hidden, input, cache }: { hidden: Tensor; input: readonly number[]; cache: Cache },
): Float32Array {
  const { decoderLayers, vocabularySize } = files.settings
  const isFirst = cache['past_key_values.0.decoder.key']?.dims[2] === 0
  const out = session.run({
    input_ids: new Tensor('int64', BigInt64Array.from(input, BigInt), [1, input.length]),
    encoder_hidden_states: hidden,
    use_cache_branch: new Tensor('bool', [!isFirst], [1]),
    ...cache,
  })
  for (const name of cacheNames(decoderLayers)) {
    // What was made from the hidden states stays; later passes give only a placeholder for it.
    const made = out[`present.${name}`]
    if (made && (isFirst || name.includes('.decoder.'))) cache[`past_key_values.${name}`] = made
  }
  const logits = out.logits
  if (!(logits?.data instanceof Float32Array) || logits.dims[2] !== vocabularySize)
    throw new Error(
      `${nameOf(files)} gives logits of ${logits?.type} ${logits?.dims.join('×')}, not 32-bit ones for ${vocabularySize} tokens`,
    )
  return logits.data
}

function cacheNames(layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'].map(
      (part) => `${layer}.${part}`,
    ),
  ).flat()
}

function checkSignature(session: Session, files: WhisperFiles): void {
  const cache = cacheNames(files.settings.decoderLayers)
  const wanted = new Set([
    'input_ids',
    'encoder_hidden_states',
    'use_cache_branch',
    ...cache.map((name) => `past_key_values.${name}`),
  ])
  const inputs = new Set(session.inputs.map(({ name }) => name))
  for (const name of wanted)
    if (!inputs.has(name))
      throw new Error(`${nameOf(files)} is no merged Whisper decoder: it has no input ${name}`)
  for (const name of inputs)
    if (!wanted.has(name))
      throw new Error(`${nameOf(files)} wants an input ${name} that Whisper's layout does not have`)
  const outputs = new Set(session.outputs.map(({ name }) => name))
  for (const name of ['logits', ...cache.map((each) => `present.${each}`)])
    if (!outputs.has(name))
      throw new Error(`${nameOf(files)} is no merged Whisper decoder: it has no output ${name}`)
}

function nameOf({ decoder, where }: WhisperFiles): string {
  return typeof decoder === 'string' ? decoder : `${where}/onnx/decoder_model_merged.onnx`
}
