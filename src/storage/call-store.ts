import { and, desc, eq, gt, lt, type SQL, sql } from 'drizzle-orm'
import type { Call } from '../calls/call.ts'
import { isFinal } from '../calls/call.ts'
import type { CallFilter, CallStore } from '../calls/call-store.ts'
import { AppError } from '../core/errors.ts'
import { createCallCreation } from './call-create.ts'
import { createCallProgress } from './call-progress.ts'
import { createCallRetry } from './call-retry.ts'
import {
  callColumns,
  insertEvent,
  putTiming,
  putTurn,
  readCall,
  readEvents,
  readTimings,
  readTranscript,
} from './call-rows.ts'
import { createCallSettling } from './call-settle.ts'
import { createCallTraceStore } from './call-traces.ts'
import type { Rows, StoreParts } from './database.ts'
import { call } from './schema.ts'

/** Calls in SQLite: made (call-create), moved on (call-progress), ended (call-settle); read and told here. */
export function createCallStore(parts: StoreParts): CallStore {
  const { rows, tx } = parts
  return {
    ...createCallCreation(parts),
    ...createCallProgress(parts),
    ...createCallRetry(parts),
    ...createCallSettling(parts),
    ...createCallTraceStore(parts),
    async get(id) {
      return tx.read(() => readCall(rows, id))
    },
    async transcript(id) {
      return tx.read(() => readTranscript(rows, id))
    },
    async timings(id) {
      return tx.read(() => readTimings(rows, id))
    },
    async events(id, afterSeq) {
      return tx.read(() => readEvents(rows, id, afterSeq))
    },
    async list(filter) {
      return tx.read(() => list(rows, filter))
    },
    appendTurn: (id, turn) => tx.write(() => whileOpen(rows, id, () => putTurn(rows, id, turn))),
    appendTiming: (id, timing) =>
      tx.write(() => whileOpen(rows, id, () => putTiming(rows, id, timing))),
    appendEvent: (id, event) =>
      tx.write(() => whileOpen(rows, id, () => insertEvent(rows, id, event))),
  }
}

/** A settled call's transcript and events are told already: nothing is added to them. */
function whileOpen<T>(rows: Rows, id: string, append: () => T): T {
  const found = readCall(rows, id)
  if (!found) throw new AppError('not_found', 'Telling of a call: there is no such call.')
  if (isFinal(found.status))
    throw new AppError('conflict', 'Telling of a call: it has ended already.')
  return append()
}

function list(rows: Rows, filter: CallFilter): Call[] {
  const { cursor, status, direction, toNumber, createdAfter, createdBefore } = filter
  const conditions: (SQL | undefined)[] = [
    status === undefined ? undefined : eq(call.status, status),
    direction === undefined ? undefined : sql`${call.direction} = ${direction}`,
    toNumber === undefined ? undefined : eq(call.toNumber, toNumber),
    createdAfter === undefined ? undefined : gt(call.createdAt, createdAfter),
    createdBefore === undefined ? undefined : lt(call.createdAt, createdBefore),
    cursor ? sql`(${call.createdAt}, ${call.id}) < (${cursor.createdAt}, ${cursor.id})` : undefined,
  ]
  return rows
    .select(callColumns)
    .from(call)
    .where(and(...conditions))
    .orderBy(desc(call.createdAt), desc(call.id))
    .limit(filter.limit)
    .all()
}
