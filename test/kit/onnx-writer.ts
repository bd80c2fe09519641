/** Writes small ONNX models for tests: protobuf by hand (onnx.proto3), as much of it as those need. */
type Bytes = Uint8Array<ArrayBuffer>

const FLOAT = 1
const INT8 = 3
const INT64 = 7
const BOOL = 9
const FLOAT16 = 10
export type ElementType = typeof FLOAT | typeof INT64 | typeof BOOL | typeof FLOAT16
export const elements = { float: FLOAT, int64: INT64, bool: BOOL, float16: FLOAT16 } as const

function join(...parts: Bytes[]): Bytes {
  return new Uint8Array(Buffer.concat(parts))
}

function varint(value: number | bigint): Bytes {
  const out: number[] = []
  let left = BigInt.asUintN(64, BigInt(value))
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128)
  return Uint8Array.from([...out, Number(left)])
}

function int(field: number, value: number | bigint): Bytes {
  return join(varint(field << 3), varint(value))
}

function bytes(field: number, content: Bytes | string): Bytes {
  const raw = typeof content === 'string' ? new Uint8Array(Buffer.from(content)) : content
  return join(varint((field << 3) | 2), varint(raw.length), raw)
}

type Values = Float32Array | Float16Array | BigInt64Array | Int8Array

function typeOf(values: Values): number {
  if (values instanceof Float32Array) return FLOAT
  if (values instanceof Float16Array) return FLOAT16
  return values instanceof Int8Array ? INT8 : INT64
}

/** A tensor filled with `values`, of their type. */
export function tensor(name: string, dims: number[], values: Values): Bytes {
  const type = typeOf(values)
  const raw = new Uint8Array(
    new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
  )
  return join(...dims.map((dim) => int(1, dim)), int(2, type), bytes(8, name), bytes(9, raw))
}

/** An input or output; a dimension with a name may vary. */
export function value(name: string, type: ElementType, dims: (number | string)[]): Bytes {
  const shape = dims.map((dim) => bytes(1, typeof dim === 'number' ? int(1, dim) : bytes(2, dim)))
  const tensorType = join(int(1, type), bytes(2, join(...shape)))
  return join(bytes(1, name), bytes(2, bytes(1, tensorType)))
}

/** An attribute: an integer, integers, or a graph. */
export function attribute(name: string, content: number | number[] | Bytes): Bytes {
  if (typeof content === 'number') return join(bytes(1, name), int(3, content), int(20, 2))
  if (Array.isArray(content))
    return join(bytes(1, name), ...content.map((each) => int(8, each)), int(20, 7))
  return join(bytes(1, name), bytes(6, content), int(20, 5))
}

export function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: Bytes[] = [],
): Bytes {
  return join(
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, operator),
    ...attributes.map((each) => bytes(5, each)),
  )
}

interface Graph {
  nodes: Bytes[]
  constants?: Bytes[]
  inputs?: Bytes[]
  outputs: Bytes[]
}

export function graph({ nodes, constants = [], inputs = [], outputs }: Graph): Bytes {
  return join(
    ...nodes.map((each) => bytes(1, each)),
    bytes(2, 'test'),
    ...constants.map((each) => bytes(5, each)),
    ...inputs.map((each) => bytes(11, each)),
    ...outputs.map((each) => bytes(12, each)),
  )
}

/** A whole model: format 8, operators of set 17. */
export function model(content: Graph): Bytes {
  return join(int(1, 8), bytes(7, graph(content)), bytes(8, join(bytes(1, ''), int(2, 17))))
}
