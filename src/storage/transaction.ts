import type { Database } from 'bun:sqlite'
import type { Clock } from '../core/clock.ts'
import { isBusy, toStorageError, unavailableReason } from './storage-error.ts'

/** So many waiting writes share one fsync at most: a flush must not hold the thread for long. */
const LARGEST_BATCH = 64
/** While another process writes, ours are tried again after this, and refused when that takes too long. */
const BUSY_AGAIN_MS = 50
const LONGEST_BUSY_MS = 2000

export interface Transactions {
  /**
   * Runs `body` in a transaction and resolves with its result when that is on disk. `body` is synchronous; when it
   * throws, nothing of it stays and the promise rejects. Bodies run in the order of their calls.
   */
  write<T>(body: () => T): Promise<T>
  /** Runs `body` outside a transaction; it sees every write that has resolved. */
  read<T>(body: () => T): T
  /** Commits what waits, now; for the last time. */
  finish(): void
  /** Why the last write failed for want of a usable disk; null since one went through. */
  readonly failure: string | null
}

interface Waiting {
  body(): unknown
  resolve(value: unknown): void
  reject(error: unknown): void
}

type Outcome = { value: unknown } | { error: unknown }

/**
 * The one way to write. Writes that wait at the same time are committed together (one fsync), each atomic by its
 * savepoint. `defer` says when a flush happens: at the end of the event loop's turn for a file, so that neighbours
 * can join; at once where a commit costs nothing.
 */
export function createTransactions(o: {
  sqlite: Database
  clock: Clock
  defer: (flush: () => void) => void
}): Transactions {
  const { sqlite, clock } = o
  let waiting: Waiting[] = []
  let failure: string | null = null
  /** Since when another process holds the lock, by `clock.steady`. */
  let busySince: number | null = null
  let finished = false

  function flush(): void {
    while (waiting.length > 0) {
      if (!begin()) return void clock.after(BUSY_AGAIN_MS, flush)
      const batch = waiting.slice(0, LARGEST_BATCH)
      waiting = waiting.slice(LARGEST_BATCH)
      commit(batch)
    }
  }

  /** Takes the lock; false when another process has it, and may soon let it go. */
  function begin(): boolean {
    try {
      sqlite.run('BEGIN IMMEDIATE')
      busySince = null
      return true
    } catch (error) {
      const now = clock.steady()
      busySince ??= now
      if (isBusy(error) && !finished && now - busySince < LONGEST_BUSY_MS) return false
      refuse(waiting.splice(0), error)
      return true
    }
  }

  function refuse(batch: readonly Waiting[], error: unknown): void {
    failure = unavailableReason(error) ?? failure
    for (const one of batch) one.reject(toStorageError(error))
  }

  function commit(batch: readonly Waiting[]): void {
    if (batch.length === 0) return
    try {
      const outcomes = runTogether(sqlite, batch)
      failure = null
      for (const [i, outcome] of outcomes.entries()) {
        if ('value' in outcome) batch[i]?.resolve(outcome.value)
        else batch[i]?.reject(toStorageError(outcome.error))
      }
    } catch (error) {
      // The shared transaction is gone, and with it every write of the batch.
      refuse(batch, error)
    }
  }

  return {
    write<T>(body: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({ body, resolve: (value) => resolve(value as T), reject })
        if (waiting.length === 1) o.defer(flush)
      })
    },
    read(body) {
      try {
        return body()
      } catch (error) {
        throw toStorageError(error)
      }
    },
    finish() {
      finished = true
      flush()
    },
    get failure() {
      return failure
    },
  }
}

/** All bodies in the open transaction; throws, with everything undone, when it cannot go on. */
function runTogether(sqlite: Database, batch: readonly Waiting[]): Outcome[] {
  try {
    const outcomes = batch.map((one) => runOne(sqlite, one.body))
    sqlite.run('COMMIT')
    return outcomes
  } catch (error) {
    // A full disk may have rolled back already.
    if (sqlite.inTransaction) sqlite.run('ROLLBACK')
    throw error
  }
}

function runOne(sqlite: Database, body: () => unknown): Outcome {
  sqlite.run('SAVEPOINT one')
  try {
    const value = body()
    if (value instanceof Promise) throw new Error('a transaction body must not be asynchronous')
    sqlite.run('RELEASE one')
    return { value }
  } catch (error) {
    if (unavailableReason(error) !== undefined || !sqlite.inTransaction) throw error
    sqlite.run('ROLLBACK TO one')
    sqlite.run('RELEASE one')
    return { error }
  }
}
