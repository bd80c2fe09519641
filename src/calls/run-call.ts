import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type Call, isFinal, type TurnTiming } from './call.ts'
import type { CallEvents } from './call-events.ts'
import { createChronicle } from './chronicle.ts'
import type { LiveCalls } from './live-calls.ts'
import type {
  Brief,
  CallFence,
  CallStore,
  Conversation,
  Dialed,
  Leg,
  Readiness,
  Talk,
  Talker,
  Trunk,
} from './ports.ts'
import { eventPayload } from './public-call.ts'
import type { SettleCall } from './settle-call.ts'
import { superviseCall } from './supervise-call.ts'

/** A call whose turn has not come asks again after this. */
const ASK_AGAIN_MS = 2000
/** How long a summary may hold a call open. */
const SUMMARY_MS = 12_000

export interface RunCallDeps {
  clock: Clock
  log: Log
  calls: CallStore
  trunk: Trunk
  talker: Talker
  readiness: Readiness
  live: LiveCalls
  events: CallEvents
  settle: SettleCall
  /** Why a number may not be called by the dial policy as it is now; null when it may. */
  dialRefusal(number: string): string | null
  onTiming?(timing: TurnTiming): void
  /** Told when deliveries of a call that goes on have become due. */
  onDue(): void
  options: { ringTimeoutMs: number; maxLatenessMs: number; billingEnabled: boolean }
}

/** What happens to the job: `again` asks for another claim at that time. */
export type RunResult = { done: true } | { again: number }

/**
 * One call from its due time to its settlement, in the order in which it happens. Runs under a job's lease: `signal`
 * aborts when the lease is lost, and from then on no write of ours succeeds.
 */
export function createRunCall(d: RunCallDeps) {
  return async (callId: string, fence: CallFence, signal: AbortSignal): Promise<RunResult> => {
    const found = await d.calls.get(callId)
    if (!found || isFinal(found.status)) return { done: true }
    const ready = await makeReady(d, found, fence)
    if ('again' in ready || 'done' in ready) return ready

    const call = ready
    const stop = new AbortController()
    const leave = d.live.enter(callId, stop)
    const lost = (): void => stop.abort('canceled')
    signal.addEventListener('abort', lost)
    try {
      // Going down: the next process finds the call due.
      if (stop.signal.aborted) return { again: d.clock.now() }
      await phone(d, call, fence, stop)
    } finally {
      leave()
      signal.removeEventListener('abort', lost)
    }
    return { done: true }
  }
}

/** Too late, no engine, another call to the number, no money: everything that is looked at before the telephone. */
async function makeReady(d: RunCallDeps, call: Call, fence: CallFence): Promise<Call | RunResult> {
  const now = d.clock.now()
  const again = { again: now + ASK_AGAIN_MS }
  if (now - (call.callAt ?? call.createdAt) > d.options.maxLatenessMs) {
    await d.settle(call, { status: 'failed', endReason: 'missed', fence })
    return { done: true }
  }
  const refusal = d.dialRefusal(call.toNumber)
  if (refusal !== null) {
    d.log.warn('call refused by the dial policy', { callId: call.id, reason: refusal })
    await d.settle(call, { status: 'failed', endReason: 'rejected', fence })
    return { done: true }
  }
  // Nobody is rung while there is nothing that could talk to them.
  if (d.readiness.engines().state !== 'ready') return again
  if (call.status !== 'scheduled') return call
  const activated = await d.calls.activate(call.id, {
    fence,
    holdCents: call.centsPerMinute,
    checkBalance: d.options.billingEnabled,
    now,
  })
  switch (activated) {
    case 'activated':
      d.events.notify(call.id)
      return { ...call, status: 'initiated', holdCents: call.centsPerMinute }
    case 'number_busy':
      return again
    case 'insufficient_balance':
      await d.settle(call, { status: 'failed', endReason: 'out_of_balance', fence })
      return { done: true }
    case 'lost':
      return { done: true }
  }
}

