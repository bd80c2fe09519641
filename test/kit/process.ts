/** What a process of the appliance has, and loses at once when it is killed: its clock and its database connection. */
import type { Clock } from '../../src/core/clock.ts'
import { AppError } from '../../src/core/errors.ts'
import type { Storage } from '../../src/storage/open.ts'

/** A process's view of the one clock. */
export interface ProcessClock extends Clock {
  /** From now on no timer fires. */
  freeze(): void
  /** From now on every wait is over at once, so that what still runs comes to its end. */
  rush(): void
}

export function createProcessClock(world: Clock): ProcessClock {
  const waiting = new Set<() => void>()
  let mode: 'runs' | 'frozen' | 'rushes' = 'runs'
  return {
    now: () => world.now(),
    steady: () => world.steady(),
    after(ms, fn) {
      if (mode === 'frozen') return () => undefined
      if (mode === 'rushes') {
        const soon = setImmediate(fn)
        return () => clearImmediate(soon)
      }
      const go = (): void => {
        if (waiting.delete(go)) fn()
      }
      waiting.add(go)
      const forget = world.after(ms, () => {
        if (mode === 'runs') go()
      })
      return () => {
        waiting.delete(go)
        forget()
      }
    },
    freeze() {
      mode = 'frozen'
    },
    rush() {
      mode = 'rushes'
      for (const go of [...waiting]) setImmediate(go)
    },
  }
}

export interface ProcessStorage extends Storage {
  /** Every method for which this is true fails like a full disk. */
  fails: (store: string, method: string) => boolean
  /** From now on nothing is read or written. */
  revoke(): void
}

/** A process's connection to the one database; closing it leaves the database open. */
export function connectStorage(storage: Storage): ProcessStorage {
  let revoked = false

  function guard<T extends object>(name: string, store: T): T {
    return new Proxy(store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (revoked) throw new Error('this process is gone')
          if (connected.fails(name, String(key)))
            throw new AppError('storage_unavailable', 'The database cannot be used now: full.')
          return value.apply(target, args) as unknown
        }
      },
    })
  }

  const connected: ProcessStorage = {
    calls: guard('calls', storage.calls),
    jobs: guard('jobs', storage.jobs),
    webhooks: guard('webhooks', storage.webhooks),
    ledger: guard('ledger', storage.ledger),
    keys: guard('keys', storage.keys),
    numbers: guard('numbers', storage.numbers),
    backup: (file) => storage.backup(file),
    probe: () => storage.probe(),
    close: async () => undefined,
    fails: () => false,
    revoke() {
      revoked = true
    },
  }
  return connected
}
