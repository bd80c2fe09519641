import { describe, expect, it } from 'vitest'
import type { Call } from '../../src/calls/call.ts'
import type { CallFence } from '../../src/calls/call-store.ts'
import {
  aCall,
  aWebhook,
  claim,
  claimCall,
  create,
  type OpenStores,
  payload,
  SIP,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

const RINGING = { ...SIP, phase: 'ringing' } as const
const OUR_NUMBER = '+15559876543'

function incoming(s: StoresUnderTest, o: Partial<Call> = {}): Call {
  const who = { toNumber: OUR_NUMBER, fromNumber: '+15557654321' }
  return aCall(s, { direction: 'inbound', status: 'ringing', ...who, ...o })
}

function receive(
  s: StoresUnderTest,
  call: Call,
  o: Partial<Parameters<StoresUnderTest['calls']['receive']>[0]> = {},
): ReturnType<StoresUnderTest['calls']['receive']> {
  const now = s.clock.now()
  const lease = { owner: 'worker', leaseUntil: now + 15_000 }
  return s.calls.receive({
    call,
    sip: RINGING,
    lease,
    checkBalance: true,
    deliveries: null,
    now,
    ...o,
  })
}

async function received(s: StoresUnderTest, call: Call): Promise<CallFence> {
  const result = await receive(s, call)
  if ('refused' in result) throw new Error(result.refused)
  return result.received
}

export function exerciseCallReception(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe('a call that comes in', () => {
    check('is written ringing, with its event, its deliveries and a claim', async (s) => {
      await s.webhooks.create(aWebhook(s, { events: ['*'] }))
      const call = incoming(s)
      const result = await receive(s, call, { deliveries: payload('call.started') })
      expect(result).toHaveProperty('received')
      expect(await s.calls.get(call.id)).toEqual(call)
      const events = await s.calls.events(call.id, 0)
      expect(events.map(({ seq, data }) => [seq, data.status])).toEqual([[1, 'ringing']])
      expect(await claim(s, 'webhook.deliver')).not.toBeNull()
      // Nobody else may have it.
      expect(await claim(s, 'call.run')).toBeNull()
      const filter = { limit: 9, cursor: null }
      expect(await s.calls.list({ ...filter, direction: 'inbound' })).toHaveLength(1)
      expect(await s.calls.list({ ...filter, direction: 'outbound' })).toEqual([])
    })

    check('goes its way under its claim, to its settlement', async (s) => {
      const call = incoming(s)
      const fence = await received(s, call)
      const now = s.clock.now()
      expect(await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now })).toBe(true)
      const answered = { fence, startedAt: now, sip: SIP, deliveries: null }
      expect(await s.calls.markAnswered(call.id, answered)).toBe(true)
      expect(await s.calls.heartbeat(call.id, { fence, now })).toBe(true)
      expect(await s.jobs.renew({ id: fence.jobId, fence: 1, leaseUntil: now + 1 })).toBe(true)
      expect(await settle(s, call.id, { fence })).toMatchObject({ status: 'completed' })
      expect((await s.ledger.account()).balanceCents).toBe(493)
      expect(await s.jobs.nextDue({ kinds: ['call.run'] })).toBeNull()
    })

    check('may be one of many to a number, beside a call of ours to it', async (s) => {
      for (let i = 0; i < 3; i++) expect(await receive(s, incoming(s))).toHaveProperty('received')
      expect(await create(s, aCall(s, { toNumber: OUR_NUMBER }))).toEqual({ created: true })
      const callAt = s.clock.now()
      const later = aCall(s, { toNumber: '+15550001111', status: 'scheduled', callAt })
      await received(s, incoming(s, { toNumber: '+15550001111' }))
      await create(s, later)
      await claimCall(s)
      const { callId, fence } = await claimCall(s)
      const due = { fence, holdCents: 1, checkBalance: true, now: callAt }
      expect([callId, await s.calls.activate(later.id, due)]).toEqual([later.id, 'activated'])
    })

    check('takes a line, and is refused when there is none', async (s) => {
      await s.jobs.setLane({ name: 'calls', capacity: 2 })
      await create(s, aCall(s))
      await claimCall(s)
      const call = incoming(s)
      const fence = await received(s, call)
      const late = incoming(s)
      expect(await receive(s, late)).toEqual({ refused: 'no_line' })
      expect(await s.calls.get(late.id)).toBeNull()
      await create(s, aCall(s))
      expect(await claim(s, 'call.run')).toBeNull()
      const missed = { status: 'no_answer', endReason: null, costCents: 0 } as const
      await settle(s, call.id, { fence, result: missed, guard: ['ringing'] })
      expect(await claim(s, 'call.run')).not.toBeNull()
    })

    check('holds its minute, and is refused when that is not there', async (s) => {
      await received(s, incoming(s, { holdCents: 300 }))
      const poor = { refused: 'insufficient_balance' }
      expect(await receive(s, incoming(s, { holdCents: 201 }))).toEqual(poor)
      expect(await create(s, aCall(s, { holdCents: 201 }))).toEqual(poor)
      const unpaid = incoming(s, { holdCents: 9000 })
      expect(await receive(s, unpaid, { checkBalance: false })).toHaveProperty('received')
    })

    check('is found interrupted from its first moment on, when its claim was lost', async (s) => {
      const call = incoming(s)
      const fence = await received(s, call)
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      expect(await s.calls.interrupted()).toEqual([{ call, sip: RINGING }])
      expect(await s.calls.heartbeat(call.id, { fence, now: s.clock.now() })).toBe(false)
    })
  })
}
