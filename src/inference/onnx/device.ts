/** Which device models run on: the graphics card by CUDA where that works, else the CPU. */
import { Tensor } from 'onnxruntime-common'
import { reasonOf } from '../../core/errors.ts'
import { CUDA_FOLDER, linkProviders, PROVIDERS } from './cuda-files.ts'
import type { Runtime } from './runtime.ts'

/** `speech.device`. */
export type WantedDevice = 'auto' | 'cpu' | 'cuda'

export interface Device {
  name: 'cpu' | 'cuda'
  /** Why it is not CUDA, in words, where CUDA was tried. */
  reason: string | null
}

/**
 * The device that `wanted` comes to here: CUDA when a tiny model runs on it; `auto` tries that only where its files
 * are installed. Blocks for as long as CUDA takes to begin. Does not throw.
 */
export function chooseDevice(runtime: Runtime, dataDir: string, wanted: WantedDevice): Device {
  if (wanted === 'cpu') return { name: 'cpu', reason: null }
  try {
    if (!linkProviders(dataDir, runtime.directory)) {
      // The API shows this too: no path of this machine.
      const missing = `${PROVIDERS.join(' and ')} are not in ${CUDA_FOLDER} of the data directory`
      return { name: 'cpu', reason: wanted === 'cuda' ? missing : null }
    }
    const sum = addOnCuda(runtime)
    if (sum === 3) return { name: 'cuda', reason: null }
    return { name: 'cpu', reason: `CUDA computes 1 + 2 = ${sum}` }
  } catch (error) {
    return { name: 'cpu', reason: `CUDA does not work: ${reasonOf(error)}` }
  }
}

/** 1 + 2 on the card. */
function addOnCuda(runtime: Runtime): number {
  const session = runtime.createSession(ADD_MODEL, { device: 'cuda' })
  try {
    const one = (value: number): Tensor => new Tensor('float32', Float32Array.of(value), [1])
    return Number(session.run({ a: one(1), b: one(2) }).c?.data[0])
  } finally {
    session.release()
  }
}

/** The ONNX model c = a + b of one float each: IR version 8, operator set 17. */
const ADD_MODEL = new Uint8Array(
  Buffer.from(
    'CAg6SQoOCgFhCgFiEgFjIgNBZGQSBHRlc3RaDwoBYRIKCggIARIECgIIAVoPCgFiEgoKCAgBEgQKAggBYg8KAWMSCgoICAESBAoCCAFCBAoAEBE=',
    'base64',
  ),
)
