import { describe, expect, it } from 'vitest'
import {
  attribute,
  elements,
  graph,
  model,
  node,
  tensor,
  value,
} from '../../../test/kit/onnx-writer.ts'
import { sharedDataDir } from '../../../test/kit/speech.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { createEncoder } from './encoder.ts'
import type { WhisperFiles } from './model-files.ts'
import { createTokenizer } from './tokenizer.ts'
import { loadWhisper } from './whisper.ts'

const POSITIONS = 1500
const SIZE = 4
/** Ids: letters, then what is special. */
const WORDS = ['Ġone', 'Ġtwo', 'Ġthree']
const SPECIALS = [
  '<|end|>',
  '<|start|>',
  '<|en|>',
  '<|de|>',
  '<|transcribe|>',
  '<|no|>',
  '<|0.00|>',
]
const [ONE, TWO, THREE, END, START, EN, DE, TRANSCRIBE, NO_TIMESTAMPS, TIMESTAMP] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const
const VOCABULARY = 10

function ones(...dims: number[]): Float32Array {
  return new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1)
}

/** Like Optimum's export: any length by its declaration, but the table of positions has one length only. */
function encoder(): Uint8Array {
  const { float } = elements
  return model({
    inputs: [value('input_features', float, ['batch', 80, 'frames'])],
    outputs: [value('last_hidden_state', float, ['batch', 'positions', SIZE])],
    constants: [
      tensor('from', [1], BigInt64Array.of(0n)),
      tensor('to', [1], BigInt64Array.of(1_000_000n)),
      tensor('axis', [1], BigInt64Array.of(1n)),
      tensor('step', [1], BigInt64Array.of(2n)),
      tensor('weights', [80, SIZE], ones(80, SIZE)),
      tensor('table', [POSITIONS, SIZE], ones(POSITIONS, SIZE)),
    ],
    nodes: [
      node('Transpose', ['input_features'], ['turned'], [attribute('perm', [0, 2, 1])]),
      node('Slice', ['turned', 'from', 'to', 'axis', 'step'], ['halved']),
      node('MatMul', ['halved', 'weights'], ['mixed']),
      node('Add', ['mixed', 'table'], ['last_hidden_state']),
    ],
  })
}

/**
 * Writes for each token the one that `next` names. With the cache it needs the encoder's part of the first pass and
 * gives a placeholder of another shape for it, as merged decoders do.
 */
function decoder(next: Record<number, number>): Uint8Array {
  const { float, int64, bool } = elements
  const logits = new Float32Array(VOCABULARY * VOCABULARY)
  for (const [from, to] of Object.entries(next)) logits[Number(from) * VOCABULARY + to] = 20
  const cacheShape = (length: string): (number | string)[] => ['batch', 1, length, SIZE]
  const parts = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value']
  const branch = (
    extra: Uint8Array<ArrayBuffer>[],
    made: Uint8Array<ArrayBuffer>[],
    name: string,
  ) =>
    attribute(
      name,
      graph({
        nodes: [...extra, ...made],
        constants: [tensor(`${name}.zero`, [1], new Float32Array(1))],
        outputs: ['extra', 'key', 'value'].map((each) => value(`${name}.${each}`, float, [])),
      }),
    )
  const withCache = branch(
    [
      node('Add', ['past_key_values.0.encoder.key', 'encoder_hidden_states'], ['both']),
      node('ReduceSum', ['both'], ['sum'], [attribute('keepdims', 0)]),
      node('Mul', ['sum', 'then_branch.zero'], ['then_branch.extra']),
    ],
    ['key', 'value'].map((each) => node('Identity', ['placeholder'], [`then_branch.${each}`])),
    'then_branch',
  )
  const withoutCache = branch(
    [node('Identity', ['else_branch.zero'], ['else_branch.extra'])],
    ['key', 'value'].map((each) =>
      node('Unsqueeze', ['encoder_hidden_states', 'axis1'], [`else_branch.${each}`]),
    ),
    'else_branch',
  )
  return model({
    inputs: [
      value('input_ids', int64, ['batch', 'length']),
      value('encoder_hidden_states', float, ['batch', 'positions', SIZE]),
      ...parts.map((part) => value(`past_key_values.0.${part}`, float, cacheShape('past'))),
      value('use_cache_branch', bool, [1]),
    ],
    outputs: [
      value('logits', float, ['batch', 'length', VOCABULARY]),
      ...parts.map((part) => value(`present.0.${part}`, float, cacheShape('all'))),
    ],
    constants: [
      tensor('table', [VOCABULARY, VOCABULARY], logits),
      tensor('embedding', [VOCABULARY, SIZE], ones(VOCABULARY, SIZE)),
      tensor('placeholder', [1, 1, 2, SIZE], ones(1, 1, 2, SIZE)),
      tensor('axis1', [1], BigInt64Array.of(1n)),
    ],
    nodes: [
      node(
        'If',
        ['use_cache_branch'],
        ['extra', 'present.0.encoder.key', 'present.0.encoder.value'],
        [withCache, withoutCache],
      ),
      node('Gather', ['table', 'input_ids'], ['plain'], [attribute('axis', 0)]),
      node('Add', ['plain', 'extra'], ['logits']),
      node('Gather', ['embedding', 'input_ids'], ['embedded'], [attribute('axis', 0)]),
      node('Unsqueeze', ['embedded', 'axis1'], ['headed']),
      ...['key', 'value'].map((part) =>
        node(
          'Concat',
          [`past_key_values.0.decoder.${part}`, 'headed'],
          [`present.0.decoder.${part}`],
          [attribute('axis', 2)],
        ),
      ),
    ],
  })
}

