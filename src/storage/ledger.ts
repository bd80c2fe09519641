import { desc, eq, sql } from 'drizzle-orm'
import type { Account, LedgerEntry } from '../billing/ports.ts'
import { AppError } from '../core/errors.ts'
import type { Rows } from './database.ts'
import { account, call, ledgerEntry } from './schema.ts'

/** The account; one per database. Its balance is the sum of the ledger. */
export function readAccount(rows: Rows): Account {
  const found = rows.select({ id: account.id, name: account.name }).from(account).limit(1).get()
  if (!found) throw new AppError('internal', 'Reading the account: there is none.')
  return { ...found, balanceCents: lastEntry(rows, found.id).balanceCents }
}

/** Appends one entry; call it inside a transaction. An entry whose id is there already is not written again. */
export function appendEntry(rows: Rows, entry: LedgerEntry): void {
  const { id: accountId } = readAccount(rows)
  const last = lastEntry(rows, accountId)
  rows
    .insert(ledgerEntry)
    .values({
      ...entry,
      accountId,
      seq: last.seq + 1,
      balanceCents: last.balanceCents + entry.amountCents,
    })
    .onConflictDoNothing({ target: ledgerEntry.id })
    .run()
}

/** What may still be spent: the balance less what active calls hold. */
export function availableCents(rows: Rows): number {
  const held = rows
    .select({ cents: sql<number>`coalesce(sum(${call.holdCents}), 0)` })
    .from(call)
    .where(isActiveRow)
    .get()
  return readAccount(rows).balanceCents - (held?.cents ?? 0)
}

/** A call of either direction that holds money and may hold a line. */
export const isActiveRow = sql`${call.status} in ('initiated', 'ringing', 'in_progress')`
/** Word for word the condition of the index `call_active`, so that it is used. */
export const isActiveOutboundRow = sql`${call.direction} = 'outbound' and ${call.status} in ('initiated', 'ringing', 'in_progress')`

function lastEntry(rows: Rows, accountId: string): { seq: number; balanceCents: number } {
  const last = rows
    .select({ seq: ledgerEntry.seq, balanceCents: ledgerEntry.balanceCents })
    .from(ledgerEntry)
    .where(eq(ledgerEntry.accountId, accountId))
    .orderBy(desc(ledgerEntry.seq))
    .limit(1)
    .get()
  return last ?? { seq: 0, balanceCents: 0 }
}
