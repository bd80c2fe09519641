import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { closeBegun } from './close-begun.ts'
import { lockInstance } from './instance-lock.ts'
import { openStorage } from './open.ts'

/**
 * Puts the backup `file` in the place of the data directory's database and keeps the replaced one beside it.
 * Throws AppError `conflict` while a server runs; for a file that is no whole database of ours, or whose secrets do not
 * open with this directory's key, `storage_unavailable`. Calls that were dialled since the backup are closed in it. Whatever it throws, the database in place is untouched.
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
  const name = `restore-${o.ids.hex(4)}.db`
  const candidate = join(o.dataDir, name)
  try {
    copyFileSync(o.file, candidate)
    // A database that was set aside may have its log beside it.
    if (existsSync(`${o.file}-wal`)) copyFileSync(`${o.file}-wal`, `${candidate}-wal`)
    await prove(candidate, o)
    if (existsSync(path)) {
      closeBegun({ path: candidate, replaced: path, now: o.clock.now(), log: o.log })
      await prove(candidate, o)
    }
    const replaced = existsSync(path) ? setAside(path, o.clock.now()) : null
    renameSync(candidate, path)
    return { replaced }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('storage_unavailable', `Restoring ${o.file}: ${reasonOf(error)}.`, {
      cause: error,
    })
  } finally {
    for (const left of readdirSync(o.dataDir).filter((file) => file.startsWith(name)))
      rmSync(join(o.dataDir, left), { force: true })
    lock.release()
  }
}

async function prove(path: string, o: { clock: Clock; ids: Ids; log: Log }): Promise<void> {
  const made = { initialCreditCents: 0, accountName: '' }
  const storage = openStorage({ ...o, ...made, path, check: true, keepCopy: false })
  await storage.close()
  const log = `${path}-wal`
  if (existsSync(log) && statSync(log).size > 0)
    throw new AppError('storage_unavailable', 'Restoring: the copy could not be written whole.')
}

/** Renames a closed database with what belongs to it; returns the new name. */
function setAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-')
  const aside = `${path}.replaced-${stamp}`
  for (const end of ['-wal', '-shm', ''])
    if (existsSync(`${path}${end}`)) renameSync(`${path}${end}`, `${aside}${end}`)
  return aside
}
