import { createCipheriv, createDecipheriv } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1.'

/** Seals short texts for the database with AES-256-GCM. */
export interface Secrets {
  /** `about` is bound to the sealed text: it opens for the same `about` only. */
  seal(text: string, about: string): string
  /** Throws when the key or `about` is another one, or the sealed text was changed. */
  open(sealed: string, about: string): string
}

export function createSecrets(key: Uint8Array, ids: Ids): Secrets {
  if (key.length !== KEY_BYTES) throw new Error(`a secret key has ${KEY_BYTES} bytes`)
  return {
    seal(text, about) {
      const nonce = Buffer.from(ids.hex(NONCE_BYTES), 'hex')
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(about))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return VERSION + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url')
      if (!sealed.startsWith(VERSION) || bytes.length < NONCE_BYTES + TAG_BYTES)
        throw new Error('a sealed text has another form')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(about))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      const body = bytes.subarray(NONCE_BYTES, -TAG_BYTES)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    },
  }
}

/**
 * The key in `file`. Without one it is made (mode 0600), unless `sealed` says that the database holds secrets
 * already: a new key would not open them, so that is refused.
 */
export function loadSecretKey(o: { file: string; ids: Ids; sealed: boolean }): Uint8Array {
  if (!existsSync(o.file)) {
    if (o.sealed)
      throw new AppError(
        'storage_unavailable',
        `Opening the database: its secrets are sealed with a key that is missing. Put the file back: ${o.file}`,
      )
    writeKey(o.file, o.ids.hex(KEY_BYTES), o.ids.hex(4))
  }
  chmodSync(o.file, 0o600)
  const text = readFileSync(o.file, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new AppError(
      'storage_unavailable',
      `Opening the database: ${o.file} is not a Landline key. Put the original file back.`,
    )
  return Buffer.from(text, 'hex')
}

/** Appears whole or not at all; when another process was first, its key stays. */
function writeKey(file: string, hex: string, suffix: string): void {
  const draft = `${file}.${suffix}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, `${hex}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(draft, file)
    syncDirectory(dirname(file))
  } catch (error) {
    if (!reasonOf(error).includes('EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
}

/** A new name is on disk only when its directory is. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
