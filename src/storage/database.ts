import type { Database } from 'bun:sqlite'
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite'
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import type { Secrets } from './secrets.ts'
import type { Transactions } from './transaction.ts'

/** The one connection, raw for hot paths and through drizzle for the rest. */
export type Rows = BunSQLiteDatabase

/** What every store is given. */
export interface StoreParts {
  sqlite: Database
  rows: Rows
  tx: Transactions
  clock: Clock
  ids: Ids
  secrets: Secrets
}
