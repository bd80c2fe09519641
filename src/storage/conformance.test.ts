import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exerciseCallStore } from '../../test/conformance/call-store.ts'
import { exerciseJobStore } from '../../test/conformance/job-store.ts'
import { exerciseKeyStore } from '../../test/conformance/key-store.ts'
import { exerciseLedgerStore } from '../../test/conformance/ledger-store.ts'
import { exerciseNumberStore } from '../../test/conformance/number-store.ts'
import type { OpenStores } from '../../test/conformance/stores.ts'
import { exerciseWebhookStore } from '../../test/conformance/webhook-store.ts'
import { openTestStorage } from '../../test/kit/open-test-storage.ts'

const inMemory: OpenStores = async () => openTestStorage()

const onFile: OpenStores = async () => {
  const directory = mkdtempSync(join(tmpdir(), 'landline-'))
  const storage = openTestStorage({ path: join(directory, 'landline.db') })
  return {
    ...storage,
    async close() {
      await storage.close()
      rmSync(directory, { recursive: true })
    },
  }
}

for (const [name, open] of [
  ['in memory', inMemory],
  ['on a file', onFile],
] as const) {
  exerciseCallStore(name, open)
  exerciseJobStore(name, open)
  exerciseWebhookStore(name, open)
  exerciseLedgerStore(name, open)
  exerciseKeyStore(name, open)
  exerciseNumberStore(name, open)
}
