import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import type { Log } from '../core/log.ts'

/**
 * Makes the data directory for this user only (0700); an empty one counts as new. One that holds other things keeps
 * the rights that its owner gave it, with a warning where others may look inside.
 */
export function prepareDirectory(directory: string, log: Log): void {
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 })
  else if (readdirSync(directory).length === 0) chmodSync(directory, 0o700)
  else if ((statSync(directory).mode & 0o077) !== 0)
    log.warn('data directory is open to other users', { directory, mend: 'chmod 700' })
}
