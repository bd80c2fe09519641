import { and, asc, desc, eq, gt } from 'drizzle-orm'
import type { Call, NumberedTurn, Turn, TurnTiming } from '../calls/call.ts'
import type { StoredEvent } from '../calls/call-store.ts'
import { formatTimestamp } from '../core/timestamp.ts'
import type { Rows } from './database.ts'
import { call, callEvent, turn, turnTiming } from './schema.ts'

/** The columns that make a Call. */
export const callColumns = {
  id: call.id,
  direction: call.direction,
  status: call.status,
  endReason: call.endReason,
  sipCode: call.sipCode,
  toNumber: call.toNumber,
  fromNumber: call.fromNumber,
  instructions: call.instructions,
  firstMessage: call.firstMessage,
  name: call.name,
  metadata: call.metadata,
  maxDurationSeconds: call.maxDurationSeconds,
  callAt: call.callAt,
  transferTo: call.transferTo,
  language: call.language,
  voice: call.voice,
  resultSchema: call.resultSchema,
  voicemail: call.voicemail,
  attempt: call.attempt,
  maxAttempts: call.maxAttempts,
  retryDelaySeconds: call.retryDelaySeconds,
  centsPerMinute: call.centsPerMinute,
  holdCents: call.holdCents,
  summary: call.summary,
  result: call.result,
  resultError: call.resultError,
  costCents: call.costCents,
  durationSeconds: call.durationSeconds,
  createdAt: call.createdAt,
  startedAt: call.startedAt,
  endedAt: call.endedAt,
  heartbeatAt: call.heartbeatAt,
}

export function readCall(rows: Rows, id: string): Call | null {
  return rows.select(callColumns).from(call).where(eq(call.id, id)).get() ?? null
}

/** What was said, in the order of the turns' indexes, whenever each was written. */
export function readTranscript(rows: Rows, callId: string): Turn[] {
  return rows
    .select({ role: turn.role, text: turn.text, at: turn.at })
    .from(turn)
    .where(eq(turn.callId, callId))
    .orderBy(asc(turn.turn))
    .all()
}

export function putTurn(rows: Rows, callId: string, said: NumberedTurn): void {
  const { index, role, text, at } = said
  rows
    .insert(turn)
    .values({ callId, turn: index, role, text, at })
    .onConflictDoUpdate({ target: [turn.callId, turn.turn], set: { role, text, at } })
    .run()
}

export function readTimings(rows: Rows, callId: string): TurnTiming[] {
  return rows
    .select({
      turn: turnTiming.turn,
      speechEnd: turnTiming.speechEnd,
      finalText: turnTiming.finalText,
      firstToken: turnTiming.firstToken,
      firstSound: turnTiming.firstSound,
      onWire: turnTiming.onWire,
    })
    .from(turnTiming)
    .where(eq(turnTiming.callId, callId))
    .orderBy(asc(turnTiming.turn))
    .all()
}

/** A turn's timing may become known in steps: a later one replaces the earlier. */
export function putTiming(rows: Rows, callId: string, timing: TurnTiming): void {
  const { turn: index, speechEnd, finalText, firstToken, firstSound, onWire } = timing
  const stages = { speechEnd, finalText, firstToken, firstSound, onWire }
  rows
    .insert(turnTiming)
    .values({ callId, turn: index, ...stages })
    .onConflictDoUpdate({ target: [turnTiming.callId, turnTiming.turn], set: stages })
    .run()
}

export function lastEvent(rows: Rows, callId: string): { seq: number; type: string } | undefined {
  return rows
    .select({ seq: callEvent.seq, type: callEvent.type })
    .from(callEvent)
    .where(eq(callEvent.callId, callId))
    .orderBy(desc(callEvent.seq))
    .limit(1)
    .get()
}

/** Call it inside a transaction: the number of the event is taken there. */
export function insertEvent(
  rows: Rows,
  callId: string,
  event: Omit<StoredEvent, 'seq'>,
): StoredEvent {
  const stored = {
    seq: (lastEvent(rows, callId)?.seq ?? 0) + 1,
    type: event.type,
    data: event.data,
  }
  rows
    .insert(callEvent)
    .values({ callId, ...stored })
    .run()
  return stored
}

/** The `status` event that goes with every change of status; `more` is what it tells beside. */
export function insertStatusEvent(
  rows: Rows,
  o: Pick<Call, 'id' | 'status' | 'endReason'>,
  at: number,
  more: Record<string, unknown> = {},
): void {
  insertEvent(rows, o.id, {
    type: 'status',
    data: { status: o.status, endReason: o.endReason, ...more, at: formatTimestamp(at) },
  })
}

export function readEvents(rows: Rows, callId: string, afterSeq: number): StoredEvent[] {
  return rows
    .select({ seq: callEvent.seq, type: callEvent.type, data: callEvent.data })
    .from(callEvent)
    .where(and(eq(callEvent.callId, callId), gt(callEvent.seq, afterSeq)))
    .orderBy(asc(callEvent.seq))
    .all()
}
