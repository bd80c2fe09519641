/** A call that comes in: may it have a line, who answers it, and what becomes of it when nobody does. */
import { sleep } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Call, FinalStatus } from './call.ts'
import type { CallFence, Lease } from './call-store.ts'
import { type ConverseDeps, converse, dialogMoved, type Hold } from './converse.ts'
import type { LiveCalls } from './live-calls.ts'
import type { NumberStore, OwnNumber } from './own-number.ts'
import type { Brief, Conversation, IncomingCall, Readiness } from './ports.ts'
import { eventPayload } from './public-call.ts'
import { allowedTransfer } from './run-call.ts'
import { untilStored } from './until-stored.ts'

/** A caller whom nothing can talk to now may try again after this. */
const RETRY_AFTER_SECONDS = 30
/** The first message is sound before the call is answered, but nobody rings longer than this for it. */
const LONGEST_RING_MS = 4000

export interface ReceiveCallDeps extends ConverseDeps {
  ids: Ids
  numbers: Pick<NumberStore, 'get'>
  readiness: Pick<Readiness, 'engines'>
  live: LiveCalls
  /** Cents per minute for a number. */
  rateFor(number: string): number
  /** Why a number may not be called by the dial policy as it is now; null when it may. */
  dialRefusal(number: string): string | null
  /** False before the appliance has begun, and once it is going down. */
  accepting(): boolean
  /**
   * Runs `work` under the claim that `claim` writes, and keeps that claim alive; `signal` aborts when it is lost. Resolves
   * when the work is over, or at once when there is no claim.
   */
  underLease(
    claim: (lease: Lease) => Promise<{ callId: string; fence: CallFence } | null>,
    work: (fence: CallFence, signal: AbortSignal) => Promise<void>,
  ): Promise<void>
  options: { billingEnabled: boolean; defaultMaxDurationSeconds: number }
}

export interface ReceiveCall {
  /** Takes a call to its end. */
  receive(incoming: IncomingCall): void
  /** Resolves when no call that came in is under way. */
  idle(): Promise<void>
}

/**
 * Refused without a trace: 503 while the appliance does not run, 404 for a number that is not configured, 480 while no
 * engine could talk or the balance does not cover a minute, 486 without a free line. All others become calls of direction
 * `inbound`, and go the same road as outbound ones from their answer on.
 */
