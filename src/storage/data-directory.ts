import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/**
 * Makes the data directory for this user only (0700); an empty one counts as new. One that holds other things keeps
 * the rights that its owner gave it, with a warning where others may look inside. Throws AppError
 * `storage_unavailable` for a place that cannot be one.
 */
export function prepareDirectory(directory: string, log: Log): void {
  inDirectory(directory, () => {
    if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 })
    else if (readdirSync(directory).length === 0) chmodSync(directory, 0o700)
    else if ((statSync(directory).mode & 0o077) !== 0)
      log.warn('data directory is open to other users', { directory, mend: 'chmod 700' })
  })
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a part of its path is a file',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
  ENAMETOOLONG: 'its name is too long',
}

/** Does something with the files of a data directory; what the system refuses becomes a sentence to act on. */
export function inDirectory<T>(directory: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    if (typeof code !== 'string' || error instanceof AppError) throw error
    const why = REASONS[code] ?? reasonOf(error)
    throw new AppError(
      'storage_unavailable',
      `The data directory ${directory} cannot be used: ${why}. Set data_dir to a directory of this user's.`,
      { cause: error },
    )
  }
}
