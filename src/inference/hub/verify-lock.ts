import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LockedModel } from './lock-file.ts'

const CHUNK = 4 * 1024 * 1024

/** What of a model is not as it was pinned; null when all is. Reads every byte and blocks its thread meanwhile. */
export function faultOfLocked(dir: string, locked: LockedModel): string | null {
  for (const [path, { size, sha256 }] of Object.entries(locked.files)) {
    const file = join(dir, path)
    const has = statSync(file, { throwIfNoEntry: false })?.size
    if (has === undefined) return `${file} is missing`
    if (has !== size) return `${file} has ${has} bytes; it had ${size} when it was installed`
    if (sha256Of(file) !== sha256) return `${file} is not what it was when it was installed`
  }
  return null
}

function sha256Of(file: string): string {
  const hash = createHash('sha256')
  const chunk = Buffer.alloc(CHUNK)
  const handle = openSync(file, 'r')
  try {
    for (let read = readSync(handle, chunk); read > 0; read = readSync(handle, chunk))
      hash.update(chunk.subarray(0, read))
  } finally {
    closeSync(handle)
  }
  return hash.digest('hex')
}
