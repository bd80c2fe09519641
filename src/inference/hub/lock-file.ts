/** `<dataDir>/models/models.lock.json`: what each installed model was when it first came, so that it stays that. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../core/errors.ts'

export const LOCK_FILE = 'models.lock.json'

export interface LockedModel {
  /** `owner/name` on the hub; null for what was imported from elsewhere. */
  repo: string | null
  /** The commit that the files are of; null where it is not known. */
  revision: string | null
  /** By path under the model's directory. */
  files: Record<string, { size: number; sha256: string }>
}

export type Lock = Record<string, LockedModel>

/** The lock file of a directory of models; empty when there is none. Throws an Error that names a file that is none. */
export function readLock(models: string): Lock {
  const path = join(models, LOCK_FILE)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${path} cannot be read: ${reasonOf(error)}`, { cause: error })
  }
  const lock = parse(text)
  if (!lock) throw new Error(`${path} is no lock file of models: mend it or take it away`)
  return lock
}

/** Replaces the file in one step. */
export function writeLock(models: string, lock: Lock): void {
  const sorted = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)))
  const path = join(models, LOCK_FILE)
  writeFileSync(`${path}.new`, `${JSON.stringify({ models: sorted }, null, 2)}\n`)
  renameSync(`${path}.new`, path)
}

function parse(text: string): Lock | undefined {
  try {
    const value = JSON.parse(text) as { models?: unknown } | null
    const models = value?.models
    if (!isObject(models)) return undefined
    return Object.values(models).every(isLocked) ? (models as Lock) : undefined
  } catch {
    return undefined
  }
}

function isLocked(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.files)) return false
  const named = (text: unknown): boolean => text === null || typeof text === 'string'
  if (!named(value.repo) || !named(value.revision)) return false
  return Object.values(value.files).every(
    (file) =>
      isObject(file) &&
      typeof file.size === 'number' &&
      typeof file.sha256 === 'string' &&
      /^[0-9a-f]{64}$/.test(file.sha256),
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
