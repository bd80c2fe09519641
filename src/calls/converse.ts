import { type Clock, sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Call, Turn, TurnTiming } from './call.ts'
import type { CallEvents } from './call-events.ts'
import type { CallFence, CallStore } from './call-store.ts'
import { createCallTime } from './call-time.ts'
import type { CallTraces } from './call-trace.ts'
import { type Chronicle, createChronicle } from './chronicle.ts'
import type {
  Brief,
  CallResult,
  Conversation,
  Dialed,
  Leg,
  SipState,
  StopReason,
  Talk,
  TalkEvent,
  Talker,
} from './ports.ts'
import type { SettleCall } from './settle-call.ts'
import { GRACE_MS, superviseCall } from './supervise-call.ts'

/** How long a summary, and then a result, may hold a call open. */
const SUMMARY_MS = 12_000
const RESULT_MS = 30_000
/** How long `talk` may go on after its leg has ended, or should have: then the call ends without it. */
const STUCK_MS = 10_000
/** The same while the appliance goes down: it has to be settled before the database is closed. */
const STUCK_AT_SHUTDOWN_MS = 400

export interface ConverseDeps {
  clock: Clock
  log: Log
  calls: CallStore
  talker: Talker
  events: CallEvents
  traces: CallTraces
  settle: SettleCall
  onTiming?(timing: TurnTiming): void
  /** Told when deliveries of a call that goes on have become due. */
  onDue(): void
  options: { billingEnabled: boolean }
}

/** What a run holds: its claim, what ends its call, what ends its claim. */
export interface Hold {
  fence: CallFence
  stop: AbortController
  lease: AbortSignal
}

/** What would end the call after a crash is another now; nothing waits for it to be stored. */
export function dialogMoved(
  d: Pick<ConverseDeps, 'calls' | 'log'>,
  { id }: Call,
  o: { fence: CallFence; sip: SipState },
): void {
  d.calls
    .moveDialog(id, o)
    .catch((error: unknown) =>
      d.log.error('a moved dialog was not stored', { callId: id, reason: reasonOf(error) }),
    )
}

/** An answered call: the conversation, the hang-up, the summary, the settlement. */
export async function converse(
  d: ConverseDeps,
  call: Call,
  o: Hold & {
    dialed: Extract<Dialed, { answered: Leg }>
    conversation: Conversation
    brief: Brief
  },
): Promise<void> {
  const { fence, stop } = o
  const leg = o.dialed.answered
  const answered: Call = { ...call, status: 'in_progress', startedAt: d.clock.now() }
  const time = createCallTime(d.clock)
  let endedAt: number | null = null
  let reason: string | null = null
  void leg.ended.then((end) => {
    endedAt ??= time()
    if (end.by === 'trunk_error') reason = end.reason
  })
  const chronicle = createChronicle(d, { call: answered, fence, signal: o.lease })
  // The first word does not wait for the disk: the answer is stored while it is spoken.
  chronicle.answered(o.dialed.state, () => void leg.hangup())
  const relieve = superviseCall(d, { call: answered, fence, leg, stop, time })
  const talk = await talkWhileAlive(d, answered, { ...o, leg, chronicle })
  relieve()
  endedAt ??= time()
  await chronicle.written()
  const transcript = talk.transcript ?? (await d.calls.transcript(call.id).catch(() => []))
  const traced = d.traces.end(call.id)
  const summary = await inTime(d, { stop: stop.signal, ms: SUMMARY_MS }, (signal) =>
    d.talker.summarise(o.brief, transcript, signal),
  )
  // After it, not beside it: a model that answers one request after the other would be late for both.
  const result = await findResult(d, call, { ...o, transcript })
  await traced
  await d.settle(answered, {
    status: 'completed',
    endReason: talk.ending === 'trunk_error' ? 'rtp_timeout' : talk.ending,
    reason: talk.ending === 'trunk_error' ? reason : null,
    summary,
    result,
    endedAt,
    fence,
  })
}

/** How a conversation ended; without a transcript when only what was stored tells it. */
type Outcome = Pick<Talk, 'ending'> & { transcript: Talk['transcript'] | null }

/** The conversation and its hang-up, neither of which may outlast the call's hard deadline or its leg by long. */
async function talkWhileAlive(
  d: ConverseDeps,
  call: Call,
  o: { leg: Leg; conversation: Conversation; stop: AbortController; chronicle: Chronicle },
): Promise<Outcome> {
  const { leg } = o
  const patienceMs = (): number =>
    o.stop.signal.reason === 'shutdown' ? STUCK_AT_SHUTDOWN_MS : STUCK_MS
  const stuck = Promise.withResolvers<Outcome>()
  const giveUp = (afterMs: number, ending: Outcome['ending']): (() => void) =>
    d.clock.after(afterMs, () => {
      d.log.error('conversation does not end', { callId: call.id })
      stuck.resolve({ ending, transcript: null })
    })
  const forgets = [giveUp(call.maxDurationSeconds * 1000 + GRACE_MS + STUCK_MS, 'max_duration')]
  void leg.ended.then(({ by }) => {
    const ours = (o.stop.signal.reason as StopReason | undefined) ?? 'max_duration'
    forgets.push(giveUp(patienceMs(), by === 'us' ? ours : ENDING_OF[by]))
  })
  // One that is abandoned is stopped, and whatever it does, it writes no more to a call that is settled.
  const abandoned = new AbortController()
  const signal = AbortSignal.any([o.stop.signal, abandoned.signal])
  const on = (event: TalkEvent): void => {
    if (!abandoned.signal.aborted) o.chronicle.on(event)
  }
  const talk = o.conversation.talk(leg, { signal, on }).catch((error: unknown): Outcome => {
    d.log.error('conversation broke', { callId: call.id, reason: reasonOf(error) })
    return { ending: 'engine_error', transcript: null }
  })
  const outcome = await Promise.race([talk, stuck.promise])
  const reason: StopReason = 'canceled'
  abandoned.abort(reason)
  const patience = new AbortController()
  const hungUp = leg.hangup().catch(() => undefined)
  await Promise.race([hungUp, leg.ended, sleep(d.clock, patienceMs(), patience.signal)])
  patience.abort()
  for (const forget of forgets) forget()
  return outcome
}

const ENDING_OF = {
  human: 'human_hangup',
  rtp_timeout: 'rtp_timeout',
  trunk_error: 'trunk_error',
} as const

async function findResult(
  d: ConverseDeps,
  { resultSchema: schema }: Call,
  o: { brief: Brief; transcript: readonly Turn[]; stop: AbortController },
): Promise<CallResult | null> {
  if (schema === null) return null
  return inTime(d, { stop: o.stop.signal, ms: RESULT_MS }, (signal) =>
    d.talker.findResult(o.brief, { schema, transcript: o.transcript, signal }),
  )
}

/** Bounded; a shutdown does not wait for the model, which then does without it. */
async function inTime<T>(
  d: Pick<ConverseDeps, 'clock'>,
  { stop, ms }: { stop: AbortSignal; ms: number },
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const forget = d.clock.after(ms, () => limit.abort())
  const hurry = (): void => {
    if (stop.reason === 'shutdown') limit.abort()
  }
  if (stop.aborted) hurry()
  stop.addEventListener('abort', hurry)
  try {
    return await task(limit.signal)
  } finally {
    forget()
    stop.removeEventListener('abort', hurry)
  }
}
