/** What the rules of calls need from the floors above them. */
import type { Probe } from '../core/probe.ts'
import type { BargeInRule, Ring } from '../core/ring.ts'
import type {
  Call,
  CallStatus,
  Direction,
  EndReason,
  FinalStatus,
  NumberedTurn,
  Turn,
  TurnTiming,
  Voicemail,
} from './call.ts'
import type { AttemptTrace, CallTrace } from './call-trace.ts'

// ---------------------------------------------------------------- telephony

/** A clip on its way to the human's ear. Both promises settle even when the leg ends. */
export interface Playback {
  /** Resolves with true when the clip's first sample left, with false when it was dropped before. */
  started: Promise<boolean>
  /** Resolves when the clip ended: how many of its samples left, and whether that was all of it. */
  ended: Promise<{ heardSamples: number; whole: boolean }>
}

export interface Mouth {
  /** Queues sound (at the ring's rate, in shared memory) behind what is queued. */
  enqueue(clip: Int16Array<SharedArrayBuffer>): Playback
  /** Drops everything that is queued or playing; their playbacks end, and what is queued next is not paused. */
  stop(): void
  /** Lets sound that human speech has paused go on, from the sample at which it was. */
  resume(): void
  /** Lets human speech pause our sound without asking us, by `rule`; null forbids it, and what is paused goes on. */
  arm(rule: BargeInRule | null): void
}

export type LegEnd =
  /** The other side hung up. */
  | { by: 'human' }
  /** `hangup` was called. */
  | { by: 'us' }
  /** No sound came for too long. */
  | { by: 'rtp_timeout' }
  /** The dialog broke: a failed request inside it, a dead transport. */
  | { by: 'trunk_error'; reason: string }

/** What came of handing the human over to another number; `reason` is one sentence. */
export type TransferOutcome = { ok: true } | { ok: false; reason: string }

/** One answered call, seen as sound. Handles, not streams: sound never crosses the main thread. */
export interface Leg {
  /** What the human says, from the answer on. */
  readonly ears: Ring
  readonly mouth: Mouth
  /** Presses keys (0-9 * # A-D, `w` waits half a second) for the other side; resolves when the last one left. */
  sendDigits(digits: string): Promise<void>
  /** `listener` is told each key (0-9 * # A-D) that the other side presses from now on. A second one replaces the first. */
  onDigit(listener: (digit: string) => void): void
  /**
   * Asks the other side to call `number` (E.164) in our place, and follows that to its end: a minute and a half at the
   * most. The leg goes on meanwhile and after; who was handed over is to be hung up on. Never rejects.
   */
  transfer(number: string): Promise<TransferOutcome>
  /** Sends BYE. Idempotent; resolves when the leg has ended. */
  hangup(): Promise<void>
  /** True while the other side holds us. */
  readonly held: boolean
  /**
   * Where in `ears` the last hold began and ended, `to` null while it lasts; null when there was none. What lies
   * between is music, or nothing: it is not what the human says.
   */
  readonly lastHold: { from: number; to: number | null } | null
  readonly ended: Promise<LegEnd>
}

/**
 * What a crash needs in order to end what was begun: CANCEL for an INVITE without an answer, BYE for a dialog, a refusal for
 * a caller who still hears it ring.
 * JSON, stored with the attempt; only the trunk reads it.
 */
export interface SipState {
  trunk: string
  phase: 'invite' | 'dialog' | 'ringing'
  callId: string
  [field: string]: unknown
}

/** What passes on the wire for a call: it grows until the call is over. */
export interface TraceSource {
  /** What has passed so far. */
  read(): CallTrace
  /** Resolves when the call is over and the last figures of its sound are in. */
  readonly complete: Promise<void>
}

export interface DialRequest {
  to: string
  from: string
  /** Our call's id, for logs only; the dialog has a Call-ID of its own. */
  callId: string
  ringTimeoutMs: number
  signal: AbortSignal
  /** Awaited before each INVITE leaves; when it throws, nothing is sent. */
  beforeInvite(state: SipState): Promise<void>
  /** Told once, before the first INVITE: what passes on all trunks that are tried. Not told: nothing is kept. */
  onTrace?(trace: TraceSource): void
  /** A 180 or 183 came. */
  onRinging(): void
  /**
   * It was answered; the call is dialled no more. The answer is acknowledged when this has settled, or a second later:
   * until then the other side repeats it, and who finds `state` after a crash can still end the call. The leg is handed
   * over meanwhile.
   */
  onAnswered(state: SipState): Promise<void>
  /** The answered call is to be reached elsewhere from now on: who ends it after a crash needs `state` as it is now. */
  onMoved?(state: SipState): void
}

export type Dialed =
  | { answered: Leg; state: SipState }
  | {
      failed: 'busy' | 'no_answer' | 'rejected' | 'trunk_error'
      sipCode: number | null
      reason: string
      /** Nobody knows what became of the INVITE: the phone may ring, or may have been answered. */
      unknown?: boolean
    }
  | { failed: 'canceled'; sipCode: number | null; reason: string }

