import { createHash } from 'node:crypto'
import { createIds, type Ids } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/open.ts'
import { SimClock } from './sim-clock.ts'

/** Ids from a fixed seed, so that a failing test fails again. */
export function testIds(clock: SimClock, seed = 'seed'): Ids {
  let count = 0
  return createIds(clock, (n) => {
    const bytes: Buffer[] = []
    for (let i = 0; i < n; i += 32)
      bytes.push(createHash('sha256').update(`${seed} ${count++}`).digest())
    return Buffer.concat(bytes).subarray(0, n)
  })
}

/** A storage in memory, or on a file, with a simulated clock. */
export function openTestStorage(
  o: Partial<StorageOptions> & { clock?: SimClock } = {},
): Storage & { clock: SimClock; ids: Ids } {
  const clock = o.clock ?? new SimClock()
  const ids = o.ids ?? testIds(clock)
  const storage = openStorage({
    path: ':memory:',
    log: silentLog,
    initialCreditCents: 500,
    accountName: 'Owner',
    ...o,
    clock,
    ids,
  })
  return { ...storage, clock, ids }
}
