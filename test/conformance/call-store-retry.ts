import { describe, expect, it } from 'vitest'
import {
  aCall,
  answeredCall,
  aWebhook,
  claim,
  claimCall,
  claimedCall,
  create,
  type OpenStores,
  payload,
  SIP,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

const DELAY_MS = 300_000

export function exerciseCallRetry(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  /** Dialled and not answered, with three attempts. */
  async function dialled(s: StoresUnderTest, o: Parameters<typeof claimedCall>[1] = {}) {
    const claimed = await claimedCall(s, { maxAttempts: 3, ...o })
    const { call, fence } = claimed
    await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now: s.clock.now() })
    return claimed
  }
  const retry = (s: StoresUnderTest) => ({
    callAt: s.clock.now() + DELAY_MS,
    sipCode: 486,
    reason: '486 Busy Here',
    now: s.clock.now(),
  })

  describe('a call that is tried again', () => {
    check('waits for its next attempt: scheduled, without hold, told in its events', async (s) => {
      const { call, fence } = await dialled(s, { holdCents: 500 })
      const o = retry(s)
      const waiting = await s.calls.scheduleRetry(call.id, { ...o, fence })
      const { callAt } = o
      const expected = { status: 'scheduled', attempt: 2, sipCode: 486, holdCents: 0, callAt }
      expect(waiting).toMatchObject(expected)
      expect(await s.calls.get(call.id)).toEqual(waiting)
      expect((await s.calls.events(call.id, 0)).at(-1)).toMatchObject({
        type: 'status',
        data: {
          status: 'scheduled',
          attempt: 2,
          reason: '486 Busy Here',
          callAt: new Date(callAt).toISOString(),
        },
      })
      // Its hold is free, and so is its number.
      expect(await create(s, aCall(s, { toNumber: call.toNumber, holdCents: 500 }))).toEqual({
        created: true,
      })
    })

    check('comes back to whoever claims it when it is due, and not before', async (s) => {
      const { call, fence: old } = await dialled(s)
      await s.calls.scheduleRetry(call.id, { ...retry(s), fence: old })
      expect(await s.jobs.nextDue({ kinds: ['call.run'] })).toBe(s.clock.now() + DELAY_MS)
      s.clock.jump(DELAY_MS - 1)
      expect(await claim(s, 'call.run')).toBeNull()
      s.clock.jump(1)
      const { callId, fence } = await claimCall(s)
      expect(callId).toBe(call.id)
      expect(fence.fence).toBeGreaterThan(old.fence)
      const due = { holdCents: 10, checkBalance: true, now: s.clock.now() }
      expect(await s.calls.activate(call.id, { ...due, fence: old })).toBe('lost')
      expect(await s.calls.activate(call.id, { ...due, fence })).toBe('activated')
      expect(await s.calls.get(call.id)).toMatchObject({ attempt: 2, sipCode: null, holdCents: 10 })
    })

    check('is let go by who held it: none of its writes counts any more', async (s) => {
      const { call, fence } = await dialled(s)
      const waiting = await s.calls.scheduleRetry(call.id, { ...retry(s), fence })
      const now = s.clock.now()
      const { jobId: id } = fence
      expect(await s.jobs.complete({ id, fence: fence.fence })).toBe(false)
      expect(await s.jobs.renew({ id, fence: fence.fence, leaseUntil: now + 1 })).toBe(false)
      const dialing = { fence, attempt: 2, sip: SIP, now }
      expect(await s.calls.saveDialing(call.id, dialing)).toBe(false)
      expect(await s.calls.markRinging(call.id, { fence, now, deliveries: null })).toBe(false)
      expect(await settle(s, call.id, { fence, guard: ['scheduled'] })).toBeNull()
      expect(await s.calls.scheduleRetry(call.id, { ...retry(s), fence })).toBeNull()
      expect(await s.calls.get(call.id)).toEqual(waiting)
    })

    check('is not what a crash interrupted, until its next INVITE', async (s) => {
      const { call, fence: old } = await dialled(s)
      expect(await s.calls.interrupted()).toHaveLength(1)
      await s.calls.scheduleRetry(call.id, { ...retry(s), fence: old })
      expect(await s.calls.interrupted()).toEqual([])
      s.clock.jump(DELAY_MS)
      const { fence } = await claimCall(s)
      const now = s.clock.now()
      await s.calls.activate(call.id, { fence, holdCents: 10, checkBalance: true, now })
      expect(await s.calls.interrupted()).toEqual([])
      await s.calls.saveDialing(call.id, { fence, attempt: 2, sip: SIP, now })
      expect(await s.calls.interrupted()).toMatchObject([{ call: { id: call.id, attempt: 2 } }])
    })

    check('also after it rang, and rings anew with each attempt', async (s) => {
      const hook = aWebhook(s, { events: ['call.started'] })
      await s.webhooks.create(hook)
      const { call, fence: first } = await dialled(s)
      const started = payload('call.started')
      const ringing = { now: s.clock.now(), deliveries: started }
      await s.calls.markRinging(call.id, { ...ringing, fence: first })
      await s.calls.scheduleRetry(call.id, { ...retry(s), fence: first })
      s.clock.jump(DELAY_MS)
      const fence = (await claimCall(s)).fence
      const now = s.clock.now()
      await s.calls.activate(call.id, { fence, holdCents: 10, checkBalance: true, now })
      await s.calls.saveDialing(call.id, { fence, attempt: 2, sip: SIP, now })
      expect(await s.calls.markRinging(call.id, { ...ringing, fence })).toBe(true)
      const made = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(made.map((one) => one.event)).toEqual(['call.started', 'call.started'])
    })

    check('has no more attempts than it was given', async (s) => {
      const { call, fence } = await dialled(s, { maxAttempts: 1 })
      const before = await s.calls.get(call.id)
      expect(await s.calls.scheduleRetry(call.id, { ...retry(s), fence })).toBeNull()
      expect(await s.calls.get(call.id)).toEqual(before)
      expect(await settle(s, call.id, { fence, guard: ['initiated'], result: busy })).toMatchObject(
        { status: 'busy', attempt: 1 },
      )
    })

    check('is none that was answered, has ended, or is another process’s', async (s) => {
      const { call: answered, fence } = await answeredCall(s, { maxAttempts: 3 })
      expect(await s.calls.scheduleRetry(answered.id, { ...retry(s), fence })).toBeNull()
      await settle(s, answered.id, { fence })
      expect(await s.calls.scheduleRetry(answered.id, { ...retry(s), fence })).toBeNull()
      const { call, fence: old } = await dialled(s)
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      await claimCall(s)
      expect(await s.calls.scheduleRetry(call.id, { ...retry(s), fence: old })).toBeNull()
      expect((await s.calls.get(call.id))?.status).toBe('initiated')
    })

    check('can be canceled between, and is due no more', async (s) => {
      const hook = aWebhook(s)
      await s.webhooks.create(hook)
      const { call, fence } = await dialled(s)
      await s.calls.scheduleRetry(call.id, { ...retry(s), fence })
      const result = { status: 'canceled', endReason: 'canceled', costCents: 0 } as const
      const canceled = await settle(s, call.id, { result, guard: ['scheduled', 'initiated'] })
      expect(canceled).toMatchObject({ status: 'canceled', attempt: 2 })
      s.clock.jump(DELAY_MS)
      expect(await claim(s, 'call.run')).toBeNull()
      const made = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(made.map((one) => one.event)).toEqual(['call.completed'])
    })

    check('lets a call go that waits for its number', async (s) => {
      const { call, fence } = await dialled(s)
      const other = aCall(s, {
        status: 'scheduled',
        toNumber: call.toNumber,
        callAt: s.clock.now(),
      })
      await create(s, other)
      const found = await claim(s, 'call.run')
      const runAt = s.clock.now() + 30_000
      await s.jobs.release({ id: found?.id ?? '', fence: found?.fence ?? 0, runAt, unbegun: true })
      await s.calls.scheduleRetry(call.id, { ...retry(s), fence })
      expect((await claimCall(s)).callId).toBe(other.id)
    })

    check('keeps to how often and how far apart', async (s) => {
      const call = aCall(s, { maxAttempts: 5, retryDelaySeconds: 86_400 })
      await create(s, call)
      expect(await s.calls.get(call.id)).toMatchObject({
        maxAttempts: 5,
        retryDelaySeconds: 86_400,
      })
    })
  })

  describe('a final status', () => {
    check('says in its event why, where somebody said it', async (s) => {
      const { call, fence } = await dialled(s)
      await settle(s, call.id, { fence, guard: ['initiated'], result: busy })
      expect((await s.calls.events(call.id, 0)).at(-2)?.data).toMatchObject({
        status: 'busy',
        reason: '486 Busy Here',
      })
      const { call: answered } = await answeredCall(s)
      await settle(s, answered.id)
      expect((await s.calls.events(answered.id, 0)).at(-2)?.data).toMatchObject({
        status: 'completed',
        reason: null,
      })
    })
  })
}

const busy = {
  status: 'busy',
  endReason: null,
  sipCode: 486,
  reason: '486 Busy Here',
  costCents: 0,
  durationSeconds: 0,
} as const
