import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { reasonOf } from '../../core/errors.ts'

/** Fields of ONNX's ModelProto that every model has. */
const IR_VERSION = 1
const GRAPH = 7
const HIGHEST_FIELD = 30
/** A tag and a length are at most 5 and 10 bytes. */
const HEADER_BYTES = 15

/**
 * What is wrong with an ONNX file, in words; undefined when it is whole. Reads only the outermost protobuf headers,
 * so it costs the same for any size: each part must end within the file, and model and graph must be there.
 */
export function faultOfOnnxFile(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return isMissing ? 'is missing' : `cannot be read: ${reasonOf(error)}`
  }
  try {
    return faultOf((at, bytes) => readSync(file, bytes, 0, bytes.length, at), fstatSync(file).size)
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}`
  } finally {
    closeSync(file)
  }
}

type Read = (at: number, into: Uint8Array) => number

function faultOf(read: Read, size: number): string | undefined {
  if (size === 0) return 'is empty'
  const seen = new Set<number>()
  const header = new Uint8Array(HEADER_BYTES)
  for (let at = 0; at < size; ) {
    const bytes = header.subarray(0, read(at, header))
    const part = readPart(bytes)
    if (!part) return seen.has(IR_VERSION) ? 'is truncated or damaged' : whatElse(bytes)
    at += part.length
    if (at > size) return seen.has(IR_VERSION) ? 'is truncated' : whatElse(bytes)
    seen.add(part.field)
  }
  if (!seen.has(IR_VERSION)) return 'is no ONNX model'
  return seen.has(GRAPH) ? undefined : 'is truncated'
}

function whatElse(start: Uint8Array): string {
  // What git leaves in place of a large file that it was not asked to fetch.
  return Buffer.from(start).toString('latin1').startsWith('version https')
    ? 'is a Git LFS pointer, not the model itself: fetch it with git lfs pull'
    : 'is no ONNX model'
}

/** The field at the start of `bytes` and its length in the file; undefined when it is none of ONNX's. */
function readPart(bytes: Uint8Array): { field: number; length: number } | undefined {
  const tag = readVarint(bytes, 0)
  if (!tag) return undefined
  const field = tag.value >> 3
  if (field < 1 || field > HIGHEST_FIELD) return undefined
  const value = readVarint(bytes, tag.next)
  if (!value) return undefined
  const wireType = tag.value & 7
  if (wireType === 0) return { field, length: value.next }
  if (wireType === 2) return { field, length: value.next + value.value }
  return undefined
}

function readVarint(bytes: Uint8Array, from: number): { value: number; next: number } | undefined {
  let value = 0
  let scale = 1
  for (let at = from; at < Math.min(bytes.length, from + 8); at++) {
    const byte = bytes[at] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, next: at + 1 }
    scale *= 128
  }
  return undefined
}
