import { existsSync, lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { refuseUnsafe } from './unpack.ts'

/** onnxruntime's own files for CUDA (package Microsoft.ML.OnnxRuntime.Gpu.Linux); it looks for them beside its library. */
export const PROVIDERS = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so']

/** Where the owner puts them, in the data directory. */
export const CUDA_FOLDER = 'runtime/cuda'

/**
 * Makes the CUDA files of `<dataDir>/runtime/cuda` known to the library in `libraryDir`, before it is asked for CUDA.
 * Returns whether they are all there. Throws an Error when they lie where anybody could replace them.
 */
export function linkProviders(dataDir: string, libraryDir: string): boolean {
  const from = join(dataDir, CUDA_FOLDER)
  const paths = PROVIDERS.map((name) => join(from, name))
  if (!paths.every((path) => existsSync(path))) return false
  for (const each of [from, ...paths]) refuseUnsafe(each)
  for (const name of PROVIDERS) link(join(from, name), join(libraryDir, name))
  return true
}

function link(target: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(path) === target)
    return
  rmSync(path, { force: true })
  try {
    symlinkSync(target, path)
  } catch (error) {
    // Another thread may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
