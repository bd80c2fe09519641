/**
 * Speech-to-text models with random weights, as ONNX files of the layout that Optimum exports: for tests that compare two
 * programs which run them. The layers are Whisper's; Moonshine's differ within (turned positions, gates), not in what goes
 * in and comes out.
 */
import { attribute, elements, graph, model, node, tensor, value } from './onnx-writer.ts'
import { randomSource } from './seeded.ts'

type Bytes = Uint8Array<ArrayBuffer>

/**
 * How weights are stored. Of `fp16` the cache is of 16 bits too, as on the hub; of `all fp16` everything that goes in and
 * comes out.
 */
export type Stored = 'fp32' | 'fp16' | 'all fp16' | 'int8'

function isHalf(stored: Stored): boolean {
  return stored === 'fp16' || stored === 'all fp16'
}

/** The type of sound, hidden states and logits. */
function outsideType(stored: Stored): 1 | 10 {
  return stored === 'all fp16' ? elements.float16 : elements.float
}

function cacheType(stored: Stored): 1 | 10 {
  return isHalf(stored) ? elements.float16 : elements.float
}

export interface SpeechShape {
  size: number
  heads: number
  encoderLayers: number
  decoderLayers: number
  vocabulary: number
  /** The encoder's window in positions of 20 ms; null: it takes samples, of any length. */
  sourcePositions: number | null
  targetPositions: number
  melBands: number
  /** Its logit varies more than others', so that some text ends. */
  end: number
  seed: number
  /**
   * What turns tokens into numbers turns numbers into tokens too, as in the hub's models: half of a small model's
   * weights. They are shifted by some tokens, so that a model that learnt nothing does not repeat its last token.
   */
  isTied?: boolean
}

/** Nodes and weights of one graph; values get names of their own. */
class Builder {
  readonly nodes: Bytes[] = []
  readonly constants: Bytes[]
  private readonly stored: Stored
  private readonly random: () => number
  private readonly prefix: string
  private count = 0

  constructor(o: { stored: Stored; random: () => number; prefix: string; constants?: Bytes[] }) {
    this.stored = o.stored
    this.random = o.random
    this.prefix = o.prefix
    this.constants = o.constants ?? []
  }

  op(operator: string, inputs: string[], attributes: Bytes[] = []): string {
    const name = this.fresh()
    this.nodes.push(node(operator, inputs, [name], attributes))
    return name
  }

  /** Gives a value another name. */
  name(from: string, to: string): void {
    this.nodes.push(node('Identity', [from], [to]))
  }

  ints(...values: number[]): string {
    return this.constant([values.length], BigInt64Array.from(values, BigInt))
  }

  floats(dims: number[], values: number[] | Float32Array): string {
    return this.constant(dims, Float32Array.from(values))
  }

  weight(dims: number[], scale: number): string {
    const values = new Float32Array(dims.reduce((a, b) => a * b, 1))
    for (let i = 0; i < values.length; i++) values[i] = (this.random() - 0.5) * 3.5 * scale
    return this.stores(dims, values)
  }

  /** As this model stores weights, and back to full numbers where they are used. */
  stores(dims: number[], values: Float32Array): string {
    if (this.stored === 'fp32') return this.constant(dims, values)
    if (isHalf(this.stored)) return this.toFloat(this.constant(dims, Float16Array.from(values)))
    let top = 0
    for (const each of values) top = Math.max(top, Math.abs(each))
    const scale = top / 127 || 1
    const rounded = Int8Array.from(values, (each) => Math.round(each / scale))
    return this.op('DequantizeLinear', [this.constant(dims, rounded), this.floats([], [scale])])
  }

  toFloat(name: string): string {
    return this.op('Cast', [name], [attribute('to', elements.float)])
  }

  to(name: string, type: 1 | 10): string {
    return type === elements.float ? name : this.op('Cast', [name], [attribute('to', type)])
  }

  from(name: string, type: 1 | 10): string {
    return type === elements.float ? name : this.toFloat(name)
  }

  constant(dims: number[], values: Parameters<typeof tensor>[2]): string {
    const name = this.fresh()
    this.constants.push(tensor(name, dims, values))
    return name
  }

  private fresh(): string {
    return `${this.prefix}${this.count++}`
  }
}

function gelu(b: Builder, x: string): string {
  const error = b.op('Erf', [b.op('Div', [x, b.floats([], [Math.SQRT2])])])
  const gate = b.op('Add', [error, b.floats([], [1])])
  return b.op('Mul', [b.op('Mul', [x, gate]), b.floats([], [0.5])])
}

function norm(b: Builder, x: string, size: number): string {
  const scale = b.floats([size], new Float32Array(size).fill(1))
  const shift = b.floats([size], new Float32Array(size))
  return b.op('LayerNormalization', [x, scale, shift])
}

