import { reasonOf } from '../core/errors.ts'
import { type Call, isFinal } from './call.ts'
import type { CallFence } from './call-store.ts'
import { type ConverseDeps, converse, dialogMoved, type Hold } from './converse.ts'
import type { LiveCalls } from './live-calls.ts'
import type { Brief, Dialed, Readiness, Trunk } from './ports.ts'
import { eventPayload } from './public-call.ts'
import { closeInterrupted } from './recover-calls.ts'
import { mayRetry, retryCall } from './retry-call.ts'
import { isUnavailable, untilStored } from './until-stored.ts'

/** A call whose turn has not come asks again after this. */
const ASK_AGAIN_MS = 2000
/** One that waits for its number asks again after as long as it has waited, but this at most. */
const LONGEST_BUSY_AGAIN_MS = 30_000

export interface RunCallDeps extends ConverseDeps {
  trunk: Trunk
  readiness: Readiness
  live: LiveCalls
  /** Why a number may not be called by the dial policy as it is now; null when it may. */
  dialRefusal(number: string): string | null
  options: { ringTimeoutMs: number; maxLatenessMs: number; billingEnabled: boolean }
}

/** What happens to the job: `again` asks for another claim at that time; nothing was begun. */
export type RunResult = { done: true } | { again: number }

/**
 * One call from its due time to its settlement, in the order in which it happens. Runs under a job's lease: `signal`
 * aborts when the lease is lost, and from then on no write of ours succeeds. Throws when nothing was dialled because
 * the database cannot be used: then the job may be tried again.
 */
export function createRunCall(deps: RunCallDeps) {
  return async (callId: string, fence: CallFence, signal: AbortSignal): Promise<RunResult> => {
    const d: RunCallDeps = {
      ...deps,
      settle: (call, ending) =>
        untilStored(deps, { callId, signal }, () => deps.settle(call, ending)),
    }
    const found = await d.calls.get(callId)
    if (!found || isFinal(found.status)) return { done: true }
    // Dialled before, by a claim that was lost: whatever came of it, nobody is rung a second time.
    const begun = (await d.calls.interrupted()).find(({ call }) => call.id === callId)
    if (begun) {
      // Its line is free when it has been hung up.
      await (await closeInterrupted(d, { ...begun, fence })).hungUp
      return { done: true }
    }
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
      await phone(d, call, { fence, stop, lease: signal })
    } finally {
      leave()
      signal.removeEventListener('abort', lost)
    }
    return { done: true }
  }
}

/** Too late, no engine, another call to the number, no money: everything that is looked at before the telephone. */
async function makeReady(d: RunCallDeps, call: Call, fence: CallFence): Promise<Call | RunResult> {
  // Right after a start nobody knows yet: whoever was claimed first stays first.
  await d.readiness.first()
  const now = d.clock.now()
  const waitedMs = now - (call.callAt ?? call.createdAt)
  if (waitedMs > d.options.maxLatenessMs) {
    const reason = `it was due ${Math.round(waitedMs / 1000)} s before it could be dialled (calls.max_lateness)`
    await d.settle(call, { status: 'failed', endReason: 'missed', reason, fence })
    return { done: true }
  }
  const refusal = d.dialRefusal(call.toNumber)
  if (refusal !== null) {
    d.log.warn('call refused by the dial policy', { callId: call.id, reason: refusal })
    await d.settle(call, { status: 'failed', endReason: 'rejected', reason: refusal, fence })
    return { done: true }
  }
  // Nobody is rung while there is nothing that could talk to them.
  if (d.readiness.engines().state !== 'ready') return { again: now + ASK_AGAIN_MS }
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
      return { ...call, status: 'initiated', holdCents: call.centsPerMinute, sipCode: null }
    case 'number_busy':
      return { again: now + Math.min(Math.max(waitedMs, ASK_AGAIN_MS), LONGEST_BUSY_AGAIN_MS) }
    case 'insufficient_balance': {
      const reason = 'when it was due, the balance did not cover a minute'
      await d.settle(call, { status: 'failed', endReason: 'out_of_balance', reason, fence })
      return { done: true }
    }
    case 'lost':
      return { done: true }
  }
}

