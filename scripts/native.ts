/**
 * Copies the native files of onnxruntime-node to where `src/inference/onnx` embeds them from, unless they are there.
 * A `.node` file cannot be imported as a file outside a compiled binary: its copy is called `.node.bin`.
 *
 * Imported by the scripts of demo, test and build after the dependencies are installed; by hand: `bun scripts/native.ts`.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BINDING_NAME,
  isNativeArch,
  LIBRARY_NAME,
  NATIVE_FILES,
} from '../src/inference/onnx/native-files.ts'
import { root } from './set-up.ts'

/** 46 MB become 15 MB in about a second; the higher levels save another MB in twenty. */
const ZSTD_LEVEL = 9

/** Makes the embedded native files for `arch`. Throws when the installed package is not the one that we know. */
export function prepareNative(arch: string = process.arch): void {
  if (!isNativeArch(arch)) throw new Error(`onnxruntime has no native files for ${arch}`)
  const to = join(root, 'src/inference/onnx/native')
  const stamp = join(to, 'stamp')
  const wanted = `${NATIVE_FILES[arch].binding} ${NATIVE_FILES[arch].library} ${ZSTD_LEVEL}`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const from = join(root, 'node_modules/onnxruntime-node/bin/napi-v6/linux', arch)
  const binding = readPublished(join(from, BINDING_NAME), NATIVE_FILES[arch].binding)
  const library = readPublished(join(from, LIBRARY_NAME), NATIVE_FILES[arch].library)
  mkdirSync(to, { recursive: true })
  replace(join(to, `${BINDING_NAME}.bin`), binding)
  replace(join(to, `${LIBRARY_NAME}.zst.bin`), Bun.zstdCompressSync(library, { level: ZSTD_LEVEL }))
  replace(stamp, Buffer.from(wanted))
}

function readPublished(path: string, sha256: string): Buffer {
  const bytes = readFileSync(path)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new Error(`${path} is not the file that src/inference/onnx/native-files.ts names`)
  return bytes
}

function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes)
  renameSync(`${path}.part`, path)
}

if (import.meta.main) prepareNative(process.argv[2])
