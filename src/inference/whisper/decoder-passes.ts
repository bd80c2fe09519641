import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'
import {
  emptyTensor,
  firstPositions,
  floatTypeOf,
  isFloat,
  toFloats,
  toFloatType,
} from './tensors.ts'

/** The measures of a decoder. */
export interface DecoderShape {
  layers: number
  heads: number
  headSize: number
  vocabularySize: number
  /** Tokens that it can hold, its prompt included. */
  positions: number
}

/** One graph for all passes (`merged`), or one for the first and one for those that go on from its cache. */
export type DecoderSessions = { merged: Session } | { first: Session; later: Session }

/** The passes over one sound: each reads some tokens and goes on from what the earlier ones left in the cache. */
export interface Passes {
  /** Logits [tokens × vocabulary] after each of these tokens. Throws an Error when the file gives something else. */
  run(tokens: readonly number[]): Float32Array
  /** Forgets all but the first `length` tokens. */
  cut(length: number): void
}

const PARTS = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value']

/**
 * Runs the decoders of the Hugging Face/onnx-community layout. Throws an Error that begins with `name` when the file is
 * no such decoder.
 */
export function createPasses(
  sessions: DecoderSessions,
  shape: DecoderShape,
  name: string,
): (hidden: Tensor) => Passes {
  const names = Array.from({ length: shape.layers }, (_, layer) =>
    PARTS.map((part) => `${layer}.${part}`),
  ).flat()
  const first = 'merged' in sessions ? sessions.merged : sessions.first
  const later = 'merged' in sessions ? sessions.merged : sessions.later
  checkInputs(first, { names, name, hasPast: 'merged' in sessions })
  if (later !== first) checkInputs(later, { names, name, hasPast: true })
  checkOutputs(first, names, name)

  return (hidden) => {
    const cache = emptyCache(later, names, shape)
    let isFirst = true
    return {
      run(tokens) {
        const session = isFirst ? first : later
        const out = session.run(feedsOf(session, { tokens, hidden, isFirst, cache }))
        keep(cache, out, { names, isFirst })
        isFirst = false
        return logitsOf(out, { tokens: tokens.length, shape, name })
      },
      cut(length) {
        for (const each of names)
          if (each.includes('.decoder.'))
            cache[each] = firstPositions(cache[each] as Tensor, length)
      },
    }
  }
}

/** What earlier passes left to go on from, by layer and part. */
type Cache = Record<string, Tensor>

function emptyCache(session: Session, names: readonly string[], shape: DecoderShape): Cache {
  const dims = [1, shape.heads, 0, shape.headSize]
  const empty = (name: string): [string, Tensor] => [
    name,
    emptyTensor(floatTypeOf(session, `past_key_values.${name}`), dims),
  ]
  return Object.fromEntries(names.map(empty))
}

function feedsOf(
  session: Session,
  o: { tokens: readonly number[]; hidden: Tensor; isFirst: boolean; cache: Cache },
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const { name } of session.inputs) {
    if (name === 'input_ids')
      feeds[name] = new Tensor('int64', BigInt64Array.from(o.tokens, BigInt), [1, o.tokens.length])
    else if (name === 'use_cache_branch') feeds[name] = new Tensor('bool', [!o.isFirst], [1])
    else if (name === 'encoder_hidden_states')
      feeds[name] = toFloatType(o.hidden, floatTypeOf(session, name))
    else feeds[name] = o.cache[name.slice('past_key_values.'.length)] as Tensor
  }
  return feeds
}

/** What was made from the hidden states stays; later passes give nothing or a placeholder for it. */
function keep(
  cache: Cache,
  out: Record<string, Tensor>,
  { names, isFirst }: { names: readonly string[]; isFirst: boolean },
): void {
  for (const name of names) {
    const made = out[`present.${name}`]
    if (made && (isFirst || name.includes('.decoder.'))) cache[name] = made
  }
}

function logitsOf(
  { logits }: Record<string, Tensor>,
  o: { tokens: number; shape: DecoderShape; name: string },
): Float32Array {
  const [, positions, vocabulary] = logits?.dims ?? []
  if (
    !logits ||
    !isFloat(logits) ||
    positions !== o.tokens ||
    vocabulary !== o.shape.vocabularySize
  )
    throw new Error(
      `${o.name} gives logits of ${logits?.type} ${logits?.dims.join('×')}, not ${o.tokens} times those of ${o.shape.vocabularySize} tokens`,
    )
  return toFloats(logits)
}

function checkInputs(
  session: Session,
  o: { names: readonly string[]; name: string; hasPast: boolean },
): void {
  const past = o.hasPast ? o.names.map((each) => `past_key_values.${each}`) : []
  const inputs = new Set(session.inputs.map(({ name }) => name))
  for (const each of ['input_ids', ...past])
    if (!inputs.has(each)) throw new Error(`${o.name} is no such decoder: it has no input ${each}`)
  const known = new Set(['input_ids', 'encoder_hidden_states', 'use_cache_branch', ...past])
  for (const each of inputs)
    if (!known.has(each))
      throw new Error(`${o.name} wants an input ${each} that the layout does not have`)
}

function checkOutputs(session: Session, names: readonly string[], name: string): void {
  const outputs = new Set(session.outputs.map((each) => each.name))
  for (const each of ['logits', ...names.map((part) => `present.${part}`)])
    if (!outputs.has(each)) throw new Error(`${name} is no such decoder: it has no output ${each}`)
}
