import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { reasonOf } from '../../core/errors.ts'
import libraryPath from './native/libonnxruntime.so.1.zst.bin' with { type: 'file' }
import bindingPath from './native/onnxruntime_binding.node.bin' with { type: 'file' }
import { BINDING_NAME, isNativeArch, LIBRARY_NAME, NATIVE_FILES } from './native-files.ts'

type Write = (path: string, bytes: Uint8Array, options: { mode: number }) => void

/**
 * Puts the embedded native files into `<dataDir>/runtime/<content hash>/`, unless they are there unharmed, and
 * returns the binding's path. Both files are hashed on every call, so a truncated one is replaced.
 * Throws an Error that says what to do when the directory is unsafe, full or not writable.
 */
export function unpackNative(dataDir: string, write: Write = writeFileSync): string {
  if (process.platform !== 'linux' || !isNativeArch(process.arch))
    throw new Error(
      `the inference runtime needs Linux on x64 or arm64, not ${process.platform} on ${process.arch}`,
    )
  const known = NATIVE_FILES[process.arch]
  const runtimeDir = join(dataDir, 'runtime')
  const dir = join(runtimeDir, sha256(Buffer.from(known.binding + known.library)).slice(0, 16))
  makeDirectory(dir)
  for (const each of [dataDir, runtimeDir, dir]) refuseUnsafe(each)
  place(write, join(dir, LIBRARY_NAME), {
    hash: known.library,
    content: () => Bun.zstdDecompressSync(readFileSync(libraryPath)),
  })
  place(write, join(dir, BINDING_NAME), {
    hash: known.binding,
    content: () => readFileSync(bindingPath),
  })
  return join(dir, BINDING_NAME)
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Error(`cannot make ${dir} for the inference runtime: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Code is loaded from here: throws when somebody but its owner can put other code in place. */
export function refuseUnsafe(dir: string): void {
  const { mode, uid } = statSync(dir)
  if (mode & 0o002)
    throw new Error(
      `${dir} is writable by everybody, so no code is loaded from it: chmod o-w ${dir}`,
    )
  const me = process.getuid?.() ?? uid
  if (uid !== me && uid !== 0)
    throw new Error(
      `${dir} belongs to another user, so no code is loaded from it: chown it or set data_dir`,
    )
}

/** Writes `path` in one step unless it holds what it should already. */
function place(
  write: Write,
  path: string,
  { hash, content }: { hash: string; content: () => Uint8Array },
): void {
  if (isIntact(path, hash)) return
  const bytes = content()
  if (sha256(bytes) !== hash)
    throw new Error(`the executable is damaged: ${path} does not unpack to what was built`)
  const part = `${path}.part-${process.pid}-${threadId}`
  try {
    removeLeftovers(path)
    write(part, bytes, { mode: 0o600 })
    // Another thread may have been faster; a second copy under the same name would be loaded twice.
    if (isIntact(path, hash)) rmSync(part)
    else renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw new Error(explain(error, path, bytes.length), { cause: error })
  }
}

function explain(error: unknown, path: string, size: number): string {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC')
    return `cannot write ${path}: ${reasonOf(error)}`
  return `the disk is full: unpacking the inference runtime to ${path} takes ${Math.ceil(size / 1e6)} MB`
}

/** What a process that was killed while it unpacked left behind. */
function removeLeftovers(path: string): void {
  const dir = join(path, '..')
  for (const name of readdirSync(dir)) {
    const pid = Number(/\.part-(\d+)-\d+$/.exec(name)?.[1])
    if (pid > 0 && !isAlive(pid)) rmSync(join(dir, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function isIntact(path: string, hash: string): boolean {
  try {
    return sha256(readFileSync(path)) === hash
  } catch {
    return false
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
