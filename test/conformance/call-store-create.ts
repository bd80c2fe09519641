import { describe, expect, it } from 'vitest'
import type { Call } from '../../src/calls/call.ts'
import type { CallFilter, CreateRefusal } from '../../src/calls/call-store.ts'
import {
  aCall,
  claim,
  claimCall,
  claimedCall,
  create,
  type OpenStores,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

const DAY_MS = 24 * 3_600_000

export function exerciseCallCreation(open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))
  const refusal = async (s: StoresUnderTest, call: Call): Promise<CreateRefusal | null> => {
    const result = await create(s, call)
    return 'refused' in result ? result.refused : null
  }

  describe('creation', () => {
    check('writes the call as it is, its job and its first event', async (s) => {
      const call = aCall(s, {
        firstMessage: 'Hi, ümläuts “quoted” 🍕',
        name: "Joe's",
        metadata: { order: '17', note: 'a "b"' },
      })
      expect(await create(s, call)).toEqual({ created: true })
      expect(await s.calls.get(call.id)).toEqual(call)
      expect(await s.calls.events(call.id, 0)).toEqual([
        {
          seq: 1,
          type: 'status',
          data: {
            status: 'initiated',
            endReason: null,
            at: new Date(call.createdAt).toISOString(),
          },
        },
      ])
      expect(await claim(s, 'call.run')).toMatchObject({ key: call.id, runAt: s.clock.now() })
      expect(await s.calls.get('unknown')).toBeNull()
    })

    check('makes a scheduled call due at its time, holding nothing', async (s) => {
      const callAt = s.clock.now() + DAY_MS
      const call = aCall(s, { status: 'scheduled', callAt, holdCents: 500 })
      expect(await create(s, call)).toEqual({ created: true })
      expect(await s.calls.get(call.id)).toEqual({ ...call, holdCents: 0 })
      expect(await claim(s, 'call.run')).toBeNull()
      expect(await s.jobs.nextDue({ kinds: ['call.run'] })).toBe(callAt)
      expect(await refusal(s, aCall(s, { holdCents: 500 }))).toBeNull()
    })

    check('refuses a second active call to a number, of many at once all but one', async (s) => {
      const toNumber = '+15551234567'
      const results = await Promise.all(
        Array.from({ length: 50 }, () => refusal(s, aCall(s, { toNumber, holdCents: 1 }))),
      )
      expect(results.filter((one) => one === null)).toHaveLength(1)
      expect(results.filter((one) => one === 'call_active')).toHaveLength(49)
      expect(await s.calls.list({ limit: 100, cursor: null })).toHaveLength(1)
    })

    check('lets a scheduled call to a number that is being called in', async (s) => {
      const toNumber = '+15551234567'
      const callAt = s.clock.now() + 60_000
      await create(s, aCall(s, { toNumber }))
      expect(await refusal(s, aCall(s, { toNumber, status: 'scheduled', callAt }))).toBeNull()
    })

    check('lets a number be called again when its call has ended', async (s) => {
      const toNumber = '+15551234567'
      const first = aCall(s, { toNumber })
      await create(s, first)
      const result = { status: 'canceled', endReason: 'canceled' } as const
      await settle(s, first.id, { result, guard: ['initiated'], charge: false })
      expect(await refusal(s, aCall(s, { toNumber }))).toBeNull()
    })

    check('refuses what the balance, less holds, does not cover', async (s) => {
      expect(await refusal(s, aCall(s, { holdCents: 501 }))).toBe('insufficient_balance')
      expect(await refusal(s, aCall(s, { holdCents: 300 }))).toBeNull()
      expect(await refusal(s, aCall(s, { holdCents: 201 }))).toBe('insufficient_balance')
      expect(await refusal(s, aCall(s, { holdCents: 200 }))).toBeNull()
      expect((await s.ledger.account()).balanceCents).toBe(500)
      const unpaid = aCall(s, { holdCents: 9000 })
      expect(await create(s, unpaid, { checkBalance: false })).toEqual({ created: true })
    })

    check('lets as many calls wait as may, beside those that find a free line', async (s) => {
      await s.jobs.setLane({ name: 'calls', capacity: 2 })
      const post = (): ReturnType<typeof create> =>
        create(s, aCall(s, { holdCents: 1 }), { maxQueued: 3 })
      for (let i = 0; i < 5; i++) expect(await post()).toEqual({ created: true })
      expect(await post()).toEqual({ refused: 'queue_full' })
      // Whether the lines have been taken yet makes no difference.
      await claimCall(s)
      const second = await claimCall(s)
      expect(await post()).toEqual({ refused: 'queue_full' })
      const failed = { status: 'busy', endReason: null, costCents: 0 } as const
      await settle(s, second.callId, { result: failed, guard: ['initiated'] })
      expect(await post()).toEqual({ created: true })
    })

    check('does not count scheduled calls as waiting, nor refuse them for it', async (s) => {
      await s.jobs.setLane({ name: 'calls', capacity: 1 })
      const callAt = s.clock.now() + 60_000
      const later = (): Call => aCall(s, { status: 'scheduled', callAt })
      for (let i = 0; i < 3; i++) await create(s, later(), { maxQueued: 0 })
      expect(await create(s, aCall(s), { maxQueued: 0 })).toEqual({ created: true })
      expect(await create(s, aCall(s), { maxQueued: 0 })).toEqual({ refused: 'queue_full' })
      expect(await create(s, later(), { maxQueued: 0 })).toEqual({ created: true })
    })

    check('looks at money before the number, and at the number before the queue', async (s) => {
      const toNumber = '+15551234567'
      await create(s, aCall(s, { toNumber, holdCents: 400 }))
      const poor = aCall(s, { toNumber, holdCents: 200 })
      expect(await create(s, poor, { maxQueued: 0 })).toEqual({ refused: 'insufficient_balance' })
      const same = aCall(s, { toNumber })
      expect(await create(s, same, { maxQueued: 0 })).toEqual({ refused: 'call_active' })
    })
  })

  describe('a key over its rate', () => {
    const overRate = { refused: 'rate_limited' }

    check('is refused for that last of all, and nothing is written', async (s) => {
      const toNumber = '+15551234567'
      const key = { keyId: 'key 1', key: 'order-17', bodyHash: 'aa' }
      const kept = { idempotency: key, response: 'first' }
      await create(s, aCall(s, { toNumber, holdCents: 400 }), kept)
      const asked = (call: Call, o: Parameters<typeof create>[2] = {}) =>
        create(s, call, { overRate: true, ...o })
      expect(await asked(aCall(s), { idempotency: key })).toEqual({ replayed: 'first' })
      const poor = aCall(s, { toNumber, holdCents: 200 })
      expect(await asked(poor)).toEqual({ refused: 'insufficient_balance' })
      expect(await asked(aCall(s, { toNumber }))).toEqual({ refused: 'call_active' })
      const other = { keyId: 'key 1', key: 'order-18', bodyHash: 'bb' }
      expect(await asked(aCall(s), { idempotency: other })).toEqual(overRate)
      const callAt = s.clock.now() + 60_000
      expect(await asked(aCall(s, { status: 'scheduled', callAt }))).toEqual(overRate)
      expect(await s.calls.list({ limit: 9, cursor: null })).toHaveLength(1)
      expect(await s.calls.findReplay(other, s.clock.now())).toBeNull()
    })
  })

  describe('idempotency', () => {
    const key = { keyId: 'key 1', key: 'order-17', bodyHash: 'aa' }

    check('answers the same body as before, and refuses another', async (s) => {
      const first = aCall(s)
      expect(await s.calls.findReplay(key, s.clock.now())).toBeNull()
      await create(s, first, { idempotency: key, response: '{"id":"first"}' })
      const replayed = { replayed: '{"id":"first"}' }
      // Also when nothing else would let it in.
      const again = aCall(s, { toNumber: first.toNumber, holdCents: 9000 })
      expect(await create(s, again, { idempotency: key })).toEqual(replayed)
      expect(await s.calls.findReplay(key, s.clock.now())).toEqual(replayed)
      const other = { ...key, bodyHash: 'bb' }
      const refused = { refused: 'idempotency_conflict' }
      expect(await create(s, aCall(s), { idempotency: other })).toEqual(refused)
      expect(await s.calls.findReplay(other, s.clock.now())).toEqual(refused)
      expect(await s.calls.list({ limit: 9, cursor: null })).toHaveLength(1)
    })

    check('is per API key', async (s) => {
      await create(s, aCall(s), { idempotency: key })
      const other = { ...key, keyId: 'key 2' }
      expect(await create(s, aCall(s), { idempotency: other })).toEqual({ created: true })
    })

    check('makes one call of many posts at once', async (s) => {
      const results = await Promise.all(
        Array.from({ length: 20 }, () => create(s, aCall(s), { idempotency: key, response: 'r' })),
      )
      expect(results.filter((one) => 'created' in one)).toHaveLength(1)
      expect(results.filter((one) => 'replayed' in one)).toHaveLength(19)
    })

    check('forgets after a day, and keeps nothing of a refusal', async (s) => {
      const poor = aCall(s, { holdCents: 9000 })
      await create(s, poor, { idempotency: key })
      expect(await s.calls.findReplay(key, s.clock.now())).toBeNull()
      await create(s, aCall(s), { idempotency: key, response: 'first' })
      s.clock.jump(DAY_MS - 1)
      expect(await create(s, aCall(s), { idempotency: key })).toEqual({ replayed: 'first' })
      s.clock.jump(1)
      expect(await create(s, aCall(s), { idempotency: key })).toEqual({ created: true })
    })
  })

  describe('the list', () => {
    const ids = async (s: StoresUnderTest, o: Partial<CallFilter> = {}): Promise<string[]> =>
      (await s.calls.list({ limit: 100, cursor: null, ...o })).map((call) => call.id)

    check('is newest first, page by page, without gaps or repeats', async (s) => {
      const made: string[] = []
      for (let i = 0; i < 7; i++) {
        const call = aCall(s)
        await create(s, call)
        made.unshift(call.id)
        // Pairs share their time of making: the id decides.
        if (i % 2) s.clock.jump(1)
      }
      const pages: string[] = []
      let cursor: CallFilter['cursor'] = null
      for (let page = 0; page < 4; page++) {
        const calls = await s.calls.list({ limit: 2, cursor })
        pages.push(...calls.map((call) => call.id))
        const last = calls.at(-1)
        cursor = last ? { createdAt: last.createdAt, id: last.id } : cursor
      }
      expect(pages).toEqual(made)
      expect(await ids(s, { cursor })).toEqual([])
    })

    check('is filtered by status, number, direction and time', async (s) => {
      const { call: first } = await claimedCall(s)
      await settle(s, first.id, {
        result: { status: 'busy', endReason: null, costCents: 0 },
        guard: ['initiated'],
      })
      s.clock.jump(10)
      const second = aCall(s)
      await create(s, second)
      expect(await ids(s, { status: 'busy' })).toEqual([first.id])
      expect(await ids(s, { toNumber: second.toNumber })).toEqual([second.id])
      expect(await ids(s, { direction: 'outbound' })).toEqual([second.id, first.id])
      expect(await ids(s, { direction: 'inbound' })).toEqual([])
      expect(await ids(s, { createdAfter: first.createdAt })).toEqual([second.id])
      expect(await ids(s, { createdBefore: second.createdAt })).toEqual([first.id])
      const { createdAt } = first
      const between = { createdAfter: createdAt - 1, createdBefore: createdAt + 1 }
      expect(await ids(s, between)).toEqual([first.id])
    })
  })
}
