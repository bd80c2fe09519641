import { Database } from 'bun:sqlite'
import { chmodSync, closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { inDirectory, prepareDirectory } from './data-directory.ts'
import { migrate } from './migrate.ts'
import { isDamage, unavailableReason } from './storage-error.ts'

/** How long opening waits for another process (a command) that writes, in ms. The thread stands still meanwhile. */
export const PATIENT_MS = 2000
/** How long a statement waits later on: the rest of the patience is in `transaction.ts`, which lets the thread go. */
export const IMPATIENT_MS = 20

/**
 * Opens the database at `path` (`:memory:` for tests) and brings it to the newest schema. `check`: reads it from end
 * to end before, which takes its time with a large one; without it, damage is found where it is read.
 * Throws AppError `storage_unavailable` with what to do when it is damaged, newer, altered or out of reach.
 */
export function openDatabase(o: {
  path: string
  log: Log
  now: number
  check: boolean
  /** A copy is kept beside it before a migration. */
  keepCopy: boolean
}): Database {
  let sqlite: Database | undefined
  try {
    if (o.path !== ':memory:') preparePlace(o.path, o.log)
    sqlite = new Database(o.path, { create: true, readwrite: true, strict: true })
    sqlite.run(`PRAGMA busy_timeout = ${PATIENT_MS}`)
    sqlite.run('PRAGMA journal_mode = WAL')
    // What was acknowledged survives a power cut: each commit is synced.
    sqlite.run('PRAGMA synchronous = FULL')
    if (o.check) checkIntegrity(sqlite, o.path)
    migrate(sqlite, o)
    sqlite.run('PRAGMA foreign_keys = ON')
    return sqlite
  } catch (error) {
    sqlite?.close()
    if (isDamage(error)) throw damaged(o.path, error)
    if (error instanceof AppError) throw error
    const reason = unavailableReason(error)
    const why = reason ? `${reason} (${reasonOf(error)})` : reasonOf(error)
    throw new AppError('storage_unavailable', `Opening the database ${o.path}: ${why}.`, {
      cause: error,
    })
  }
}

/** The file is for this user only (0600) from its first byte on; SQLite gives its log the same rights. */
function preparePlace(path: string, log: Log): void {
  prepareDirectory(dirname(path), log)
  inDirectory(dirname(path), () => {
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
    else if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  })
}

function checkIntegrity(sqlite: Database, path: string): void {
  const rows = sqlite.query<{ quick_check: string }, []>('PRAGMA quick_check(1)').all()
  const first = rows[0]?.quick_check
  if (first !== 'ok') throw damaged(path, new Error(first))
}

function damaged(path: string, cause: unknown): AppError {
  const copies = copiesOf(path)
  const hint = copies.length > 0 ? ` Copies beside it: ${copies.join(', ')}.` : ''
  return new AppError(
    'storage_unavailable',
    `Opening the database ${path}: it is damaged (${reasonOf(cause).replaceAll('\n', ' ')}). ` +
      `Restore a backup: landline restore FILE.${hint}`,
    { cause },
  )
}

function copiesOf(path: string): string[] {
  try {
    return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.before-`))
  } catch {
    return []
  }
}
