/** What the rules of calls need from the storage. */
import type {
  Call,
  CallStatus,
  Direction,
  EndReason,
  FinalStatus,
  NumberedTurn,
  Turn,
  TurnTiming,
} from './call.ts'
import type { AttemptTrace } from './call-trace.ts'
import type { SipState } from './ports.ts'

export interface IdempotencyRecord {
  keyId: string
  key: string
  /** SHA-256 of the canonical JSON of the body. */
  bodyHash: string
}

export type CreateRefusal =
  | 'insufficient_balance'
  | 'call_active'
  | 'queue_full'
  | 'rate_limited'
  | 'idempotency_conflict'

/** An event as `GET /calls/:id/events` tells it; `seq` counts from 1 within a call. */
export interface StoredEvent {
  seq: number
  type: 'status' | 'transcript' | 'tool' | 'end'
  data: Record<string, unknown>
}

export interface CallFilter {
  limit: number
  /** Opaque; from a former page. */
  cursor: { createdAt: number; id: string } | null
  status?: CallStatus
  direction?: Direction
  toNumber?: string
  createdAfter?: number
  createdBefore?: number
}

/** What a final status carries; written with its ledger entry and its deliveries in one transaction. */
export interface Settlement {
  status: FinalStatus
  endReason: EndReason | null
  sipCode: number | null
  /** One sentence, fit to be shown (`publicReason`); null where the status says it all. */
  reason: string | null
  summary: string | null
  /** Valid by the call's schema; null where there is none. */
  result?: unknown
  /** One sentence; null unless a result was wanted and there is none. */
  resultError?: string | null
  costCents: number
  durationSeconds: number
  endedAt: number
}

/** A worker's claim on a call's job: every write names it, and loses when another took over. */
export interface CallFence {
  jobId: string
  fence: number
}

/** For whom and until when a job is claimed; ms since the epoch. */
export interface Lease {
  owner: string
  leaseUntil: number
}

/** All methods are one transaction each. A write under a fence that is no longer ours returns false. */
export interface CallStore {
  /**
   * Writes a call, its job, its first event and (where asked) its idempotency record, unless one of these holds,
   * looked at in this order: a kept answer to the same key (`replayed`, or `idempotency_conflict`), available
   * balance under `call.holdCents` (when `checkBalance`), an active call to the number (not for a scheduled one),
   * more than `maxQueued` immediate calls waiting for a line, `overRate`.
   */
  create(o: {
    call: Call
    runAt: number
    idempotency: IdempotencyRecord | null
    response: string
    checkBalance: boolean
    maxQueued: number
    /** Its API key asks too often. */
    overRate: boolean
    now: number
  }): Promise<{ created: true } | { replayed: string } | { refused: CreateRefusal }>

  /**
   * Writes a call that came in, ringing, with `sip`, its first event, `deliveries` and a job that is leased already: it
   * takes a line at once. `no_line` when none is free, `insufficient_balance` when `call.holdCents` is not available (when
   * `checkBalance`).
   */
  receive(o: {
    call: Call
    sip: SipState
    lease: Lease
    checkBalance: boolean
    deliveries: EventPayload | null
    now: number
  }): Promise<{ received: CallFence } | { refused: 'no_line' | 'insufficient_balance' }>

  /** The kept answer to an idempotency key, before anything else is looked at. */
  findReplay(
    record: IdempotencyRecord,
    now: number,
  ): Promise<{ replayed: string } | { refused: 'idempotency_conflict' } | null>

  get(id: string): Promise<Call | null>
  transcript(id: string): Promise<Turn[]>
  timings(id: string): Promise<TurnTiming[]>
  events(id: string, afterSeq: number): Promise<StoredEvent[]>
  list(filter: CallFilter): Promise<Call[]>