/** Weights that two graphs share: made once, used by name. */
interface Attention {
  q: string
  k: string
  v: string
  out: string
}

function attentionWeights(b: Builder, size: number): Attention {
  const make = () => b.weight([size, size], 1.5 / Math.sqrt(size))
  return { q: make(), k: make(), v: make(), out: make() }
}

interface MlpWeights {
  up: string
  down: string
}

function mlpWeights(b: Builder, size: number): MlpWeights {
  return {
    up: b.weight([size, 4 * size], 1 / Math.sqrt(size)),
    down: b.weight([4 * size, size], 1 / Math.sqrt(size)),
  }
}

/** [1, length, size] → [1, heads, length, size / heads]. */
function split(b: Builder, x: string, { heads, size }: SpeechShape): string {
  const parts = b.op('Reshape', [x, b.ints(0, 0, heads, size / heads)])
  return b.op('Transpose', [parts], [attribute('perm', [0, 2, 1, 3])])
}

function attend(
  b: Builder,
  o: { q: string; k: string; v: string; out: string; mask?: string; shape: SpeechShape },
): string {
  const turned = b.op('Transpose', [o.k], [attribute('perm', [0, 1, 3, 2])])
  const scale = b.floats([], [1 / Math.sqrt(o.shape.size / o.shape.heads)])
  const scores = b.op('Mul', [b.op('MatMul', [o.q, turned]), scale])
  const masked = o.mask === undefined ? scores : b.op('Add', [scores, o.mask])
  const mixed = b.op('MatMul', [b.op('Softmax', [masked], [attribute('axis', -1)]), o.v])
  const joined = b.op('Transpose', [mixed], [attribute('perm', [0, 2, 1, 3])])
  return b.op('MatMul', [b.op('Reshape', [joined, b.ints(0, 0, o.shape.size)]), o.out])
}

function feedForward(b: Builder, x: string, weights: MlpWeights, size: number): string {
  const up = gelu(b, b.op('MatMul', [norm(b, x, size), weights.up]))
  return b.op('Add', [x, b.op('MatMul', [up, weights.down])])
}

function convolve(
  b: Builder,
  x: string,
  o: { from: number; to: number; kernel: number; stride: number; pad: number },
): string {
  const weights = b.weight([o.to, o.from, o.kernel], 2 / Math.sqrt(o.from * o.kernel))
  return b.op(
    'Conv',
    [x, weights],
    [
      attribute('kernel_shape', [o.kernel]),
      attribute('strides', [o.stride]),
      attribute('pads', [o.pad, o.pad]),
    ],
  )
}

export function encoderGraph(shape: SpeechShape, stored: Stored): Uint8Array {
  const b = new Builder({ stored, random: randomSource(shape.seed), prefix: 'e' })
  const type = outsideType(stored)
  const isWhisper = shape.sourcePositions !== null
  const input = isWhisper ? 'input_features' : 'input_values'
  const sound = b.from(input, type)
  let x = isWhisper ? melStem(b, sound, shape) : soundStem(b, sound, shape)
  for (let layer = 0; layer < shape.encoderLayers; layer++) {
    const weights = attentionWeights(b, shape.size)
    const normed = norm(b, x, shape.size)
    const [q, k, v] = (['q', 'k', 'v'] as const).map((part) =>
      split(b, b.op('MatMul', [normed, weights[part]]), shape),
    ) as [string, string, string]
    x = b.op('Add', [x, attend(b, { q, k, v, out: weights.out, shape })])
    x = feedForward(b, x, mlpWeights(b, shape.size), shape.size)
  }
  b.name(b.to(norm(b, x, shape.size), type), 'last_hidden_state')
  return model({
    inputs: [
      value(input, type, isWhisper ? ['batch', shape.melBands, 'frames'] : ['batch', 'samples']),
    ],
    outputs: [value('last_hidden_state', type, ['batch', 'positions', shape.size])],
    constants: b.constants,
    nodes: b.nodes,
  })
}

/** Two convolutions and a table of positions, which makes the window one length only. */
function melStem(b: Builder, features: string, shape: SpeechShape): string {
  const { size, melBands, sourcePositions } = shape
  const first = { from: melBands, to: size, kernel: 3, stride: 1, pad: 1 }
  const second = { ...first, from: size, stride: 2 }
  const half = gelu(b, convolve(b, gelu(b, convolve(b, features, first)), second))
  const turned = b.op('Transpose', [half], [attribute('perm', [0, 2, 1])])
  return b.op('Add', [turned, b.weight([sourcePositions as number, size], 0.5)])
}

