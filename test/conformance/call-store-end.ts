import { describe, expect, it } from 'vitest'
import {
  aCall,
  answeredCall,
  aWebhook,
  claim,
  claimedCall,
  create,
  type OpenStores,
  payload,
  SIP,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

export function exerciseCallEnd(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe('settling', () => {
    check('writes the outcome, the charge, the events and ends the job', async (s) => {
      const { call, fence } = await answeredCall(s)
      await s.calls.appendTurn(call.id, { index: 0, role: 'agent', text: 'Hello', at: 1 })
      s.clock.jump(42_000)
      const seen: unknown[] = []
      const settled = await settle(s, call.id, {
        fence,
        payload(final, transcript) {
          seen.push(final, transcript)
          return payload()
        },
        endEvent: (final, transcript) => ({ cost: final.costCents, turns: transcript.length }),
      })
      expect(settled).toEqual(await s.calls.get(call.id))
      expect(settled).toMatchObject({
        status: 'completed',
        endReason: 'human_hangup',
        sipCode: 200,
        summary: 'Done.',
        costCents: 7,
        durationSeconds: 42,
        endedAt: s.clock.now(),
        holdCents: 0,
      })
      expect(seen).toEqual([settled, [{ role: 'agent', text: 'Hello', at: 1 }]])
      expect((await s.ledger.account()).balanceCents).toBe(493)
      const at = new Date(s.clock.now()).toISOString()
      expect((await s.calls.events(call.id, 2)).map(({ type, data }) => ({ type, data }))).toEqual([
        {
          type: 'status',
          data: { status: 'completed', endReason: 'human_hangup', reason: null, at },
        },
        { type: 'end', data: { cost: 7, turns: 1 } },
      ])
      expect(await s.jobs.complete({ id: fence.jobId, fence: fence.fence })).toBe(false)
      expect(await s.jobs.nextDue({ kinds: ['call.run'] })).toBeNull()
    })

    check('happens once', async (s) => {
      const { call, fence } = await answeredCall(s)
      const both = [settle(s, call.id, { fence }), settle(s, call.id, { fence: null })]
      const results = await Promise.all(both)
      expect(results.map((one) => one?.status)).toEqual(['completed', undefined])
      expect((await s.ledger.account()).balanceCents).toBe(493)
    })

    check('charges nothing where it shall not, or nothing is due', async (s) => {
      const unpaid = await answeredCall(s)
      await settle(s, unpaid.call.id, { fence: unpaid.fence, charge: false })
      const free = await answeredCall(s)
      await settle(s, free.call.id, { fence: free.fence, result: { costCents: 0 } })
      expect((await s.ledger.account()).balanceCents).toBe(500)
      expect((await s.calls.get(unpaid.call.id))?.costCents).toBe(7)
    })

    check('obeys the guard and the transition table', async (s) => {
      const { call, fence } = await claimedCall(s)
      expect(await settle(s, call.id, { fence, guard: ['in_progress'] })).toBeNull()
      // What was not answered cannot be completed, whatever the guard says.
      expect(await settle(s, call.id, { fence, guard: ['initiated'] })).toBeNull()
      expect(await s.calls.get(call.id)).toEqual(call)
      expect(await s.calls.events(call.id, 0)).toHaveLength(1)
      const { id, fence: value } = { id: fence.jobId, fence: fence.fence }
      expect(await s.jobs.renew({ id, fence: value, leaseUntil: 1e15 })).toBe(true)
    })

    check('writes nothing at all when the body cannot be rendered', async (s) => {
      const { call, fence } = await answeredCall(s)
      const broken = settle(s, call.id, {
        fence,
        payload() {
          throw new Error('cannot render')
        },
      })
      await expect(broken).rejects.toThrow('cannot render')
      expect((await s.calls.get(call.id))?.status).toBe('in_progress')
      expect((await s.ledger.account()).balanceCents).toBe(500)
      expect(await settle(s, call.id, { fence })).not.toBeNull()
    })

    check('ends the job of a waiting call that is canceled', async (s) => {
      const call = aCall(s)
      await create(s, call)
      const result = { status: 'canceled', endReason: 'canceled', costCents: 0 } as const
      await settle(s, call.id, { result, guard: ['scheduled', 'initiated'] })
      expect(await claim(s, 'call.run')).toBeNull()
    })
  })

  describe('deliveries of a settled call', () => {
    check('go to each webhook that subscribes, due now, with the same body for ever', async (s) => {
      const subscribed = aWebhook(s)
      const all = aWebhook(s, { events: ['*'] })
      const other = aWebhook(s, { events: ['call.started', 'call.answered'] })
      for (const hook of [subscribed, all, other]) await s.webhooks.create(hook)
      const { call, fence } = await answeredCall(s)
      await settle(s, call.id, { fence, payload: () => ({ ...payload(), body: '{"a":"ü"}' }) })
      for (const hook of [subscribed, all])
        expect(await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })).toMatchObject([
          {
            event: 'call.completed',
            callId: call.id,
            body: '{"a":"ü"}',
            state: 'pending',
            attempts: [],
            failures: 0,
            nextAttemptAt: s.clock.now(),
            createdAt: s.clock.now(),
          },
        ])
      expect(await s.webhooks.deliveries(other.id, { limit: 9, cursor: null })).toEqual([])
      const jobs = [await claim(s, 'webhook.deliver'), await claim(s, 'webhook.deliver')]
      expect(new Set(jobs.map((job) => job?.key)).size).toBe(2)
      expect(await claim(s, 'webhook.deliver')).toBeNull()
    })

    check('wait at a webhook that failures disabled', async (s) => {
      const hook = aWebhook(s, { active: false, disabledAt: 5 })
      await s.webhooks.create(hook)
      const { call, fence } = await answeredCall(s)
      await settle(s, call.id, { fence })
      const made = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(made).toMatchObject([{ state: 'waiting', nextAttemptAt: null }])
      expect(await claim(s, 'webhook.deliver')).toBeNull()
    })

    check('are not made for a webhook that was switched off by hand', async (s) => {
      const hook = aWebhook(s, { active: false })
      await s.webhooks.create(hook)
      const { call, fence } = await answeredCall(s)
      await settle(s, call.id, { fence })
      expect(await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })).toEqual([])
    })
  })

  describe('recovery', () => {
    check('finds what was dialled and has no end, with what ends it', async (s) => {
      const claimedOnly = await claimedCall(s)
      const over = await answeredCall(s)
      await settle(s, over.call.id, { fence: over.fence })
      await create(s, aCall(s), { runAt: s.clock.now() + 1 })
      await create(s, aCall(s, { status: 'scheduled', callAt: s.clock.now() + 1 }))
      expect(await s.calls.interrupted()).toEqual([])

      const dialing = await claimedCall(s)
      const o = { fence: dialing.fence, attempt: 1, sip: SIP, now: s.clock.now() }
      await s.calls.saveDialing(dialing.call.id, o)
      const answered = await answeredCall(s)
      const found = await s.calls.interrupted()
      const bySip = Object.fromEntries(found.map((one) => [one.call.id, one.sip?.phase]))
      expect(bySip).toEqual({ [dialing.call.id]: 'invite', [answered.call.id]: 'dialog' })
      expect(found[0]?.sip?.tags).toEqual(['x'])
      expect(found.map((one) => one.call.id)).not.toContain(claimedOnly.call.id)
    })

    check('closes such a call though its job was claimed, and it stays closed', async (s) => {
      const { call, fence } = await answeredCall(s)
      const result = { status: 'failed', endReason: 'interrupted' } as const
      const closed = await settle(s, call.id, { result, guard: ['in_progress'] })
      expect(closed?.status).toBe('failed')
      expect(await settle(s, call.id, { fence })).toBeNull()
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      expect(await claim(s, 'call.run')).toBeNull()
    })

    check(
      'finds a closed call again until its SIP state is forgotten, for ten minutes',
      async (s) => {
        const [first, second] = [await answeredCall(s), await answeredCall(s)]
        const result = { status: 'failed', endReason: 'interrupted' } as const
        for (const { call } of [first, second])
          await settle(s, call.id, { result, guard: ['in_progress'] })
        const found = await s.calls.interrupted()
        expect(found.map(({ call, sip }) => [call.status, sip?.phase])).toEqual([
          ['failed', 'dialog'],
          ['failed', 'dialog'],
        ])
        await s.calls.forgetSip(first.call.id)
        s.clock.jump(600_000)
        expect((await s.calls.interrupted()).map(({ call }) => call.id)).toEqual([second.call.id])
        s.clock.jump(1)
        expect(await s.calls.interrupted()).toEqual([])
      },
    )

    check('forgets nothing of a call that goes on', async (s) => {
      const { call } = await answeredCall(s)
      await s.calls.forgetSip(call.id)
      expect((await s.calls.interrupted())[0]?.sip?.phase).toBe('dialog')
    })
  })

  describe('a call that waits for the number', () => {
    check(
      'is due again as soon as the call to it has ended, the longest waiting first',
      async (s) => {
        const toNumber = '+15551234567'
        const { call: active, fence } = await answeredCall(s, { toNumber })
        const ids: string[] = []
        for (const late of [1, 2]) {
          const call = aCall(s, { toNumber, status: 'scheduled', callAt: s.clock.now() - late })
          await create(s, call)
          ids.unshift(call.id)
          const job = await claim(s, 'call.run')
          const runAt = s.clock.now() + 20_000
          await s.jobs.release({ id: job?.id ?? '', fence: job?.fence ?? 0, runAt, unbegun: true })
        }
        const tomorrow = s.clock.now() + 86_400_000
        await create(s, aCall(s, { toNumber, status: 'scheduled', callAt: tomorrow }))
        expect(await claim(s, 'call.run')).toBeNull()
        await settle(s, active.id, { fence })
        expect((await claim(s, 'call.run'))?.key).toBe(ids[0])
        expect((await claim(s, 'call.run'))?.key).toBe(ids[1])
        expect(await claim(s, 'call.run')).toBeNull()
      },
    )
  })
}