/** A call that comes to us, from its INVITE to its answer or its refusal. */
export interface IncomingCall {
  /** The number that was called, E.164; null when it is none of the trunk's own. */
  readonly to: string | null
  /** Who calls: E.164 where that can be told, else as the trunk writes it, or `anonymous`. */
  readonly from: string
  /** What a crash needs to end the ringing. */
  readonly ringing: SipState
  /** Aborts when the caller gives up before the answer; what is asked of the call after that does nothing. */
  readonly gone: AbortSignal
  /** What passes on the wire, the INVITE first. */
  readonly trace: TraceSource
  /** Sends 180. */
  ring(): void
  /**
   * Answers. `beforeAnswer` is awaited before the 200 leaves, so that who finds `state` after a crash can still end the
   * call; when it throws, the call is refused (503). `refused` is the status that was sent instead of a 200: 487 when the
   * caller was faster to give up. Never rejects.
   */
  answer(o: {
    beforeAnswer(state: SipState): Promise<void>
    /** The other side is to be reached elsewhere from now on: what would end the call after a crash is `state` now. */
    onMoved?(state: SipState): void
  }): Promise<{ answered: Leg; state: SipState } | { refused: number }>
  /** Refuses with a final status, e.g. 486. */
  reject(status: number, o?: { retryAfterSeconds: number }): void
}

export interface Trunk {
  /** Calls a number. Never throws for what the other side does; throws what `beforeInvite` threw. */
  dial(request: DialRequest): Promise<Dialed>
  /** Ends what an earlier process left open. Resolves when the other side confirmed, or after a few seconds. */
  recover(state: SipState): Promise<void>
  /** From now on a call that comes from a trunk is handed to `handler`; before, nobody can call us (403). */
  takeCalls(handler: (call: IncomingCall) => void): void
  probes(): Promise<Probe[]>
}

// ---------------------------------------------------------------- conversation

/** What came of scheduling another call; `reason` is one sentence without its full stop. */
export type CallBackOutcome = { ok: true } | { ok: false; reason: string }

/** What the agent is told. */
export interface Brief {
  callId: string
  instructions: string
  firstMessage: string | null
  name: string | null
  toNumber: string
  /** Left out: outbound. */
  direction?: Direction
  /** E.164; whom the agent may hand the human over to. Null: nobody. */
  transferTo: string | null
  /** What happens when a voicemail answers; null: as `hangup`. */
  voicemail: Voicemail | null
  maxDurationSeconds: number
}

export type TalkEvent =
  | {
      type: 'transcript'
      turn: number
      role: Turn['role']
      text: string
      final: boolean
      at: number
    }
  | { type: 'tool'; name: string; arguments: Record<string, unknown>; at: number }
  /** The human was handed over to the number of the brief. */
  | { type: 'transferred'; at: number }
  | { type: 'timing'; timing: TurnTiming }

export interface Talk {
  ending: Extract<
    EndReason,
    | 'agent_hangup'
    | 'human_hangup'
    | 'voicemail'
    | 'max_duration'
    | 'silence'
    | 'out_of_balance'
    | 'engine_error'
    | 'canceled'
    | 'shutdown'
    | 'rtp_timeout'
    | 'trunk_error'
    | 'transferred'
  >
  transcript: Turn[]
}

/** Why a conversation is asked to end; its `AbortSignal`'s reason. All but `canceled` say goodbye first. */
export type StopReason = 'canceled' | 'shutdown' | 'out_of_balance'

/** A conversation made ready while it rings: models are warm, the first message is sound. */
export interface Conversation {
  /** Resolves when what is said first is sound, or will not be; who answers a call may wait for it. Never rejects. */
  readonly ready: Promise<void>
  /**
   * Holds the conversation until somebody ends it, and hangs up. `signal` asks it to end (reason: StopReason).
   * Turns are told by `on` as they happen; never throws for what an engine does.
   */
  talk(leg: Leg, o: { signal: AbortSignal; on(event: TalkEvent): void }): Promise<Talk>
  /** Lets go of what was prepared when nobody answered. */
  discard(): void
}

export interface Talker {
  prepare(brief: Brief): Conversation
  /** One or two sentences about what the call achieved; made from the transcript alone when the model is away. */
  summarise(brief: Brief, transcript: readonly Turn[], signal: AbortSignal): Promise<string>
}

/** Whether the engines could hold a call now, from probes made in the background; `unknown` before the first. */
export interface Readiness {
  /** Resolves when the engines have been asked once; within seconds, also when one hangs. */
  first(): Promise<void>
  engines(): { state: 'ready' | 'away' | 'missing' | 'unknown'; reason: string }
  /** The trunks' own numbers; empty when no trunk is configured. The first is the default caller. */
  trunkNumbers(): readonly string[]
  hasTrunk(): boolean
}

// ---------------------------------------------------------------- storage

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
