/** What the rules of calls need from the floors above them. */
import type { Probe } from '../core/probe.ts'
import type { BargeInRule, Ring } from '../core/ring.ts'
import type { Direction, EndReason, Turn, TurnTiming, Voicemail } from './call.ts'
import type { CallTrace } from './call-trace.ts'

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
  /** BCP 47 tag of what is spoken; absent or null: what the voice speaks. */
  language?: string | null
  /** An id of the voice engine; absent or null: one that suits. */
  voice?: string | null
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

/** What a call found out by its `resultSchema`, or one sentence that says why there is nothing. */
export type CallResult = { result: unknown; error: null } | { result: null; error: string }

/** Judges JSON Schemas (draft 2020-12) from outside, and values by them; each within seconds, whatever is in it. */
export interface ResultSchemas {
  /** What is wrong with a schema, as words that follow "it"; null when it can be used. */
  problemOfSchema(schema: object): Promise<string | null>
  /** What is wrong with a value, as words that follow "it"; null when it is valid. */
  problemOfValue(schema: object, value: unknown): Promise<string | null>
}

export interface Talker {
  prepare(brief: Brief): Conversation
  /** One or two sentences about what the call achieved; made from the transcript alone when the model is away. */
  summarise(brief: Brief, transcript: readonly Turn[], signal: AbortSignal): Promise<string>
  /** What the call found out, valid by `schema`. Never rejects; bounded, less when `signal` aborts. */
  findResult(
    brief: Brief,
    o: {
      schema: Readonly<Record<string, unknown>>
      transcript: readonly Turn[]
      signal: AbortSignal
    },
  ): Promise<CallResult>
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
