import { asc, eq } from 'drizzle-orm'
import type { CallStore } from '../calls/call-store.ts'
import type { CallTrace } from '../calls/call-trace.ts'
import { AppError } from '../core/errors.ts'
import { readCall } from './call-rows.ts'
import type { StoreParts } from './database.ts'
import { callTrace } from './schema.ts'

/** What passed on the wire, a row for each attempt; also of calls that have ended. */
export function createCallTraceStore({
  rows,
  tx,
}: StoreParts): Pick<CallStore, 'saveTrace' | 'traces'> {
  return {
    saveTrace: (callId, { attempt, ...trace }) =>
      tx.write(() => {
        if (!readCall(rows, callId))
          throw new AppError('not_found', 'Keeping the trace of a call: there is no such call.')
        rows
          .insert(callTrace)
          .values({ callId, attempt, trace })
          .onConflictDoUpdate({ target: [callTrace.callId, callTrace.attempt], set: { trace } })
          .run()
      }),
    async traces(callId) {
      return tx.read(() =>
        rows
          .select({ attempt: callTrace.attempt, trace: callTrace.trace })
          .from(callTrace)
          .where(eq(callTrace.callId, callId))
          .orderBy(asc(callTrace.attempt))
          .all()
          .map(({ attempt, trace }) => ({ attempt, ...(trace as CallTrace) })),
      )
    },
  }
}
