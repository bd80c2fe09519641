import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { Tensor } from 'onnxruntime-common'
import { reasonOf } from '../../core/errors.ts'
import { forbidTelemetry } from './telemetry.ts'
import { unpackNative } from './unpack.ts'

/** One input or output of a model: its name, type and shape. A dimension that may vary is a name (or empty). */
export interface ValueInfo {
  name: string
  /** As onnxruntime-common names it; undefined for types that it has no name for. */
  type: Tensor.Type | undefined
  shape: readonly (number | string)[]
}

/** A loaded model. `run` is synchronous: it belongs on a thread that may block. */
export interface Session {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /** Throws when the tensors do not suit the model. */
  run(feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor>
  release(): void
}

export interface Runtime {
  /** Where its library lies, and looks for what it is made of. */
  readonly directory: string
  /**
   * Loads a model from its bytes, or from a path (which also finds weights stored in files beside it).
   * `threads`: how many work on one run (1); `device`: where it runs (the CPU). Throws an Error naming the path when it
   * is no ONNX model.
   */
  createSession(
    model: Uint8Array | string,
    options?: { threads?: number; device?: 'cpu' | 'cuda' },
  ): Session
}

interface RawValue {
  name: string
  type: number
  shape?: number[]
  symbolicDimensions?: string[]
}
interface RawSession {
  loadModel(path: string, options: object): void
  loadModel(bytes: ArrayBufferLike, offset: number, length: number, options: object): void
  readonly inputMetadata: RawValue[]
  readonly outputMetadata: RawValue[]
  run(feeds: object, fetches: object, options: object): Record<string, Tensor>
  dispose(): void
}
interface Binding {
  initOrtOnce(logLevel: number, tensor: typeof Tensor, mainThread: boolean): void
  InferenceSession: new () => RawSession
}

/** ONNX's TensorProto.DataType. */
const TYPES: Readonly<Record<number, Tensor.Type>> = {
  1: 'float32',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
}

/** Only what is fatal goes to stderr: everything else arrives as an exception. */
const LOG_FATAL = 4
const opened = new Map<string, Runtime>()

/**
 * onnxruntime from `<dataDir>/runtime`, unpacked there when needed; each thread opens its own, once.
 * Throws an Error with one readable sentence when it cannot be unpacked or loaded.
 */
export function openRuntime(dataDir: string): Runtime {
  const known = opened.get(dataDir)
  if (known) return known
  const path = unpackNative(dataDir)
  forbidTelemetry()
  const binding = loadBinding(path)
  binding.initOrtOnce(LOG_FATAL, Tensor, isMainThread)
  const runtime: Runtime = {
    directory: dirname(path),
    createSession: (model, { threads = 1, device = 'cpu' } = {}) =>
      createSession(binding, model, { threads, device }),
  }
  opened.set(dataDir, runtime)
  return runtime
}

function loadBinding(path: string): Binding {
  const module = { exports: {} as Binding }
  try {
    process.dlopen(module, path)
  } catch (error) {
    throw new Error(explainLoad(path, reasonOf(error)), { cause: error })
  }
  return module.exports
}

function explainLoad(path: string, reason: string): string {
  // What glibc says on a file system mounted with noexec.
  if (/failed to map segment|Operation not permitted/i.test(reason))
    return `the file system of ${path} does not allow programs (noexec): set data_dir to one that does`
  return `cannot load the inference runtime from ${path}: ${reason}`
}

function createSession(
  binding: Binding,
  model: Uint8Array | string,
  { threads, device }: { threads: number; device: 'cpu' | 'cuda' },
): Session {
  const raw = new binding.InferenceSession()
  const options = {
    // What a device cannot run falls to the CPU by itself.
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Inputs change their length from run to run: a remembered memory plan would not fit.
    enableMemPattern: false,
    logSeverityLevel: LOG_FATAL,
    // Threads that spin while they wait would keep a core busy between runs.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }
  try {
    if (typeof model === 'string') raw.loadModel(model, options)
    else raw.loadModel(model.buffer, model.byteOffset, model.byteLength, options)
  } catch (error) {
    const what = typeof model === 'string' ? model : 'the model'
    throw new Error(`${what} cannot be loaded: ${firstLine(reasonOf(error))}`, { cause: error })
  }
  const outputs = raw.outputMetadata.map(toInfo)
  const fetches = Object.fromEntries(outputs.map(({ name }) => [name, null]))
  return {
    inputs: raw.inputMetadata.map(toInfo),
    outputs,
    run: (feeds) => raw.run(toNative(feeds), fetches, {}),
    release: () => raw.dispose(),
  }
}

/** The binding does not know Float16Array, which onnxruntime-common keeps 16-bit numbers in: it gets their bits. */
function toNative(feeds: Readonly<Record<string, Tensor>>): object {
  const isHalf = (tensor: Tensor): boolean => tensor.type === 'float16'
  if (!Object.values(feeds).some(isHalf)) return feeds
  const bits = ({ type, dims, location, data }: Tensor): object => {
    const view = data as unknown as Uint16Array
    return {
      type,
      dims,
      location,
      data: new Uint16Array(view.buffer, view.byteOffset, view.length),
    }
  }
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [name, isHalf(tensor) ? bits(tensor) : tensor]),
  )
}

function toInfo(value: RawValue): ValueInfo {
  const shape = value.shape ?? []
  return {
    name: value.name,
    type: TYPES[value.type],
    shape: shape.map((size, i) => (size >= 0 ? size : (value.symbolicDimensions?.[i] ?? ''))),
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}