function setup(next: Record<number, number>) {
  const vocab = Object.fromEntries(WORDS.map((word, id) => [word, id]))
  const added_tokens = SPECIALS.map((content, i) => ({ content, id: WORDS.length + i }))
  const files: WhisperFiles = {
    where: 'test',
    tokenizer: createTokenizer({ model: { vocab }, added_tokens }),
    encoder: encoder(),
    decoder: { merged: decoder(next) },
    settings: {
      melBands: 80,
      modelSize: SIZE,
      decoderLayers: 1,
      decoderHeads: 1,
      vocabularySize: VOCABULARY,
      sourcePositions: POSITIONS,
      targetPositions: 448,
      tokens: {
        start: START,
        end: END,
        noTimestamps: NO_TIMESTAMPS,
        noSpeech: undefined,
        transcribe: TRANSCRIBE,
        languages: new Map([
          ['en', EN],
          ['de', DE],
        ]),
        previous: undefined,
        forced: new Map(),
        suppressed: [],
        suppressedFirst: [END],
      },
    },
  }
  const runtime = openRuntime(sharedDataDir())
  const hear = (seconds = 2): string =>
    loadWhisper(runtime, files, { threads: 1 }).recognise(new Int16Array(16_000 * seconds), {
      language: 'de',
      isAborted: () => false,
    }).text
  return { files, runtime, hear }
}

describe('a stock export of Whisper', () => {
  it('gets its whole window of 30 s, because its encoder takes no other', () => {
    const { files, runtime } = setup({})
    const made = createEncoder(runtime.createSession(files.encoder), files)
    expect(made.isCut).toBe(false)
    expect(made.longestSamples).toBe(30 * 16_000)
    expect(made.encode(new Int16Array(16_000)).dims).toEqual([1, POSITIONS, SIZE])
  })

  it('is read token by token through its cache', () => {
    const { hear } = setup({ [NO_TIMESTAMPS]: ONE, [ONE]: TWO, [TWO]: THREE, [THREE]: END })
    expect(hear()).toBe('one two three')
  })

  it('never writes a timestamp, nor the end first', () => {
    const { hear } = setup({ [NO_TIMESTAMPS]: TIMESTAMP, [ONE]: END })
    expect(hear()).toBe('one')
    expect(setup({ [NO_TIMESTAMPS]: END, [ONE]: END }).hear()).toBe('one')
  })

  it('is stopped when it writes the same words for ever', () => {
    const { hear } = setup({ [NO_TIMESTAMPS]: ONE, [ONE]: TWO, [TWO]: THREE, [THREE]: TWO })
    expect(hear(10)).toBe('one two three')
  })

  it('writes no more than can be said in the time', () => {
    const { hear } = setup({ [NO_TIMESTAMPS]: ONE, [ONE]: TWO, [TWO]: THREE, [THREE]: ONE })
    expect(hear(0).split(' ')).toHaveLength(16)
    expect(hear(2)).toBe('one two three')
  })
})
