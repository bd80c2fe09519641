/** What a call is, and the only ways in which its status changes. */
export const CALL_STATUSES = [
  'scheduled',
  'initiated',
  'ringing',
  'in_progress',
  'completed',
  'busy',
  'no_answer',
  'failed',
  'canceled',
] as const
export type CallStatus = (typeof CALL_STATUSES)[number]

export type EndReason =
  | 'agent_hangup'
  | 'human_hangup'
  | 'voicemail'
  | 'max_duration'
  | 'silence'
  | 'out_of_balance'
  | 'transferred'
  | 'engine_error'
  | 'canceled'
  | 'shutdown'
  | 'rtp_timeout'
  | 'rejected'
  | 'trunk_error'
  | 'interrupted'
  | 'missed'

/** What happens when a voicemail answers: hang up, talk on as to a person, or speak after the beep and hang up. */
export type Voicemail = 'hangup' | 'continue' | { leaveMessage: string }

/** One side's contribution, as it was heard. `at` is when it began, ms since the epoch. */
export interface Turn {
  role: 'agent' | 'human'
  text: string
  at: number
}

/** A turn with its index in the transcript, from 0: by it events and timings name the turn, and turns are ordered. */
export interface NumberedTurn extends Turn {
  index: number
}

/** When the stages of one answer happened, ms since the epoch; null where a stage did not. */
export interface TurnTiming {
  /** Index of the agent's turn in the transcript. */
  turn: number
  /** End of the human's speech. */
  speechEnd: number
  finalText: number | null
  firstToken: number | null
  firstSound: number | null
  /** The first packet of the answer left. */
  onWire: number | null
}

/** `inbound`: somebody called one of our numbers. */
export type Direction = 'outbound' | 'inbound'

/** All times are ms since the epoch, money is integer cents, durations are whole seconds. */
export interface Call {
  id: string
  direction: Direction
  status: CallStatus
  endReason: EndReason | null
  sipCode: number | null
  toNumber: string
  fromNumber: string
  instructions: string
  firstMessage: string | null
  name: string | null
  metadata: Record<string, string> | null
  maxDurationSeconds: number
  callAt: number | null
  /** E.164; whom the agent may hand the human over to. */
  transferTo: string | null
  /** Null: as `hangup`. */
  voicemail: Voicemail | null
  /** Counts from 1: the attempt that runs, ran last or, while the call is scheduled, comes next. */
  attempt: number
  /** How often the number is called at the most: 1 to 5. */
  maxAttempts: number
  /** From the end of one attempt to the next. */
  retryDelaySeconds: number
  centsPerMinute: number
  /** What this call holds of the balance while it is active; no ledger entry. */
  holdCents: number
  summary: string | null
  costCents: number
  durationSeconds: number
  createdAt: number
  /** The answer. */
  startedAt: number | null
  endedAt: number | null
  /** Last sign of life of an answered call; a crash is billed up to here. */
  heartbeatAt: number | null
}

export type CallEvent = 'due' | 'ringing' | 'answered' | 'retry' | FinalStatus
export type FinalStatus = 'completed' | 'busy' | 'no_answer' | 'failed' | 'canceled'

const NEXT: Record<CallStatus, Partial<Record<CallEvent, CallStatus>>> = {
  scheduled: { due: 'initiated', failed: 'failed', canceled: 'canceled' },
  initiated: {
    ringing: 'ringing',
    answered: 'in_progress',
    retry: 'scheduled',
    busy: 'busy',
    no_answer: 'no_answer',
    failed: 'failed',
    canceled: 'canceled',
  },
  ringing: {
    answered: 'in_progress',
    retry: 'scheduled',
    busy: 'busy',
    no_answer: 'no_answer',
    failed: 'failed',
    canceled: 'canceled',
  },
  in_progress: { completed: 'completed', failed: 'failed' },
  completed: {},
  busy: {},
  no_answer: {},
  failed: {},
  canceled: {},
}

/** The status after `event`; null for a move that the table does not list. */
export function transition(status: CallStatus, event: CallEvent): CallStatus | null {
  return NEXT[status][event] ?? null
}

/** The statuses from which `event` is possible: the guard that the SQL repeats. */
export function statusesBefore(event: CallEvent): CallStatus[] {
  return (Object.keys(NEXT) as CallStatus[]).filter((status) => NEXT[status][event] !== undefined)
}

export const ACTIVE_STATUSES: readonly CallStatus[] = ['initiated', 'ringing', 'in_progress']

export function isFinal(status: CallStatus): status is FinalStatus {
  return Object.keys(NEXT[status]).length === 0
}
