import { Database, SQLiteError } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/errors.ts'
import { type Log, silentLog } from '../core/log.ts'
import { inDirectory, prepareDirectory } from './data-directory.ts'

/**
 * Holds a data directory for one server: an exclusive SQLite lock on the side file `landline.lock`, which the kernel
 * drops with the process, however that ends. Commands may still open the database beside it.
 * Makes the directory where there is none. Throws AppError `conflict` when another process holds it,
 * `storage_unavailable` for a directory that cannot be used.
 */
export function lockInstance(dataDir: string, log: Log = silentLog): { release(): void } {
  prepareDirectory(dataDir, log)
  const file = join(dataDir, 'landline.lock')
  inDirectory(dataDir, () => closeSync(openSync(file, 'a', 0o600)))
  const lock = new Database(file, { readwrite: true, create: true })
  try {
    lock.run('PRAGMA busy_timeout = 0')
    lock.run('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!(error instanceof SQLiteError) || !error.code?.startsWith('SQLITE_BUSY')) throw error
    throw new AppError(
      'conflict',
      `Starting on ${dataDir}: another Landline server is running on this data directory.`,
      { cause: error },
    )
  }
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      lock.run('ROLLBACK')
      lock.close()
    },
  }
}
