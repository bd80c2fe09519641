import { and, eq, inArray, sql } from 'drizzle-orm'
import { type Call, transition } from '../calls/call.ts'
import type { CallStore, Settlement } from '../calls/call-store.ts'
import {
  callColumns,
  insertEvent,
  insertStatusEvent,
  readCall,
  readTranscript,
} from './call-rows.ts'
import type { Rows, StoreParts } from './database.ts'
import { CALL_JOB, endJob, holdsJob } from './job-rows.ts'
import { appendEntry } from './ledger.ts'
import { addDeliveries } from './outbox.ts'
import { call, job } from './schema.ts'

/** The end of a call: everything that follows from it, in one transaction. */
export function createCallSettling(parts: StoreParts): Pick<CallStore, 'settle'> {
  const { rows, tx, ids } = parts
  return {
    settle: (id, o) =>
      tx.write(() => {
        const about = { kind: CALL_JOB, key: id }
        if (o.fence && !holdsJob(rows, o.fence, about)) return null
        const settled = finish(rows, id, o.settlement, o.guard)
        if (!settled) return null
        endJob(rows, about)
        wakeWaiting(rows, settled)
        const { costCents, endedAt } = o.settlement
        if (o.charge && costCents > 0)
          appendEntry(rows, {
            id: ids.uuid(),
            amountCents: -costCents,
            kind: 'call',
            callId: id,
            at: endedAt,
          })
        const transcript = readTranscript(rows, id)
        insertStatusEvent(rows, settled, endedAt, { reason: o.settlement.reason })
        insertEvent(rows, id, { type: 'end', data: o.endEvent(settled, transcript) })
        addDeliveries(parts, id, o.payload(settled, transcript))
        return settled
      }),
  }
}

/**
 * The hold ends with the call, and nothing is left for a crash to end; but the other side of an interrupted one has
 * still to be told.
 */
function finish(
  rows: Rows,
  id: string,
  settlement: Settlement,
  guard: readonly Call['status'][],
): Call | undefined {
  const from = readCall(rows, id)?.status
  if (!from || !guard.includes(from)) return undefined
  const status = transition(from, settlement.status)
  if (!status) return undefined
  const { endReason, sipCode, summary, costCents, durationSeconds, endedAt } = settlement
  const { result = null, resultError = null } = settlement
  return rows
    .update(call)
    .set({
      status,
      endReason,
      sipCode,
      summary,
      result,
      resultError,
      costCents,
      durationSeconds,
      endedAt,
      holdCents: 0,
      ...(endReason === 'interrupted' ? {} : { sipState: null }),
    })
    .where(and(eq(call.id, id), eq(call.status, from)))
    .returning(callColumns)
    .get()
}

/** Due calls that wait for the number of this one look again now, the longest waiting first. */
export function wakeWaiting(rows: Rows, settled: Call): void {
  const waiting = rows
    .select({ id: call.id })
    .from(call)
    .where(and(eq(call.toNumber, settled.toNumber), eq(call.status, 'scheduled')))
  const dueAt = rows.select({ at: call.callAt }).from(call).where(eq(call.id, job.key))
  rows
    .update(job)
    .set({ runAt: sql`min(${job.runAt}, coalesce((${dueAt}), ${job.runAt}))` })
    .where(and(eq(job.kind, CALL_JOB), eq(job.state, 'ready'), inArray(job.key, waiting)))
    .run()
}
