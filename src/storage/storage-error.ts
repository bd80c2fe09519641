import { SQLiteError } from 'bun:sqlite'
import { AppError } from '../core/errors.ts'

/** What SQLite reports when the place is to blame, not the statement; each with a sentence for people. */
const REASONS: readonly [RegExp, string][] = [
  [/^SQLITE_FULL/, 'the disk is full'],
  [/^SQLITE_READONLY/, 'it is read-only'],
  [/^SQLITE_(IOERR|CANTOPEN)/, 'the disk reported an error'],
  [/^SQLITE_(BUSY|LOCKED)/, 'another process held it for too long'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'it is damaged'],
  [/^SQLITE_NOMEM/, 'memory ran out'],
]

/** Why the database cannot be used, or undefined when `error` says something else. */
export function unavailableReason(error: unknown): string | undefined {
  if (!(error instanceof SQLiteError)) return undefined
  const code = error.code ?? ''
  return REASONS.find(([pattern]) => pattern.test(code))?.[1]
}

/** Whether another process holds the lock now. */
export function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code ?? '')
}

/** Whether `error` says that the file is not, or no longer, a sound database. */
export function isDamage(error: unknown): boolean {
  return error instanceof SQLiteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code ?? '')
}

/** A full disk and its like become `storage_unavailable`; anything else stays what it is. */
export function toStorageError(error: unknown): unknown {
  const reason = unavailableReason(error)
  if (reason === undefined) return error
  return new AppError(
    'storage_unavailable',
    `The database cannot be used now: ${reason}. Try again later.`,
    { cause: error, retryAfterSeconds: 10 },
  )
}