async function phone(d: RunCallDeps, call: Call, hold: Hold): Promise<void> {
  const brief: Brief = { ...call, callId: call.id, transferTo: allowedTransfer(d, call) }
  const conversation = d.talker.prepare(brief)
  let begun = false
  const onBegun = (): void => {
    begun = true
  }
  const dialed = await dial(d, call, { ...hold, onBegun }).catch((error: unknown): Dialed => {
    conversation.discard()
    void d.traces.end(call.id)
    if (!begun && isUnavailable(error)) throw error
    d.log.error('call could not be dialled', { callId: call.id, reason: reasonOf(error) })
    return { failed: 'trunk_error', sipCode: null, reason: reasonOf(error), unknown: begun }
  })
  if ('failed' in dialed) {
    conversation.discard()
    await d.traces.end(call.id)
    await unanswered(d, call, hold, dialed)
    return
  }
  await converse(d, call, { ...hold, dialed, conversation, brief })
}

/** Whom the call may be handed over to by the dial policy as it is now; it may be stricter than it was. */
export function allowedTransfer(
  d: Pick<RunCallDeps, 'log' | 'dialRefusal'>,
  { id, transferTo }: Pick<Call, 'id' | 'transferTo'>,
): string | null {
  const refusal = transferTo === null ? null : d.dialRefusal(transferTo)
  if (refusal !== null)
    d.log.warn('transfer refused by the dial policy', { callId: id, reason: refusal })
  return refusal === null ? transferTo : null
}

/** `onBegun` is told when an INVITE may leave. */
function dial(d: RunCallDeps, call: Call, o: Hold & { onBegun(): void }): Promise<Dialed> {
  const { fence } = o
  return d.trunk.dial({
    to: call.toNumber,
    from: call.fromNumber,
    callId: call.id,
    ringTimeoutMs: d.options.ringTimeoutMs,
    signal: o.stop.signal,
    onTrace: (trace) => d.traces.begin(call.id, call.attempt, trace),
    async beforeInvite(sip) {
      const now = d.clock.now()
      if (!(await d.calls.saveDialing(call.id, { fence, attempt: call.attempt, sip, now })))
        throw new Error('another process has taken this call over')
      o.onBegun()
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
    async onAnswered(sip) {
      const now = d.clock.now()
      await d.calls.saveDialing(call.id, { fence, attempt: call.attempt, sip, now })
    },
    onMoved: (sip) => dialogMoved(d, call, { fence, sip }),
  })
}

async function unanswered(
  d: RunCallDeps,
  call: Call,
  hold: Hold,
  dialed: Extract<Dialed, { failed: string }>,
): Promise<void> {
  const { failed, sipCode, reason } = dialed
  const { fence, lease } = hold
  d.log.info('call not answered', { callId: call.id, outcome: failed, sipCode, reason })
  const again = mayRetry(call, dialed)
  if (again && !isCanceled(hold)) {
    const waiting = await retryCall(d, call, { dialed, fence, lease })
    // Canceled while that was written: nobody else would end it now.
    if (waiting && isCanceled(hold))
      await d.settle(waiting, { status: 'canceled', endReason: 'canceled', fence: null })
  } else if (failed === 'canceled' || again)
    await d.settle(call, { status: 'canceled', endReason: 'canceled', sipCode, ...whoEnded(hold) })
  else if (failed === 'busy' || failed === 'no_answer')
    await d.settle(call, { status: failed, endReason: null, sipCode, reason, fence })
  else await d.settle(call, { status: 'failed', endReason: failed, sipCode, reason, fence })
}

function whoEnded({ fence, stop }: Hold): { fence: CallFence; reason: string | null } {
  return { fence, reason: stop.signal.reason === 'shutdown' ? 'the appliance was shut down' : null }
}

/** Somebody asked for its end; a lease that was lost looks the same to the telephone, but is no wish. */
function isCanceled({ stop, lease }: Hold): boolean {
  return stop.signal.reason === 'canceled' && !lease.aborted
}
