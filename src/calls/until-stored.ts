import { type Clock, sleep } from '../core/clock.ts'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/** A database that could not be used is tried again after this. */
const REST_MS = 1000

/**
 * Writes, and writes again after a rest for as long as the database cannot be used: what a call came to is not lost to
 * a disk that is full for a while. Throws what else goes wrong, and the last error once `signal` has aborted.
 */
export async function untilStored<T>(
  d: { clock: Clock; log: Log },
  o: { callId: string; signal: AbortSignal },
  write: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await write()
    } catch (error) {
      if (!isUnavailable(error) || o.signal.aborted) throw error
      if (tries === 1)
        d.log.error('part of a call waits to be stored', {
          callId: o.callId,
          reason: reasonOf(error),
        })
      await sleep(d.clock, REST_MS, o.signal)
    }
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'storage_unavailable'
}
