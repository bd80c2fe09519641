import { and, count, eq, gt, lte } from 'drizzle-orm'
import type { Call } from '../calls/call.ts'
import type { CallStore, CreateRefusal, IdempotencyRecord } from '../calls/call-store.ts'
import { insertStatusEvent } from './call-rows.ts'
import type { Rows, StoreParts } from './database.ts'
import { CALL_JOB, CALL_LANE, insertJob, insertLeasedJob, isLeasedRow } from './job-rows.ts'
import { ensureLane } from './lane-rows.ts'
import { availableCents, isActiveOutboundRow, isActiveRow } from './ledger.ts'
import { addDeliveries } from './outbox.ts'
import { call, idempotency, job, lane } from './schema.ts'

/** How long an answer is kept for its idempotency key. */
const REPLAY_MS = 24 * 3_600_000

type Arrival = Parameters<CallStore['receive']>[0]
type Creation = Parameters<CallStore['create']>[0]
type Replay = Awaited<ReturnType<CallStore['findReplay']>>

/** The door for new calls: refusals, replays, and the call with its job in one transaction. */
export function createCallCreation(
  parts: StoreParts,
): Pick<CallStore, 'create' | 'receive' | 'findReplay'> {
  const { rows, tx, ids } = parts
  return {
    create: (o) =>
      tx.write(() => {
        const replay = o.idempotency && readReplay(rows, o.idempotency, o.now)
        if (replay) return replay
        const refused = refusal(rows, o)
        if (refused) return { refused }
        const created = { ...o.call, holdCents: isImmediate(o.call) ? o.call.holdCents : 0 }
        rows.insert(call).values(created).run()
        ensureLane(rows, CALL_LANE)
        insertJob(rows, ids, { kind: CALL_JOB, key: created.id, lane: CALL_LANE, runAt: o.runAt })
        insertStatusEvent(rows, created, created.createdAt)
        if (o.idempotency) keepAnswer(rows, o.idempotency, o.response, o.now)
        return { created: true as const }
      }),
    receive: (o) => tx.write(() => receive(parts, o)),
    async findReplay(record, now) {
      return tx.read(() => readReplay(rows, record, now))
    },
  }
}

function receive(parts: StoreParts, o: Arrival): Awaited<ReturnType<CallStore['receive']>> {
  const { rows, ids } = parts
  if (!hasFreeLine(rows)) return { refused: 'no_line' }
  if (o.checkBalance && availableCents(rows) < o.call.holdCents)
    return { refused: 'insufficient_balance' }
  rows
    .insert(call)
    .values({ ...o.call, sipState: o.sip })
    .run()
  ensureLane(rows, CALL_LANE)
  const about = { kind: CALL_JOB, key: o.call.id, lane: CALL_LANE, runAt: o.now }
  const received = insertLeasedJob(rows, ids, { ...about, ...o.lease })
  insertStatusEvent(rows, o.call, o.call.createdAt)
  if (o.deliveries) addDeliveries(parts, o.call.id, o.deliveries)
  return { received }
}

/** A scheduled call is neither active nor does it hold anything until it is due. */
function isImmediate(o: Call): boolean {
  return o.status !== 'scheduled'
}

function refusal(rows: Rows, o: Creation): CreateRefusal | null {
  if (o.checkBalance && availableCents(rows) < o.call.holdCents) return 'insufficient_balance'
  if (isImmediate(o.call)) {
    if (hasActiveCall(rows, o.call.toNumber)) return 'call_active'
    if (waitingForLine(rows) >= o.maxQueued) return 'queue_full'
  }
  return o.overRate ? 'rate_limited' : null
}

/** Whether a call of ours to this number is initiated, ringing or in progress. */
export function hasActiveCall(rows: Rows, toNumber: string): boolean {
  const found = rows
    .select({ id: call.id })
    .from(call)
    .where(and(eq(call.toNumber, toNumber), isActiveOutboundRow))
    .get()
  return found !== undefined
}

/**
 * Immediate calls that no line can take now: those whose job nobody has claimed, less the lines that are free and
 * will take them as soon as the scheduler looks. Negative while lines are left over.
 */
function waitingForLine(rows: Rows): number {
  const unclaimed = rows
    .select({ n: count() })
    .from(call)
    .innerJoin(job, and(eq(job.kind, CALL_JOB), eq(job.key, call.id)))
    .where(and(isActiveRow, eq(call.status, 'initiated'), eq(job.state, 'ready')))
    .get()
  return (unclaimed?.n ?? 0) - freeLines(rows)
}

/** Whether a call that comes in could have a line now; as long as no number of lines is set, it could. */
function hasFreeLine(rows: Rows): boolean {
  const { capacity, busy } = lines(rows)
  return capacity === null || busy < capacity
}

/** As long as no number of lines is set, none counts as free. */
function freeLines(rows: Rows): number {
  const { capacity, busy } = lines(rows)
  return Math.max(0, (capacity ?? 0) - busy)
}

function lines(rows: Rows): { capacity: number | null; busy: number } {
  const set = rows
    .select({ capacity: lane.capacity })
    .from(lane)
    .where(eq(lane.name, CALL_LANE))
    .get()
  const taken = rows
    .select({ n: count() })
    .from(job)
    .where(and(eq(job.lane, CALL_LANE), isLeasedRow))
    .get()
  return { capacity: set?.capacity ?? null, busy: taken?.n ?? 0 }
}

function readReplay(rows: Rows, record: IdempotencyRecord, now: number): Replay {
  const kept = rows
    .select({ bodyHash: idempotency.bodyHash, response: idempotency.response })
    .from(idempotency)
    .where(
      and(
        eq(idempotency.keyId, record.keyId),
        eq(idempotency.key, record.key),
        gt(idempotency.createdAt, now - REPLAY_MS),
      ),
    )
    .get()
  if (!kept) return null
  return kept.bodyHash === record.bodyHash
    ? { replayed: kept.response }
    : { refused: 'idempotency_conflict' }
}

function keepAnswer(rows: Rows, record: IdempotencyRecord, response: string, now: number): void {
  rows
    .delete(idempotency)
    .where(lte(idempotency.createdAt, now - REPLAY_MS))
    .run()
  const { keyId, key, bodyHash } = record
  rows.insert(idempotency).values({ keyId, key, bodyHash, response, createdAt: now }).run()
}
