import { describe } from 'vitest'
import { exerciseCallCreation } from './call-store-create.ts'
import { exerciseCallEnd } from './call-store-end.ts'
import { exerciseCallProgress } from './call-store-progress.ts'
import { exerciseCallReception } from './call-store-receive.ts'
import { exerciseCallRetry } from './call-store-retry.ts'
import { exerciseCallTraces } from './call-store-traces.ts'
import type { OpenStores } from './stores.ts'

/** What every CallStore does. */
export function exerciseCallStore(name: string, open: OpenStores): void {
  describe(`${name}: calls`, () => {
    exerciseCallCreation(open)
    exerciseCallReception(open)
    exerciseCallProgress(open)
    exerciseCallEnd(open)
    exerciseCallRetry(open)
    exerciseCallTraces(open)
  })
}