/** Moonshine's three convolutions over the samples themselves. */
function soundStem(b: Builder, sound: string, { size }: SpeechShape): string {
  const samples = b.op('Unsqueeze', [sound, b.ints(1)])
  const loud = b.op('Mul', [samples, b.floats([], [20])])
  const wide = { from: 1, to: size, kernel: 127, stride: 64, pad: 0 }
  const tanh = b.op('Tanh', [convolve(b, loud, wide)])
  const middle = { from: size, to: size, kernel: 7, stride: 3, pad: 0 }
  const narrow = { from: size, to: size, kernel: 3, stride: 2, pad: 0 }
  const x = gelu(b, convolve(b, gelu(b, convolve(b, tanh, middle)), narrow))
  return b.op('Transpose', [x], [attribute('perm', [0, 2, 1])])
}

interface DecoderWeights {
  embedding: string
  positions: string
  mask: string
  layers: { self: Attention; cross: Attention; mlp: MlpWeights }[]
  out: string
}

function decoderWeights(b: Builder, shape: SpeechShape): DecoderWeights {
  const { size, vocabulary, targetPositions } = shape
  const mask = new Float32Array(targetPositions * targetPositions)
  for (let row = 0; row < targetPositions; row++)
    mask.fill(-1e9, row * targetPositions + row + 1, (row + 1) * targetPositions)
  const embedding = b.weight([vocabulary, size], 0.6)
  return {
    embedding,
    positions: b.weight([targetPositions, size], 1),
    mask: b.floats([targetPositions, targetPositions], mask),
    layers: Array.from({ length: shape.decoderLayers }, () => ({
      self: attentionWeights(b, size),
      cross: attentionWeights(b, size),
      mlp: mlpWeights(b, size),
    })),
    out: shape.isTied
      ? b.op('Transpose', [shifted(b, embedding)], [attribute('perm', [1, 0])])
      : b.stores([size, vocabulary], tokenWeights(shape)),
  }
}

const SHIFT = 7919

function shifted(b: Builder, embedding: string): string {
  const from = (begin: number, end: number): string =>
    b.op('Slice', [embedding, b.ints(begin), b.ints(end), b.ints(0)])
  return b.op('Concat', [from(SHIFT, 1e9), from(0, SHIFT)], [attribute('axis', 0)])
}

function tokenWeights({ size, vocabulary, seed, end }: SpeechShape): Float32Array {
  const random = randomSource(seed + 1)
  return Float32Array.from(
    { length: size * vocabulary },
    (_, i) => (random() - 0.5) * (i % vocabulary === end ? 2.2 : 1),
  )
}

const PARTS = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value']

function cacheNames(shape: SpeechShape): string[] {
  return Array.from({ length: shape.decoderLayers }, (_, layer) =>
    PARTS.map((part) => `${layer}.${part}`),
  ).flat()
}

/** The decoder's layers; what it gives, by the name of the output. With `hasPast` it goes on from the cache. */
function decode(
  b: Builder,
  w: DecoderWeights,
  { shape, stored, hasPast }: { shape: SpeechShape; stored: Stored; hasPast: boolean },
): Map<string, string> {
  const { size } = shape
  const given = new Map<string, string>()
  const length = b.op('Slice', [b.op('Shape', ['input_ids']), b.ints(1), b.ints(2)])
  const from = hasPast
    ? b.op('Slice', [b.op('Shape', ['past_key_values.0.decoder.key']), b.ints(2), b.ints(3)])
    : b.ints(0)
  const to = b.op('Add', [from, length])
  const cutTo = (table: string, axis: number, begin: string, end: string): string =>
    b.op('Slice', [table, begin, end, b.ints(axis)])
  const mask = cutTo(cutTo(w.mask, 0, from, to), 1, b.ints(0), to)
  const embedded = b.op('Gather', [w.embedding, 'input_ids'], [attribute('axis', 0)])
  let x = b.op('Add', [embedded, cutTo(w.positions, 0, from, to)])
  for (const [layer, weights] of w.layers.entries()) {
    const past = (part: string): string =>
      b.from(`past_key_values.${layer}.${part}`, cacheType(stored))
    const give = (part: string, name: string): string => {
      given.set(`present.${layer}.${part}`, b.to(name, cacheType(stored)))
      return name
    }
    const normed = norm(b, x, size)
    const grown = (part: 'key' | 'value'): string => {
      const weight = part === 'key' ? weights.self.k : weights.self.v
      const made = split(b, b.op('MatMul', [normed, weight]), shape)
      const all = hasPast
        ? b.op('Concat', [past(`decoder.${part}`), made], [attribute('axis', 2)])
        : made
      return give(`decoder.${part}`, all)
    }
    const q = split(b, b.op('MatMul', [normed, weights.self.q]), shape)
    const self = { q, k: grown('key'), v: grown('value'), out: weights.self.out, mask, shape }
    x = b.op('Add', [x, attend(b, self)])
    const heard = (part: 'key' | 'value'): string => {
      if (hasPast) return past(`encoder.${part}`)
      const weight = part === 'key' ? weights.cross.k : weights.cross.v
      const hidden = b.from('encoder_hidden_states', outsideType(stored))
      return give(`encoder.${part}`, split(b, b.op('MatMul', [hidden, weight]), shape))
    }
    const asked = split(b, b.op('MatMul', [norm(b, x, size), weights.cross.q]), shape)
    const cross = { q: asked, k: heard('key'), v: heard('value'), out: weights.cross.out, shape }
    x = b.op('Add', [x, attend(b, cross)])
    x = feedForward(b, x, weights.mlp, size)
  }
  given.set('logits', b.to(b.op('MatMul', [norm(b, x, size), w.out]), outsideType(stored)))
  return given
}

