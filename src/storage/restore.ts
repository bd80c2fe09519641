import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { lockInstance } from './instance-lock.ts'
import { openStorage } from './open.ts'

/**
 * Puts the backup `file` in the place of the data directory's database and keeps the replaced one beside it.
 * Throws AppError `conflict` while a server runs; for a file that is no whole database of ours, or whose secrets do not
 * open with this directory's key, `storage_unavailable`. Whatever it throws, the database in place is untouched.
 */
export async function restoreDatabase(o: {
  dataDir: string
  file: string
  clock: Clock
  ids: Ids
  log: Log
}): Promise<{ replaced: string | null }> {
  if (!existsSync(o.file))
    throw new AppError('storage_unavailable', `Restoring ${o.file}: there is no such file.`)
  const lock = lockInstance(o.dataDir, o.log)
  const path = join(o.dataDir, 'landline.db')
  // It has to prove itself under a name of its own in this directory, where the key is.
  const candidate = join(o.dataDir, `restore-${o.ids.hex(4)}.db`)
  try {
    copyFileSync(o.file, candidate)
    await prove(candidate, o)
    const replaced = existsSync(path) ? setAside(path, o.clock.now()) : null
    renameSync(candidate, path)
    return { replaced }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('storage_unavailable', `Restoring ${o.file}: ${reasonOf(error)}.`, {
      cause: error,
    })
  } finally {
    for (const end of ['', '-wal', '-shm']) rmSync(`${candidate}${end}`, { force: true })
    lock.release()
  }
}

async function prove(path: string, o: { clock: Clock; ids: Ids; log: Log }): Promise<void> {
  const storage = openStorage({ ...o, path, initialCreditCents: 0, accountName: '' })
  await storage.close()
}

/** Renames a closed database with what belongs to it; returns the new name. */
function setAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-')
  const aside = `${path}.replaced-${stamp}`
  for (const end of ['-wal', '-shm', ''])
    if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${aside}${end}`)
  return aside
}
