/**
 * Copies the native files of onnxruntime-node and @evan/opus to where `src/inference/onnx` and `src/telephony/codecs`
 * embed them from, unless they are there. A `.node` file cannot be imported as a file outside a compiled binary: its copy is called `.node.bin`.
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
import { OPUS_NAME, OPUS_SHA256 } from '../src/telephony/codecs/opus-files.ts'
import { root } from './set-up.ts'

/** 46 MB become 15 MB in about a second; the higher levels save another MB in twenty. */
const ZSTD_LEVEL = 9

/** Makes the embedded native files for `arch`. Throws when the installed package is not the one that we know. */
export function prepareNative(arch: string = process.arch): void {
  prepareOnnx(arch)
  prepareOpus(arch)
}

function prepareOnnx(arch: string): void {
  if (!isNativeArch(arch)) throw new Error(`onnxruntime has no native files for ${arch}`)
  const to = join(root, 'src/inference/onnx/native')
  const stamp = join(to, 'stamp')
  const wanted = `${NATIVE_FILES[arch].binding} ${NATIVE_FILES[arch].library} ${ZSTD_LEVEL}`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const from = join(root, 'node_modules/onnxruntime-node/bin/napi-v6/linux', arch)
  const namedIn = 'src/inference/onnx/native-files.ts'
  const { binding: bindingHash, library: libraryHash } = NATIVE_FILES[arch]
  const binding = readPublished(join(from, BINDING_NAME), bindingHash, namedIn)
  const library = readPublished(join(from, LIBRARY_NAME), libraryHash, namedIn)
  mkdirSync(to, { recursive: true })
  replace(join(to, `${BINDING_NAME}.bin`), binding)
  replace(join(to, `${LIBRARY_NAME}.zst.bin`), Bun.zstdCompressSync(library, { level: ZSTD_LEVEL }))
  replace(stamp, Buffer.from(wanted))
}

function prepareOpus(arch: string): void {
  const sha256 = OPUS_SHA256[arch]
  if (sha256 === undefined) throw new Error(`@evan/opus has no native file for ${arch}`)
  const to = join(root, 'src/telephony/codecs/native')
  const stamp = join(to, 'stamp')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sha256) return
  const from = join(root, 'node_modules/@evan/opus/node', `${arch}-linux.node`)
  mkdirSync(to, { recursive: true })
  const namedIn = 'src/telephony/codecs/opus-files.ts'
  replace(join(to, `${OPUS_NAME}.bin`), readPublished(from, sha256, namedIn))
  replace(stamp, Buffer.from(sha256))
}

function readPublished(path: string, sha256: string, namedIn: string): Buffer {
  const bytes = readFileSync(path)
  if (createHash('sha256').update(bytes).digest('hex') !== sha256)
    throw new Error(`${path} is not the file that ${namedIn} names`)
  return bytes
}

function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes)
  renameSync(`${path}.part`, path)
}

if (import.meta.main) prepareNative(process.argv[2])