/** One decoder for all passes: an `If` over both graphs, whose cached branch gives placeholders for the encoder's part. */
export function mergedDecoderGraph(shape: SpeechShape, stored: Stored): Uint8Array {
  const random = randomSource(shape.seed + 2)
  const outer = new Builder({ stored, random, prefix: 'd' })
  const weights = decoderWeights(outer, shape)
  const names = ['logits', ...cacheNames(shape).map((name) => `present.${name}`)]
  const branch = (hasPast: boolean): Bytes => {
    const prefix = hasPast ? 'then' : 'else'
    const b = new Builder({ stored, random, prefix, constants: outer.constants })
    const given = decode(b, weights, { shape, stored, hasPast })
    const dims = [1, shape.heads, 1, shape.size / shape.heads]
    const values = new Float32Array(shape.size).fill(7)
    const nothing = (): string => b.to(b.floats(dims, values), cacheType(stored))
    for (const name of names) b.name(given.get(name) ?? nothing(), `${prefix}.${name}`)
    return attribute(
      `${prefix}_branch`,
      graph({
        nodes: b.nodes,
        outputs: names.map((name) => value(`${prefix}.${name}`, typeOf(name, stored), [])),
      }),
    )
  }
  const branches = [branch(true), branch(false)]
  return model({
    inputs: [...decoderInputs(shape, stored, true), value('use_cache_branch', elements.bool, [1])],
    outputs: decoderOutputs(names, shape, stored),
    constants: outer.constants,
    nodes: [...outer.nodes, node('If', ['use_cache_branch'], names, branches)],
  })
}

/** One of the two decoders that a merged one is made of. */
export function decoderGraph(shape: SpeechShape, stored: Stored, hasPast: boolean): Uint8Array {
  const b = new Builder({ stored, random: randomSource(shape.seed + 2), prefix: 'd' })
  const given = decode(b, decoderWeights(b, shape), { shape, stored, hasPast })
  for (const [name, from] of given) b.name(from, name)
  const inputs = decoderInputs(shape, stored, hasPast)
  return model({
    // The one that goes on has no use for the hidden states.
    inputs: hasPast ? inputs.filter((_, i) => i !== 1) : inputs,
    outputs: decoderOutputs([...given.keys()], shape, stored),
    constants: b.constants,
    nodes: b.nodes,
  })
}

function typeOf(output: string, stored: Stored): 1 | 10 {
  return output === 'logits' ? outsideType(stored) : cacheType(stored)
}

function decoderInputs(shape: SpeechShape, stored: Stored, hasPast: boolean): Bytes[] {
  const past = cacheNames(shape).map((name) =>
    value(`past_key_values.${name}`, cacheType(stored), [
      'batch_size',
      shape.heads,
      name.includes('decoder') ? 'past_decoder_sequence_length' : 'encoder_sequence_length_out',
      shape.size / shape.heads,
    ]),
  )
  return [
    value('input_ids', elements.int64, ['batch_size', 'decoder_sequence_length']),
    value('encoder_hidden_states', outsideType(stored), [
      'batch_size',
      'encoder_sequence_length',
      shape.size,
    ]),
    ...(hasPast ? past : []),
  ]
}

function decoderOutputs(names: readonly string[], shape: SpeechShape, stored: Stored): Bytes[] {
  return names.map((name) =>
    name === 'logits'
      ? value(name, typeOf(name, stored), [
          'batch_size',
          'decoder_sequence_length',
          shape.vocabulary,
        ])
      : value(name, typeOf(name, stored), [
          'batch_size',
          shape.heads,
          'length',
          shape.size / shape.heads,
        ]),
  )
}
