import { Database, SQLiteError } from 'bun:sqlite'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../core/errors.ts'
import { type Log, silentLog } from '../core/log.ts'
import { inDirectory, prepareDirectory } from './data-directory.ts'

const NAME = 'landline.lock'
/** Longer than `isInstanceLocked` takes: who only looks keeps no server from starting. */
const LOOK_MS = 100

/**
 * Holds a data directory for one server: an exclusive SQLite lock on the side file `landline.lock`, which the kernel
 * drops with the process, however that ends. Commands may still open the database beside it.
 * Makes the directory where there is none. Throws AppError `conflict` when another process holds it,
 * `storage_unavailable` for a directory that cannot be used.
 */
export function lockInstance(dataDir: string, log: Log = silentLog): { release(): void } {
  prepareDirectory(dataDir, log)
  const file = join(dataDir, NAME)
  inDirectory(dataDir, () => closeSync(openSync(file, 'a', 0o600)))
  const lock = new Database(file, { readwrite: true, create: true })
  try {
    lock.run(`PRAGMA busy_timeout = ${LOOK_MS}`)
    lock.run('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
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

/** Whether a server holds this data directory now. Changes nothing there. */
export function isInstanceLocked(dataDir: string): boolean {
  const file = join(dataDir, NAME)
  if (!existsSync(file)) return false
  let lock: Database | undefined
  try {
    lock = new Database(file, { readonly: true })
    lock.run('PRAGMA busy_timeout = 0')
    lock.query('select name from sqlite_master').all()
    return false
  } catch (error) {
    return isBusy(error)
  } finally {
    lock?.close()
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY') === true
}
