import { Tensor } from 'onnxruntime-common'
import type { Session } from '../onnx/runtime.ts'

type FloatType = 'float32' | 'float16'

/** The type of an input that takes numbers: models stored in 16 bits take 16-bit ones. */
export function floatTypeOf(session: Session, input: string): FloatType {
  const type = session.inputs.find(({ name }) => name === input)?.type
  return type === 'float16' ? 'float16' : 'float32'
}

export function isFloat({ type }: Tensor): boolean {
  return type === 'float32' || type === 'float16'
}

/** The tensor itself where it is of this type. Throws when it holds no such numbers. */
export function toFloatType(tensor: Tensor, type: FloatType): Tensor {
  if (tensor.type === type) return tensor
  const values = toFloats(tensor)
  return type === 'float32'
    ? new Tensor('float32', values, tensor.dims)
    : new Tensor('float16', toBits(values), tensor.dims)
}

/** The values of a tensor of 16- or 32-bit numbers. Throws an Error for others. */
export function toFloats(tensor: Tensor): Float32Array {
  const { data } = tensor
  if (data instanceof Float32Array) return data
  if (tensor.type !== 'float16') throw new Error(`a tensor of ${tensor.type} holds no fractions`)
  const raw = data as unknown as Uint16Array
  return Float32Array.from(new Float16Array(raw.buffer, raw.byteOffset, raw.length))
}

export function emptyTensor(type: FloatType, dims: readonly number[]): Tensor {
  return type === 'float32'
    ? new Tensor('float32', new Float32Array(0), dims)
    : new Tensor('float16', new Uint16Array(0), dims)
}

/** The first `length` positions of a cache [1, heads, positions, size]. */
export function firstPositions(tensor: Tensor, length: number): Tensor {
  const [, heads = 0, positions = 0, size = 0] = tensor.dims
  if (length >= positions) return tensor
  const from = tensor.data as unknown as Float32Array | Uint16Array
  const to = from.slice(0, heads * length * size)
  for (let head = 0; head < heads; head++) {
    const at = head * positions * size
    to.set(from.subarray(at, at + length * size), head * length * size)
  }
  return new Tensor(tensor.type as 'float32', to as Float32Array, [1, heads, length, size])
}

function toBits(values: Float32Array): Uint16Array {
  return new Uint16Array(Float16Array.from(values).buffer)
}
