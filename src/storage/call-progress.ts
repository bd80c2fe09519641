import { and, eq, gte, inArray, isNotNull, or } from 'drizzle-orm'
import {
  ACTIVE_STATUSES,
  type Call,
  type CallEvent,
  statusesBefore,
  transition,
} from '../calls/call.ts'
import type { CallFence, CallStore } from '../calls/call-store.ts'
import { hasActiveCall } from './call-create.ts'
import { callColumns, insertStatusEvent, readCall } from './call-rows.ts'
import type { Rows, StoreParts } from './database.ts'
import { CALL_JOB, holdsJob } from './job-rows.ts'
import { availableCents, isActiveRow } from './ledger.ts'
import { addDeliveries } from './outbox.ts'
import { call } from './schema.ts'

type Activation = Parameters<CallStore['activate']>[1]
type CallChange = Partial<typeof call.$inferInsert>

/** Nobody is on the line any more of a call that ended longer ago. */
const LONGEST_RECOVERY_MS = 10 * 60_000

/** A call on its way: each step under the fence of whoever claimed its job. */
export function createCallProgress(
  parts: StoreParts,
): Pick<
  CallStore,
  | 'activate'
  | 'saveDialing'
  | 'markRinging'
  | 'markAnswered'
  | 'markTransferred'
  | 'heartbeat'
  | 'moveDialog'
  | 'extendHold'
  | 'interrupted'
  | 'forgetSip'
> {
  const { rows, tx, clock } = parts
  return {
    activate: (id, o) => tx.write(() => activate(rows, id, o)),
    saveDialing: (id, o) =>
      tx.write(() => {
        const change = { attempt: o.attempt, sipState: o.sip }
        return changeUnder(rows, id, o.fence, statusesBefore('answered'), change) !== undefined
      }),
    markRinging: (id, o) =>
      tx.write(() => {
        if (!holds(rows, id, o.fence)) return false
        // A second trunk may ring after the first one did: nothing new, and nothing lost.
        if (readCall(rows, id)?.status === 'ringing') return true
        const rung = step(rows, id, o.fence, 'ringing', {}, o.now)
        if (rung && o.deliveries) addDeliveries(parts, rung.id, o.deliveries)
        return rung !== undefined
      }),
    markAnswered: (id, o) =>
      tx.write(() => {
        const { startedAt } = o
        const change = { startedAt, heartbeatAt: startedAt, sipState: o.sip }
        const answered = step(rows, id, o.fence, 'answered', change, startedAt)
        if (answered && o.deliveries) addDeliveries(parts, answered.id, o.deliveries)
        return answered !== undefined
      }),
    markTransferred: (id, o) =>
      tx.write(() => {
        if (!holds(rows, id, o.fence) || readCall(rows, id)?.status !== 'in_progress') return false
        if (o.deliveries) addDeliveries(parts, id, o.deliveries)
        return true
      }),
    heartbeat: (id, o) =>
      tx.write(() => {
        const change = { heartbeatAt: o.now }
        return changeUnder(rows, id, o.fence, ACTIVE_STATUSES, change) !== undefined
      }),
    moveDialog: (id, o) =>
      tx.write(
        () => changeUnder(rows, id, o.fence, ACTIVE_STATUSES, { sipState: o.sip }) !== undefined,
      ),
    extendHold: (id, o) =>
      tx.write(() => holds(rows, id, o.fence) && extendHold(rows, id, o.holdCents)),
    async interrupted() {
      const since = clock.now() - LONGEST_RECOVERY_MS
      return tx.read(() => [...readInterrupted(rows), ...readClosed(rows, since)])
    },
    async forgetSip(id) {
      await tx.write(() =>
        rows
          .update(call)
          .set({ sipState: null })
          .where(and(eq(call.id, id), eq(call.endReason, 'interrupted')))
          .run(),
      )
    },
  }
}

function activate(
  rows: Rows,
  id: string,
  o: Activation,
): Awaited<ReturnType<CallStore['activate']>> {
  if (!holds(rows, id, o.fence)) return 'lost'
  const found = readCall(rows, id)
  // Activated before a crash, then claimed again: it has its hold.
  if (found?.status === 'initiated') return 'activated'
  if (found?.status !== 'scheduled') return 'lost'
  if (hasActiveCall(rows, found.toNumber)) return 'number_busy'
  if (o.checkBalance && availableCents(rows) < o.holdCents) return 'insufficient_balance'
  const { holdCents } = o
  // What the last attempt came to says nothing of the next.
  const change = { holdCents, sipCode: null }
  return step(rows, id, o.fence, 'due', change, o.now) ? 'activated' : 'lost'
}

function extendHold(rows: Rows, id: string, holdCents: number): boolean {
  const found = rows
    .select({ holdCents: call.holdCents })
    .from(call)
    .where(and(eq(call.id, id), isActiveRow))
    .get()
  if (!found) return false
  const more = holdCents - found.holdCents
  if (more > 0 && availableCents(rows) < more) return false
  rows.update(call).set({ holdCents }).where(eq(call.id, id)).run()
  return true
}

/** Active calls whose INVITE may have left: recovery ends them, nobody dials them again. */
function readInterrupted(rows: Rows): Awaited<ReturnType<CallStore['interrupted']>> {
  return rows
    .select({ call: callColumns, sip: call.sipState })
    .from(call)
    .where(
      and(
        isActiveRow,
        or(isNotNull(call.sipState), inArray(call.status, ['ringing', 'in_progress'])),
      ),
    )
    .all()
}

/** Closed by a process that could not tell the other side. */
function readClosed(rows: Rows, since: number): Awaited<ReturnType<CallStore['interrupted']>> {
  return rows
    .select({ call: callColumns, sip: call.sipState })
    .from(call)
    .where(and(isNotNull(call.sipState), gte(call.endedAt, since)))
    .all()
}

function holds(rows: Rows, id: string, fence: CallFence): boolean {
  return holdsJob(rows, fence, { kind: CALL_JOB, key: id })
}

/** One move of the transition table: its guard is repeated in the statement, the `status` event is beside it. */
function step(
  rows: Rows,
  id: string,
  fence: CallFence,
  event: CallEvent,
  change: CallChange,
  at: number,
): Call | undefined {
  const from = readCall(rows, id)?.status
  const status = from && transition(from, event)
  if (!from || !status) return undefined
  const moved = changeUnder(rows, id, fence, [from], { ...change, status })
  if (moved) insertStatusEvent(rows, moved, at)
  return moved
}

/** Changes the call under the fence while its status is one of `from`; undefined when either lost. */
function changeUnder(
  rows: Rows,
  id: string,
  fence: CallFence,
  from: readonly Call['status'][],
  change: CallChange,
): Call | undefined {
  if (!holds(rows, id, fence)) return undefined
  return rows
    .update(call)
    .set(change)
    .where(and(eq(call.id, id), inArray(call.status, from)))
    .returning(callColumns)
    .get()
}
