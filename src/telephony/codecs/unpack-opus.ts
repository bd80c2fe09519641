import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { reasonOf } from '../../core/errors.ts'
import embeddedPath from './native/opus.node.bin' with { type: 'file' }
import { OPUS_NAME, OPUS_SHA256 } from './opus-files.ts'

/**
 * Puts the embedded native part of Opus into `<dataDir>/runtime/<content hash>/`, unless it is there unharmed (its bytes
 * are hashed each time), and returns its path. Throws an Error with one sentence when that cannot be done safely.
 */
export function unpackOpus(dataDir: string): string {
  const sha256 = OPUS_SHA256[process.arch]
  if (process.platform !== 'linux' || sha256 === undefined)
    throw new Error(`there is no Opus for ${process.platform} on ${process.arch}`)
  const runtimeDir = join(dataDir, 'runtime')
  const dir = join(runtimeDir, `opus-${sha256.slice(0, 16)}`)
  const path = join(dir, OPUS_NAME)
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    for (const each of [dataDir, runtimeDir, dir]) refuseUnsafe(each)
    if (isIntact(path, sha256)) return path
    const bytes = readFileSync(embeddedPath)
    if (hashOf(bytes) !== sha256) throw new Error('the executable is damaged')
    replace(path, bytes)
    return path
  } catch (error) {
    throw new Error(`cannot unpack Opus to ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** In one step: nobody sees half a file. */
function replace(path: string, bytes: Uint8Array): void {
  const part = `${path}.part-${process.pid}-${threadId}`
  try {
    writeFileSync(part, bytes, { mode: 0o600 })
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}

/** Code is loaded from here: nobody but its owner may be able to put other files in place. */
function refuseUnsafe(dir: string): void {
  const { mode, uid } = statSync(dir)
  if (mode & 0o002) throw new Error(`${dir} is writable by everybody: chmod o-w ${dir}`)
  const me = process.getuid?.() ?? uid
  if (uid !== me && uid !== 0) throw new Error(`${dir} belongs to another user`)
}

function isIntact(path: string, sha256: string): boolean {
  try {
    return hashOf(readFileSync(path)) === sha256
  } catch {
    return false
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