async function phone(
  d: RunCallDeps,
  call: Call,
  fence: CallFence,
  stop: AbortController,
): Promise<void> {
  const brief: Brief = { ...call, callId: call.id }
  const conversation = d.talker.prepare(brief)
  const dialed = await dial(d, call, fence, stop.signal).catch((error: unknown): Dialed => {
    conversation.discard()
    d.log.error('call could not be dialled', { callId: call.id, reason: reasonOf(error) })
    return { failed: 'trunk_error', sipCode: null, reason: reasonOf(error) }
  })
  if ('failed' in dialed) {
    conversation.discard()
    await settleUnanswered(d, call, fence, dialed)
    return
  }
  await converse(d, call, fence, { dialed, conversation, stop, brief })
}

function dial(d: RunCallDeps, call: Call, fence: CallFence, signal: AbortSignal): Promise<Dialed> {
  return d.trunk.dial({
    to: call.toNumber,
    from: call.fromNumber,
    callId: call.id,
    ringTimeoutMs: d.options.ringTimeoutMs,
    signal,
    async beforeInvite(sip) {
      const now = d.clock.now()
      if (!(await d.calls.saveDialing(call.id, { fence, attempt: call.attempt, sip, now })))
        throw new Error('another process has taken this call over')
    },
    onRinging() {
      const now = d.clock.now()
      const deliveries = eventPayload('call.started', { ...call, status: 'ringing' }, [], now)
      d.calls
        .markRinging(call.id, { fence, now, deliveries })
        .then(() => {
          d.events.notify(call.id)
          d.onDue()
        })
        .catch((error: unknown) =>
          d.log.error('ringing was not stored', { callId: call.id, reason: reasonOf(error) }),
        )
    },
  })
}

async function settleUnanswered(
  d: RunCallDeps,
  call: Call,
  fence: CallFence,
  dialed: Extract<Dialed, { failed: string }>,
): Promise<void> {
  const { failed, sipCode } = dialed
  d.log.info('call not answered', {
    callId: call.id,
    outcome: failed,
    sipCode,
    reason: dialed.reason,
  })
  if (failed === 'busy' || failed === 'no_answer')
    await d.settle(call, { status: failed, endReason: null, sipCode, fence })
  else if (failed === 'canceled')
    await d.settle(call, { status: 'canceled', endReason: 'canceled', sipCode, fence })
  else await d.settle(call, { status: 'failed', endReason: failed, sipCode, fence })
}

async function converse(
  d: RunCallDeps,
  call: Call,
  fence: CallFence,
  o: {
    dialed: Extract<Dialed, { answered: Leg }>
    conversation: Conversation
    stop: AbortController
    brief: Brief
  },
): Promise<void> {
  const leg = o.dialed.answered
  const answered: Call = { ...call, status: 'in_progress', startedAt: d.clock.now() }
  const chronicle = createChronicle(d, call.id)
  // The first word does not wait for the disk: the answer is stored while it is spoken.
  chronicle.answered(answered, fence, o.dialed.state, () => void leg.hangup())
  const relieve = superviseCall(d, { call: answered, fence, leg, stop: o.stop })
  const talk = await o.conversation
    .talk(leg, { signal: o.stop.signal, on: chronicle.on })
    .catch((error: unknown): Talk => {
      d.log.error('conversation broke', { callId: call.id, reason: reasonOf(error) })
      return { ending: 'engine_error', transcript: [] }
    })
  await leg.hangup().catch(() => undefined)
  relieve()
  const endedAt = d.clock.now()
  await chronicle.written()
  const summary = await summarise(d, o.brief, talk, o.stop.signal)
  await d.settle(answered, {
    status: 'completed',
    endReason: talk.ending === 'trunk_error' ? 'rtp_timeout' : talk.ending,
    summary,
    endedAt,
    fence,
  })
}

/** Bounded; a shutdown does not wait for the model, which then makes it from the transcript. */
async function summarise(
  d: RunCallDeps,
  brief: Brief,
  talk: Talk,
  stop: AbortSignal,
): Promise<string> {
  const limit = new AbortController()
  const forget = d.clock.after(SUMMARY_MS, () => limit.abort())
  const hurry = (): void => {
    if (stop.reason === 'shutdown') limit.abort()
  }
  if (stop.aborted) hurry()
  stop.addEventListener('abort', hurry)
  try {
    return await d.talker.summarise(brief, talk.transcript, limit.signal)
  } finally {
    forget()
    stop.removeEventListener('abort', hurry)
  }
}