  /**
   * A due scheduled call becomes `initiated` with a hold, unless another call to its number is active
   * (`number_busy`) or the balance is gone (`insufficient_balance`).
   */
  activate(
    id: string,
    o: { fence: CallFence; holdCents: number; checkBalance: boolean; now: number },
  ): Promise<'activated' | 'number_busy' | 'insufficient_balance' | 'lost'>
  /** Commits the attempt as dialing with what a crash would need to end it. Comes before each INVITE and each ACK. */
  saveDialing(
    id: string,
    o: { fence: CallFence; attempt: number; sip: SipState; now: number },
  ): Promise<boolean>
  /** `ringing`: the first 18x. */
  markRinging(
    id: string,
    o: { fence: CallFence; now: number; deliveries: EventPayload | null },
  ): Promise<boolean>
  /** `in_progress`: startedAt and the dialog are on disk. */
  markAnswered(
    id: string,
    o: { fence: CallFence; startedAt: number; sip: SipState; deliveries: EventPayload | null },
  ): Promise<boolean>
  /** Turns come as they end; they are told in the order of their indexes. One that comes again replaces the former. */
  appendTurn(id: string, turn: NumberedTurn): Promise<void>
  appendTiming(id: string, timing: TurnTiming): Promise<void>
  appendEvent(id: string, event: Omit<StoredEvent, 'seq'>): Promise<StoredEvent>
  /** The human was handed over; the call goes on until it is hung up. */
  markTransferred(
    id: string,
    o: { fence: CallFence; deliveries: EventPayload | null },
  ): Promise<boolean>
  /**
   * Nobody answered, and attempts are left: the call is `scheduled` for `callAt` as the next attempt, without a hold, its
   * SIP state forgotten and its job due then, together. `sipCode` and `reason` (fit to be shown) tell of the attempt that
   * ended. Null when the fence lost or no attempt is left. Calls that wait for the number of this one are due again.
   */
  scheduleRetry(
    id: string,
    o: {
      fence: CallFence
      callAt: number
      sipCode: number | null
      reason: string | null
      now: number
    },
  ): Promise<Call | null>
  /** Keeps what passed on the wire in one attempt; again replaces it. Throws not_found for an unknown call. */
  saveTrace(id: string, trace: AttemptTrace): Promise<void>
  /** Of each attempt in order; empty where nothing was kept. */
  traces(id: string): Promise<AttemptTrace[]>
  heartbeat(id: string, o: { fence: CallFence; now: number }): Promise<boolean>
  /** The dialog of an active call has moved: what a crash would need to end it is another now. */
  moveDialog(id: string, o: { fence: CallFence; sip: SipState }): Promise<boolean>
  /**
   * Holds `holdCents` in all for this call; false when the balance does not cover the difference, or the fence is no
   * longer ours.
   */
  extendHold(id: string, o: { fence: CallFence; holdCents: number }): Promise<boolean>

  /**
   * The one way to a final status: call, ledger entry (when `charge`), `status` and `end` events, deliveries to the
   * webhooks that subscribe, and the job's completion, together. `guard` lists the statuses it may come from.
   * Returns the settled call, or null when the guard or the fence lost. Without a fence (cancel of a waiting call,
   * recovery) the job is ended whoever holds it. A call settled as `interrupted` keeps its SIP state until
   * `forgetSip`. Calls that wait for the number of this one are due again.
   */
  settle(
    id: string,
    o: {
      settlement: Settlement
      guard: readonly CallStatus[]
      fence: CallFence | null
      charge: boolean
      /** Renders the webhook body for the settled call. */
      payload(call: Call, transcript: readonly Turn[]): EventPayload
      /** Renders the `end` event of the settled call. */
      endEvent(call: Call, transcript: readonly Turn[]): Record<string, unknown>
    },
  ): Promise<Call | null>

  /**
   * Calls that an earlier process left between its first INVITE and their end, with what it knew of them; and, until
   * ten minutes after their end, those closed as interrupted whose SIP state nobody has forgotten yet.
   */
  interrupted(): Promise<{ call: Call; sip: SipState | null }[]>
  /** Nothing is left to be ended for a call that was closed as interrupted. */
  forgetSip(id: string): Promise<void>
}

/** One event for the webhooks: the body is rendered once and never changes. */
export interface EventPayload {
  event: 'call.completed' | 'call.started' | 'call.answered' | 'call.transferred'
  body: string
}
