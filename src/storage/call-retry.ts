import { and, eq, lt, sql } from 'drizzle-orm'
import { type Call, transition } from '../calls/call.ts'
import type { CallStore } from '../calls/call-store.ts'
import { formatTimestamp } from '../core/timestamp.ts'
import { callColumns, insertStatusEvent, readCall } from './call-rows.ts'
import { wakeWaiting } from './call-settle.ts'
import type { Rows, StoreParts } from './database.ts'
import { CALL_JOB, holdsJob, putOffJob } from './job-rows.ts'
import { call } from './schema.ts'

type Retry = Parameters<CallStore['scheduleRetry']>[1]

/** From one attempt back to waiting for the next: the call, its job and what is told of it, in one transaction. */
export function createCallRetry({ rows, tx }: StoreParts): Pick<CallStore, 'scheduleRetry'> {
  return {
    scheduleRetry: (id, o) =>
      tx.write(() => {
        const about = { kind: CALL_JOB, key: id }
        if (!holdsJob(rows, o.fence, about)) return null
        const waiting = putOff(rows, id, o)
        if (!waiting) return null
        putOffJob(rows, { ...about, runAt: o.callAt })
        wakeWaiting(rows, waiting)
        insertStatusEvent(rows, waiting, o.now, {
          attempt: waiting.attempt,
          callAt: formatTimestamp(o.callAt),
          reason: o.reason,
        })
        return waiting
      }),
  }
}

/** Nothing is held and nothing is left for a crash to end: a process that finds the call may dial it when it is due. */
function putOff(rows: Rows, id: string, { callAt, sipCode }: Retry): Call | undefined {
  const from = readCall(rows, id)?.status
  const status = from && transition(from, 'retry')
  if (!from || !status) return undefined
  return rows
    .update(call)
    .set({
      status,
      callAt,
      sipCode,
      attempt: sql`${call.attempt} + 1`,
      holdCents: 0,
      sipState: null,
    })
    .where(and(eq(call.id, id), eq(call.status, from), lt(call.attempt, call.maxAttempts)))
    .returning(callColumns)
    .get()
}
