import type { LedgerStore } from '../billing/ports.ts'
import type { StoreParts } from './database.ts'
import { appendEntry, readAccount } from './ledger.ts'

export function createLedgerStore({ rows, tx }: StoreParts): LedgerStore {
  return {
    async account() {
      return tx.read(() => readAccount(rows))
    },
    credit(entry) {
      return tx.write(() => {
        appendEntry(rows, { ...entry, kind: 'credit', callId: null })
        return readAccount(rows)
      })
    },
  }
}
