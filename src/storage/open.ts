import type { Database } from 'bun:sqlite'
import { dirname, join } from 'node:path'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import type { KeyStore, LedgerStore } from '../billing/ports.ts'
import type { CallStore } from '../calls/call-store.ts'
import type { NumberStore } from '../calls/own-number.ts'
import type { Clock } from '../core/clock.ts'
import { AppError, reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Probe } from '../core/probe.ts'
import type { JobStore } from '../scheduler/ports.ts'
import type { WebhookStore } from '../webhooks/ports.ts'
import { backupFile } from './backup.ts'
import { createCallStore } from './call-store.ts'
import type { Rows } from './database.ts'
import { createJobStore } from './job-store.ts'
import { createKeyStore } from './key-store.ts'
import { appendEntry } from './ledger.ts'
import { createLedgerStore } from './ledger-store.ts'
import { createNumberStore } from './number-store.ts'
import { IMPATIENT_MS, openDatabase, PATIENT_MS } from './open-database.ts'
import { account, setting } from './schema.ts'
import { createSecrets, loadSecretKey, type Secrets } from './secrets.ts'
import { createTransactions, type Transactions } from './transaction.ts'
import { createWebhookStore } from './webhook-store.ts'

export interface StorageOptions {
  /** `<dataDir>/landline.db`, or `:memory:` (tests). */
  path: string
  clock: Clock
  ids: Ids
  log: Log
  /** 32 bytes that seal secrets; without one, `secret.key` beside the database is read or made. */
  secretKey?: Uint8Array
  /** Credit of a new account. */
  initialCreditCents: number
  accountName: string
  /** Reads the whole database for damage first; for whoever goes on to work with it. */
  check?: boolean
  /** False: no copy is kept beside it before a migration. */
  keepCopy?: boolean
}

export interface Storage {
  calls: CallStore
  jobs: JobStore
  webhooks: WebhookStore
  ledger: LedgerStore
  keys: KeyStore
  numbers: NumberStore
  /** Writes a copy to `file`, which must not exist. The copy's secrets open with this data directory's key only. */
  backup(file: string): Promise<{ bytes: number }>
  probe(): Promise<Probe>
  /** Commits what waits and closes the file. */
  close(): Promise<void>
}

/**
 * Opens all that Landline stores. Throws AppError `storage_unavailable` with a sentence for the terminal when the
 * database is damaged, newer, altered, out of reach, or its key is missing or wrong.
 */
export function openStorage(o: StorageOptions): Storage {
  const { path, log, check = false, keepCopy = true } = o
  const sqlite = openDatabase({ path, log, now: o.clock.now(), check, keepCopy })
  try {
    const rows = drizzle({ client: sqlite })
    const inMemory = o.path === ':memory:'
    const { clock } = o
    const defer = inMemory ? queueMicrotask : setImmediate
    const tx = createTransactions({ sqlite, clock, defer })
    const secrets = sqlite
      .transaction(() => {
        ensureAccount(rows, o)
        return openSecrets(rows, o)
      })
      .immediate()
    sqlite.run(`PRAGMA busy_timeout = ${IMPATIENT_MS}`)
    let closed = false
    const parts = { sqlite, rows, tx, clock: o.clock, ids: o.ids, secrets }
    return {
      calls: createCallStore(parts),
      jobs: createJobStore(parts),
      webhooks: createWebhookStore(parts),
      ledger: createLedgerStore(parts),
      keys: createKeyStore(parts),
      numbers: createNumberStore(parts),
      async backup(file) {
        if (inMemory) throw new AppError('conflict', 'Writing a backup: the database is in memory.')
        return backupFile(o.path, file)
      },
      probe: () => probe(tx, rows),
      async close() {
        if (closed) return
        closed = true
        sqlite.run(`PRAGMA busy_timeout = ${PATIENT_MS}`)
        tx.finish()
        checkpoint(sqlite, o.log)
        sqlite.close()
      },
    }
  } catch (error) {
    sqlite.close()
    throw error
  }
}

/** Moves the log into the file. Statements that are kept prepared keep SQLite from doing so at the close. */
function checkpoint(sqlite: Database, log: Log): void {
  try {
    sqlite.run('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    // Nothing is lost: the log is read at the next open.
    log.warn('database closed with its log beside it', { reason: reasonOf(error) })
  }
}

const KEY_CHECK = 'secret.check'

/** The key, proved on a text that was sealed with it when the database was made. */
function openSecrets(rows: Rows, o: StorageOptions): Secrets {
  const check = rows.select().from(setting).where(eq(setting.key, KEY_CHECK)).get()
  const secrets = createSecrets(o.secretKey ?? keyFor(o, check !== undefined), o.ids)
  if (!check) {
    const value = secrets.seal('landline', KEY_CHECK)
    rows.insert(setting).values({ key: KEY_CHECK, value }).onConflictDoNothing().run()
    return secrets
  }
  try {
    secrets.open(check.value, KEY_CHECK)
  } catch (error) {
    throw new AppError(
      'storage_unavailable',
      `Opening the database ${o.path}: its secrets are sealed with another key than the one in secret.key. ` +
        'Put the original file back.',
      { cause: error },
    )
  }
  return secrets
}

function keyFor(o: StorageOptions, sealed: boolean): Uint8Array {
  if (o.path === ':memory:') return Buffer.from(o.ids.hex(32), 'hex')
  return loadSecretKey({ file: join(dirname(o.path), 'secret.key'), ids: o.ids, sealed })
}

/** Made at the first open, with its credit; later opens follow the configured name. */
function ensureAccount(rows: Rows, o: StorageOptions): void {
  const found = rows.select().from(account).limit(1).get()
  if (found) {
    if (found.name !== o.accountName)
      rows.update(account).set({ name: o.accountName }).where(eq(account.id, found.id)).run()
    return
  }
  const at = o.clock.now()
  rows.insert(account).values({ id: o.ids.uuid(), name: o.accountName, createdAt: at }).run()
  if (o.initialCreditCents === 0) return
  const amountCents = o.initialCreditCents
  appendEntry(rows, { id: o.ids.uuid(), amountCents, kind: 'credit', callId: null, at })
}

/** Reads; and, where the last write failed, tries one again. */
async function probe(tx: Transactions, rows: Rows): Promise<Probe> {
  const name = 'database'
  const mend = 'Free disk space, or make the data directory writable.'
  try {
    tx.read(() => rows.select().from(account).limit(1).get())
    if (tx.failure !== null) await tx.write(() => touch(rows))
    return { name, state: 'ready', reason: 'SQLite, every commit synced' }
  } catch (error) {
    return { name, state: 'away', reason: reasonOf(error), mend }
  }
}

/** As much as a call with its deliveries takes, so that success means something. */
function touch(rows: Rows): void {
  const value = ' '.repeat(65_536)
  rows
    .insert(setting)
    .values({ key: 'probe', value })
    .onConflictDoUpdate({ target: setting.key, set: { value } })
    .run()
}
