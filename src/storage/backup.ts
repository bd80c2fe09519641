import { Database } from 'bun:sqlite'
import { closeSync, openSync, rmSync, statSync } from 'node:fs'
import { AppError, reasonOf } from '../core/errors.ts'

/** Writes a whole copy to `file` (mode 0600), which must not exist yet. Other connections may write meanwhile. */
export function copyDatabase(sqlite: Database, file: string): void {
  try {
    // SQLite fills an empty file, so that the copy is never readable by others.
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const why = reasonOf(error).includes('EEXIST') ? 'the file exists already' : reasonOf(error)
    throw new AppError('conflict', `Writing the copy ${file}: ${why}.`, { cause: error })
  }
  try {
    sqlite.query('vacuum into ?').run(file)
  } catch (error) {
    rmSync(file, { force: true })
    throw new AppError('storage_unavailable', `Writing the copy ${file}: ${reasonOf(error)}.`, {
      cause: error,
    })
  }
}

/** As `copyDatabase`, over a connection of its own: a statement in progress on the main one would forbid it. */
export function backupFile(path: string, file: string): { bytes: number } {
  const sqlite = new Database(path, { readonly: true })
  try {
    copyDatabase(sqlite, file)
  } finally {
    sqlite.close()
  }
  return { bytes: statSync(file).size }
}
