import { describe } from 'vitest'
import { exerciseCallCreation } from './call-store-create.ts'
import { exerciseCallEnd } from './call-store-end.ts'
import { exerciseCallProgress } from './call-store-progress.ts'
import { exerciseCallTraces } from './call-store-traces.ts'
import type { OpenStores } from './stores.ts'

/** What every CallStore does. */
export function exerciseCallStore(name: string, open: OpenStores): void {
  describe(`${name}: calls`, () => {
    exerciseCallCreation(open)
    exerciseCallProgress(open)
    exerciseCallEnd(open)
    exerciseCallTraces(open)
  })
}
