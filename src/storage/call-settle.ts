import { and, eq, inArray } from 'drizzle-orm'
import { type Call, statusesBefore } from '../calls/call.ts'
import type { CallStore, Settlement } from '../calls/ports.ts'
import { callColumns, insertEvent, insertStatusEvent, readTranscript } from './call-rows.ts'
import type { Rows, StoreParts } from './database.ts'
import { CALL_JOB, endJob, holdsJob } from './job-rows.ts'
import { appendEntry } from './ledger.ts'
import { addDeliveries } from './outbox.ts'
import { call } from './schema.ts'

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
        insertStatusEvent(rows, settled, endedAt)
        insertEvent(rows, id, { type: 'end', data: o.endEvent(settled, transcript) })
        addDeliveries(parts, id, o.payload(settled, transcript))
        return settled
      }),
  }
}

/** The hold ends with the call, and nothing is left for a crash to end. */
function finish(
  rows: Rows,
  id: string,
  settlement: Settlement,
  guard: readonly Call['status'][],
): Call | undefined {
  const possible = statusesBefore(settlement.status)
  const from = guard.filter((status) => possible.includes(status))
  const { status, endReason, sipCode, summary, costCents, durationSeconds, endedAt } = settlement
  return rows
    .update(call)
    .set({
      status,
      endReason,
      sipCode,
      summary,
      costCents,
      durationSeconds,
      endedAt,
      holdCents: 0,
      sipState: null,
    })
    .where(and(eq(call.id, id), inArray(call.status, from)))
    .returning(callColumns)
    .get()
}
