import type { KeyStore, LedgerStore } from '../../src/billing/ports.ts'
import type { Call } from '../../src/calls/call.ts'
import type { CallFence, CallStore, EventPayload, Settlement } from '../../src/calls/call-store.ts'
import type { NumberStore } from '../../src/calls/own-number.ts'
import type { Ids } from '../../src/core/ids.ts'
import type { JobStore } from '../../src/scheduler/ports.ts'
import type { Webhook, WebhookStore } from '../../src/webhooks/ports.ts'
import type { SimClock } from '../kit/sim-clock.ts'

/** The stores of one fresh, empty database whose account has 500 cents. */
export interface StoresUnderTest {
  calls: CallStore
  jobs: JobStore
  webhooks: WebhookStore
  ledger: LedgerStore
  keys: KeyStore
  numbers: NumberStore
  clock: SimClock
  ids: Ids
  close(): Promise<void>
}

export type OpenStores = () => Promise<StoresUnderTest>

/** Opens, uses and closes. */
export async function withStores(
  open: OpenStores,
  use: (stores: StoresUnderTest) => Promise<void>,
): Promise<void> {
  const stores = await open()
  try {
    await use(stores)
  } finally {
    await stores.close()
  }
}

export function aCall({ ids, clock }: StoresUnderTest, o: Partial<Call> = {}): Call {
  return {
    id: ids.uuid(),
    direction: 'outbound',
    status: 'initiated',
    endReason: null,
    sipCode: null,
    toNumber: `+1555${ids.fraction().toFixed(8).slice(2)}`,
    fromNumber: '+15559876543',
    instructions: 'Order a large pepperoni.',
    firstMessage: null,
    name: null,
    metadata: null,
    maxDurationSeconds: 600,
    callAt: null,
    transferTo: null,
    language: null,
    voice: null,
    resultSchema: null,
    voicemail: null,
    attempt: 1,
    maxAttempts: 1,
    retryDelaySeconds: 300,
    centsPerMinute: 10,
    holdCents: 10,
    summary: null,
    result: null,
    resultError: null,
    costCents: 0,
    durationSeconds: 0,
    createdAt: clock.now(),
    startedAt: null,
    endedAt: null,
    heartbeatAt: null,
    ...o,
  }
}

export function create(
  s: StoresUnderTest,
  call: Call,
  o: Partial<Parameters<CallStore['create']>[0]> = {},
): ReturnType<CallStore['create']> {
  return s.calls.create({
    call,
    runAt: call.callAt ?? s.clock.now(),
    idempotency: null,
    response: '',
    checkBalance: true,
    maxQueued: 100,
    overRate: false,
    now: s.clock.now(),
    ...o,
  })
}

/** Claims the next due call. */
export async function claimCall(s: StoresUnderTest): Promise<{ callId: string; fence: CallFence }> {
  const job = await claim(s, 'call.run')
  if (!job) throw new Error('no call is due')
  return { callId: job.key, fence: { jobId: job.id, fence: job.fence } }
}

export function claim(s: StoresUnderTest, ...kinds: string[]): ReturnType<JobStore['claim']> {
  const now = s.clock.now()
  return s.jobs.claim({ kinds, owner: 'worker', now, leaseUntil: now + 15_000 })
}

/** A call that was made and claimed. */
export async function claimedCall(
  s: StoresUnderTest,
  o: Partial<Call> = {},
): Promise<{ call: Call; fence: CallFence }> {
  const call = aCall(s, o)
  await create(s, call)
  const { callId, fence } = await claimCall(s)
  if (callId !== call.id) throw new Error('another call was due before')
  return { call, fence }
}

export const SIP = { trunk: 'main', phase: 'invite', callId: 'a@b', tags: ['x'] } as const

/** A claimed call whose other side has answered. */
export async function answeredCall(
  s: StoresUnderTest,
  o: Partial<Call> = {},
): Promise<{ call: Call; fence: CallFence }> {
  const claimed = await claimedCall(s, o)
  const { call, fence } = claimed
  await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now: s.clock.now() })
  const sip = { ...SIP, phase: 'dialog' as const }
  const startedAt = s.clock.now()
  await s.calls.markAnswered(call.id, { fence, startedAt, sip, deliveries: null })
  return claimed
}

export function payload(event: EventPayload['event'] = 'call.completed'): EventPayload {
  return { event, body: `{"event":"${event}"}` }
}

/** Settles as completed, at the cost of 7 cents where not told otherwise. */
export function settle(
  s: StoresUnderTest,
  id: string,
  o: Partial<Parameters<CallStore['settle']>[1]> & { result?: Partial<Settlement> } = {},
): Promise<Call | null> {
  const { result, ...rest } = o
  return s.calls.settle(id, {
    settlement: {
      status: 'completed',
      endReason: 'human_hangup',
      sipCode: 200,
      reason: null,
      summary: 'Done.',
      costCents: 7,
      durationSeconds: 42,
      endedAt: s.clock.now(),
      ...result,
    },
    guard: ['in_progress'],
    fence: null,
    charge: true,
    payload: () => payload(),
    endEvent: (call) => ({ id: call.id, status: call.status }),
    ...rest,
  })
}

export function aWebhook({ ids, clock }: StoresUnderTest, o: Partial<Webhook> = {}): Webhook {
  return {
    id: ids.uuid(),
    url: 'https://example.com/hook',
    events: ['call.completed'],
    active: true,
    consecutiveFailures: 0,
    disabledAt: null,
    createdAt: clock.now(),
    secret: ids.webhookSecret(),
    previousSecret: null,
    previousSecretUntil: null,
    ...o,
  }
}
