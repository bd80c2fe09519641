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

export function exerciseCallProgress(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))
  const statuses = async (s: StoresUnderTest, id: string): Promise<unknown[]> =>
    (await s.calls.events(id, 0)).map((event) => event.data.status)
  const activation = (s: StoresUnderTest) => ({
    holdCents: 10,
    checkBalance: true,
    now: s.clock.now(),
  })

  describe('progress', () => {
    check('goes from dialing over ringing to the answer, each told once', async (s) => {
      const { call, fence } = await claimedCall(s)
      const now = s.clock.now()
      expect(await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now })).toBe(true)
      const ringing = { fence, now: now + 1, deliveries: null }
      expect(await s.calls.markRinging(call.id, ringing)).toBe(true)
      // Another trunk rings: an INVITE may leave again, and nothing is told twice.
      expect(await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now })).toBe(true)
      expect(await s.calls.markRinging(call.id, ringing)).toBe(true)
      const answer = { fence, startedAt: now + 2, sip: SIP, deliveries: null }
      expect(await s.calls.markAnswered(call.id, answer)).toBe(true)
      expect(await s.calls.markRinging(call.id, ringing)).toBe(false)
      expect(await s.calls.get(call.id)).toMatchObject({
        status: 'in_progress',
        startedAt: now + 2,
        heartbeatAt: now + 2,
      })
      expect(await statuses(s, call.id)).toEqual(['initiated', 'ringing', 'in_progress'])
    })

    check('keeps where a dialog has moved to, and only under its fence', async (s) => {
      const { call, fence } = await answeredCall(s)
      const sip = { ...SIP, target: 'sip:moved@192.0.2.9' }
      const foreign = { ...fence, fence: fence.fence + 1 }
      expect(await s.calls.moveDialog(call.id, { fence: foreign, sip })).toBe(false)
      expect(await s.calls.moveDialog(call.id, { fence, sip })).toBe(true)
      expect(await s.calls.interrupted()).toMatchObject([{ call: { id: call.id }, sip }])
    })

    check('may skip ringing', async (s) => {
      const { call } = await answeredCall(s)
      expect(await statuses(s, call.id)).toEqual(['initiated', 'in_progress'])
    })

    check('ends for a worker whose call was taken over', async (s) => {
      const { call, fence: old } = await claimedCall(s)
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      const { fence } = await claimCall(s)
      const now = s.clock.now()
      const dialing = { attempt: 1, sip: SIP, now }
      expect(await s.calls.saveDialing(call.id, { ...dialing, fence: old })).toBe(false)
      expect(await s.calls.markRinging(call.id, { fence: old, now, deliveries: null })).toBe(false)
      const answer = { startedAt: now, sip: SIP, deliveries: null }
      expect(await s.calls.markAnswered(call.id, { ...answer, fence: old })).toBe(false)
      expect(await s.calls.heartbeat(call.id, { fence: old, now })).toBe(false)
      expect(await settle(s, call.id, { fence: old, guard: ['initiated'] })).toBeNull()
      expect(await s.calls.get(call.id)).toEqual(call)
      expect(await s.calls.saveDialing(call.id, { ...dialing, fence })).toBe(true)
    })

    check('takes no fence of another call', async (s) => {
      const { call } = await claimedCall(s)
      const { fence: foreign } = await claimedCall(s)
      const dialing = { fence: foreign, attempt: 1, sip: SIP, now: s.clock.now() }
      expect(await s.calls.saveDialing(call.id, dialing)).toBe(false)
    })

    check('lets no INVITE leave for a call that was canceled', async (s) => {
      const { call, fence } = await claimedCall(s)
      const result = { status: 'canceled', endReason: 'canceled', costCents: 0 } as const
      await settle(s, call.id, { result, guard: ['scheduled', 'initiated'] })
      const dialing = { fence, attempt: 1, sip: SIP, now: s.clock.now() }
      expect(await s.calls.saveDialing(call.id, dialing)).toBe(false)
    })

    check('shows signs of life until the end', async (s) => {
      const { call, fence } = await answeredCall(s)
      s.clock.jump(5000)
      expect(await s.calls.heartbeat(call.id, { fence, now: s.clock.now() })).toBe(true)
      expect((await s.calls.get(call.id))?.heartbeatAt).toBe(s.clock.now())
      await settle(s, call.id, { fence })
      expect(await s.calls.heartbeat(call.id, { fence, now: s.clock.now() })).toBe(false)
    })

    check('tells webhooks that subscribe of ringing and the answer', async (s) => {
      const hook = aWebhook(s, { events: ['call.started', 'call.answered'] })
      await s.webhooks.create(hook)
      const { call, fence } = await claimedCall(s)
      const now = s.clock.now()
      await s.calls.saveDialing(call.id, { fence, attempt: 1, sip: SIP, now })
      await s.calls.markRinging(call.id, { fence, now, deliveries: payload('call.started') })
      const deliveries = payload('call.answered')
      await s.calls.markAnswered(call.id, { fence, startedAt: now, sip: SIP, deliveries })
      const made = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(made.map((one) => one.event)).toEqual(['call.answered', 'call.started'])
      expect(made.map((one) => one.state)).toEqual(['pending', 'pending'])
      expect((await claim(s, 'webhook.deliver'))?.key).toBe(made[1]?.id)
    })
  })

  describe('a call that is transferred', () => {
    check('tells webhooks that subscribe, while it is answered and under its fence', async (s) => {
      const hook = aWebhook(s, { events: ['call.transferred'] })
      await s.webhooks.create(hook)
      const deliveries = payload('call.transferred')
      const { call: early, fence: fenceOfEarly } = await claimedCall(s)
      expect(await s.calls.markTransferred(early.id, { fence: fenceOfEarly, deliveries })).toBe(
        false,
      )
      const { call, fence } = await answeredCall(s)
      const other = { ...fence, fence: fence.fence + 1 }
      expect(await s.calls.markTransferred(call.id, { fence: other, deliveries })).toBe(false)
      expect(await s.calls.markTransferred(call.id, { fence, deliveries })).toBe(true)
      const made = await s.webhooks.deliveries(hook.id, { limit: 9, cursor: null })
      expect(made.map((one) => [one.event, one.callId])).toEqual([['call.transferred', call.id]])
      expect((await s.calls.get(call.id))?.status).toBe('in_progress')
      await settle(s, call.id, { fence })
      expect(await s.calls.markTransferred(call.id, { fence, deliveries })).toBe(false)
    })

    check('keeps what a voicemail is left', async (s) => {
      const call = aCall(s, { voicemail: { leaveMessage: 'Call back.' } })
      await create(s, call)
      expect((await s.calls.get(call.id))?.voicemail).toEqual({ leaveMessage: 'Call back.' })
    })

    check('keeps to whom', async (s) => {
      const call = aCall(s, { transferTo: '+15557654321' })
      await create(s, call)
      expect((await s.calls.get(call.id))?.transferTo).toBe('+15557654321')
    })
  })

  describe('a due scheduled call', () => {
    const due = async (s: StoresUnderTest, toNumber = '+15551234567') => {
      const call = aCall(s, { status: 'scheduled', callAt: s.clock.now(), toNumber })
      await create(s, call)
      return { call, fence: (await claimCall(s)).fence }
    }

    check('becomes initiated, with its hold', async (s) => {
      const { call, fence } = await due(s)
      const o = { ...activation(s), fence, holdCents: 400 }
      expect(await s.calls.activate(call.id, o)).toBe('activated')
      expect(await s.calls.get(call.id)).toMatchObject({ status: 'initiated', holdCents: 400 })
      expect(await statuses(s, call.id)).toEqual(['scheduled', 'initiated'])
      const refused = { refused: 'insufficient_balance' }
      expect(await create(s, aCall(s, { holdCents: 101 }))).toEqual(refused)
      // Claimed again after a crash: as it was.
      expect(await s.calls.activate(call.id, o)).toBe('activated')
      expect(await statuses(s, call.id)).toHaveLength(2)
    })

    check('waits for another call to its number', async (s) => {
      const { call, fence } = await due(s)
      await create(s, aCall(s, { toNumber: call.toNumber }))
      const o = { ...activation(s), fence, holdCents: 9000 }
      expect(await s.calls.activate(call.id, o)).toBe('number_busy')
      expect((await s.calls.get(call.id))?.status).toBe('scheduled')
    })

    check('is not activated without balance, unless nobody asks for it', async (s) => {
      const { call, fence } = await due(s)
      const o = { ...activation(s), fence, holdCents: 501 }
      expect(await s.calls.activate(call.id, o)).toBe('insufficient_balance')
      expect(await s.calls.activate(call.id, { ...o, checkBalance: false })).toBe('activated')
    })

    check('is lost to a worker whose fence is old, and when it was canceled', async (s) => {
      const { call, fence: old } = await due(s)
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      const { fence } = await claimCall(s)
      expect(await s.calls.activate(call.id, { ...activation(s), fence: old })).toBe('lost')
      const result = { status: 'canceled', endReason: 'canceled' } as const
      await settle(s, call.id, { result, guard: ['scheduled'], charge: false })
      expect(await s.calls.activate(call.id, { ...activation(s), fence })).toBe('lost')
    })
  })

  describe('the hold', () => {
    check('grows while the balance covers the difference', async (s) => {
      const { call, fence } = await answeredCall(s, { holdCents: 200 })
      await create(s, aCall(s, { holdCents: 200 }))
      expect(await s.calls.extendHold(call.id, { fence, holdCents: 300 })).toBe(true)
      expect(await s.calls.extendHold(call.id, { fence, holdCents: 301 })).toBe(false)
      expect((await s.calls.get(call.id))?.holdCents).toBe(300)
      await s.ledger.credit({ id: s.ids.uuid(), amountCents: 1, at: s.clock.now() })
      expect(await s.calls.extendHold(call.id, { fence, holdCents: 301 })).toBe(true)
    })

    check('does not grow for a worker whose call was taken over', async (s) => {
      const { call, fence } = await answeredCall(s, { holdCents: 10 })
      await s.jobs.rescue({ now: s.clock.now(), all: true })
      expect(await s.calls.extendHold(call.id, { fence, holdCents: 20 })).toBe(false)
      expect((await s.calls.get(call.id))?.holdCents).toBe(10)
    })

    check('ends with the call', async (s) => {
      const { call, fence } = await answeredCall(s, { holdCents: 500 })
      expect(await create(s, aCall(s))).toEqual({ refused: 'insufficient_balance' })
      await settle(s, call.id, { fence, result: { costCents: 100 } })
      expect(await s.calls.extendHold(call.id, { fence, holdCents: 1 })).toBe(false)
      expect(await create(s, aCall(s, { holdCents: 400 }))).toEqual({ created: true })
    })
  })

  describe('what was said', () => {
    check(
      'is told in the order of its indexes, whatever was written or began first, with its timings',
      async (s) => {
        const { call } = await answeredCall(s)
        const hello = { role: 'human', text: 'Hello?', at: 5 } as const
        const greeting = { role: 'agent', text: 'Good morning, this is Alex.', at: 7 } as const
        const yes = { role: 'human', text: 'Yes.', at: 6 } as const
        await s.calls.appendTurn(call.id, { index: 1, ...hello })
        await s.calls.appendTurn(call.id, { index: 0, ...greeting, text: 'Good morning' })
        await s.calls.appendTurn(call.id, { index: 2, ...yes })
        await s.calls.appendTurn(call.id, { index: 0, ...greeting })
        expect(await s.calls.transcript(call.id)).toEqual([greeting, hello, yes])
        const timing = { turn: 2, speechEnd: 9, finalText: 10, firstToken: null, firstSound: null }
        await s.calls.appendTiming(call.id, { ...timing, onWire: null })
        await s.calls.appendTiming(call.id, { ...timing, turn: 0, onWire: 11 })
        await s.calls.appendTiming(call.id, { ...timing, onWire: 12 })
        expect(await s.calls.timings(call.id)).toEqual([
          { ...timing, turn: 0, onWire: 11 },
          { ...timing, onWire: 12 },
        ])
      },
    )

    check('is numbered from 1 in the events, which resume after any of them', async (s) => {
      const { call } = await claimedCall(s)
      const told = await Promise.all(
        ['a', 'b', 'c'].map((text) =>
          s.calls.appendEvent(call.id, { type: 'transcript', data: { text } }),
        ),
      )
      expect(told.map((event) => event.seq)).toEqual([2, 3, 4])
      expect(await s.calls.events(call.id, 2)).toEqual(told.slice(1))
      expect(await s.calls.events(call.id, 4)).toEqual([])
    })

    check('is not added to once the call has ended', async (s) => {
      const { call } = await answeredCall(s)
      await settle(s, call.id)
      const late = s.calls.appendTurn(call.id, { index: 0, role: 'agent', text: 'late', at: 1 })
      await expect(late).rejects.toMatchObject({ code: 'conflict' })
      const stages = { finalText: null, firstToken: null, firstSound: null, onWire: null }
      const timing = s.calls.appendTiming(call.id, { turn: 0, speechEnd: 1, ...stages })
      await expect(timing).rejects.toMatchObject({ code: 'conflict' })
      const event = s.calls.appendEvent(call.id, { type: 'tool', data: {} })
      await expect(event).rejects.toMatchObject({ code: 'conflict' })
      expect(await s.calls.transcript(call.id)).toEqual([])
      expect((await s.calls.events(call.id, 0)).at(-1)?.type).toBe('end')
    })
  })
}