export function createReceiveCall(d: ReceiveCallDeps): ReceiveCall {
  const running = new Set<Promise<void>>()

  async function take(incoming: IncomingCall): Promise<void> {
    const own = await admitted(d, incoming)
    if (!own) return
    const call = newCall(d, own, incoming.from)
    await d.underLease(
      (lease) => claim(d, { incoming, call, lease }),
      (fence, lease) => hold(d, { incoming, call, fence, lease }),
    )
  }

  return {
    receive(incoming) {
      const work = take(incoming)
        .catch((error: unknown) => {
          d.log.error('a call could not be received', { reason: reasonOf(error) })
          incoming.reject(503)
        })
        .finally(() => running.delete(work))
      running.add(work)
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

/** The number that is called, or null when the call was refused. */
async function admitted(d: ReceiveCallDeps, incoming: IncomingCall): Promise<OwnNumber | null> {
  if (!d.accepting()) incoming.reject(503)
  else {
    const own = incoming.to === null ? null : await d.numbers.get(incoming.to)
    const engines = d.readiness.engines()
    if (!own) incoming.reject(404)
    else if (engines.state === 'ready') return own
    else {
      d.log.warn('a call was refused', { reason: engines.reason })
      incoming.reject(480, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
  }
  return null
}

function newCall(d: ReceiveCallDeps, own: OwnNumber, from: string): Call {
  const centsPerMinute = d.rateFor(from)
  return {
    id: d.ids.uuid(),
    direction: 'inbound',
    status: 'ringing',
    endReason: null,
    sipCode: null,
    toNumber: own.number,
    fromNumber: from,
    instructions: own.instructions,
    firstMessage: own.firstMessage,
    name: own.name,
    metadata: own.metadata,
    maxDurationSeconds: own.maxDurationSeconds ?? d.options.defaultMaxDurationSeconds,
    callAt: null,
    transferTo: own.transferTo,
    language: own.language,
    voice: own.voice,
    resultSchema: own.resultSchema,
    voicemail: null,
    maxAttempts: 1,
    retryDelaySeconds: 300,
    attempt: 1,
    centsPerMinute,
    holdCents: centsPerMinute,
    summary: null,
    result: null,
    resultError: null,
    costCents: 0,
    durationSeconds: 0,
    createdAt: d.clock.now(),
    startedAt: null,
    endedAt: null,
    heartbeatAt: null,
  }
}

/** Writes the call with its line; refuses it when there is none, or no money. */
async function claim(
  d: ReceiveCallDeps,
  o: { incoming: IncomingCall; call: Call; lease: Lease },
): Promise<{ callId: string; fence: CallFence } | null> {
  const { call, lease } = o
  const now = call.createdAt
  const written = await d.calls.receive({
    call,
    sip: o.incoming.ringing,
    lease,
    checkBalance: d.options.billingEnabled,
    deliveries: eventPayload('call.started', call, [], now),
    now,
  })
  if ('received' in written) return { callId: call.id, fence: written.received }
  d.log.warn('a call was refused', { reason: written.refused })
  o.incoming.reject(written.refused === 'no_line' ? 486 : 480)
  return null
}

/** From the ringing to the settlement. */
async function hold(
  deps: ReceiveCallDeps,
  o: { incoming: IncomingCall; call: Call; fence: CallFence; lease: AbortSignal },
): Promise<void> {
  const { incoming, call, fence, lease } = o
  const d: ReceiveCallDeps = {
    ...deps,
    settle: (settled, ending) =>
      untilStored(deps, { callId: call.id, signal: lease }, () => deps.settle(settled, ending)),
  }
  const stop = new AbortController()
  const leave = d.live.enter(call.id, stop)
  const lost = (): void => stop.abort('canceled')
  lease.addEventListener('abort', lost)
  try {
    d.traces.begin(call.id, call.attempt, incoming.trace)
    d.events.notify(call.id)
    d.onDue()
    await answer(d, { incoming, call, hold: { fence, stop, lease } })
  } finally {
    // Whatever went wrong, nobody is left ringing.
    incoming.reject(503)
    void d.traces.end(call.id)
    leave()
    lease.removeEventListener('abort', lost)
  }
}

async function answer(
  d: ReceiveCallDeps,
  o: { incoming: IncomingCall; call: Call; hold: Hold },
): Promise<void> {
  const { incoming, call } = o
  const { fence, stop } = o.hold
  incoming.ring()
  const brief: Brief = { ...call, callId: call.id, transferTo: allowedTransfer(d, call) }
  const conversation = d.talker.prepare(brief)
  await untilReady(d, { conversation, signals: [stop.signal, incoming.gone] })
  const taken = stop.signal.aborted ? null : await tryAnswer(d, o)
  if (taken && 'answered' in taken) {
    await converse(d, call, { ...o.hold, dialed: taken, conversation, brief })
    return
  }
  conversation.discard()
  const sipCode = taken?.refused ?? (stop.signal.reason === 'shutdown' ? 503 : 480)
  incoming.reject(sipCode)
  const { status, endReason } = stop.signal.aborted ? CANCELED : outcomeOf(sipCode)
  await d.traces.end(call.id)
  d.log.info('a call that came in was not answered', { callId: call.id, status, sipCode })
  await d.settle(call, { status, endReason, sipCode, fence })
}

/** The dialog is on disk before the 200 leaves: a crash still ends in a BYE. */
function tryAnswer(
  d: ReceiveCallDeps,
  o: { incoming: IncomingCall; call: Call; hold: Hold },
): ReturnType<IncomingCall['answer']> {
  const { call } = o
  const { fence, stop } = o.hold
  return o.incoming.answer({
    async beforeAnswer(sip) {
      const stored = { fence, attempt: call.attempt, sip, now: d.clock.now() }
      if (!(await d.calls.saveDialing(call.id, stored)))
        throw new Error('another process has taken this call over')
      if (stop.signal.aborted) throw new Error('the call was ended before its answer')
    },
    onMoved: (sip) => dialogMoved(d, call, { fence, sip }),
  })
}

/** The first words are sound, or it has rung long enough, or one of the signals aborts. */
async function untilReady(
  d: ReceiveCallDeps,
  o: { conversation: Conversation; signals: readonly AbortSignal[] },
): Promise<void> {
  const patience = new AbortController()
  const signal = AbortSignal.any([...o.signals, patience.signal])
  await Promise.race([o.conversation.ready, sleep(d.clock, LONGEST_RING_MS, signal)])
  patience.abort()
}

const CANCELED = { status: 'canceled', endReason: 'canceled' } as const

/** What it means that we sent this instead of a 200; 487 is a caller who gave up. */
function outcomeOf(status: number): {
  status: FinalStatus
  endReason: 'trunk_error' | 'rejected' | null
} {
  if (status === 487) return { status: 'no_answer', endReason: null }
  return { status: 'failed', endReason: status >= 500 ? 'trunk_error' : 'rejected' }
}
