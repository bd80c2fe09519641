import { describe, expect, it } from 'vitest'
import { appForEachTest, NUMBER } from '../kit/app.ts'
import { randomSource } from '../kit/seeded.ts'

const start = appForEachTest()
/** Somebody who never lets the agent wait long enough to hang up. */
const talkative = Array.from({ length: 40 }, (_, i) => ({
  at: 2000 + i * 6000,
  ms: 1500,
  text: 'Go on',
}))

describe('what a call costs', () => {
  it.each([
    [1000, 60, 1, 1],
    [1001, 60, 2, 2],
    [20_000, 7, 20, 3],
    [60_000, 7, 60, 7],
    [60_001, 7, 61, 8],
  ])('for %i ms at %i cents a minute: %i s and %i cents', async (ms, rate, duration, cost) => {
    const app = await start({ settings: { 'billing.cents_per_minute': rate } })
    app.trunk.phone(NUMBER, { says: talkative, hangsUpAfter: ms })
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }))
    expect([call.endReason, call.duration, call.cost]).toEqual(['human_hangup', duration, cost])
    expect(await app.balance()).toBe(500 - cost)
  })

  it('is by the longest prefix of its number', async () => {
    const app = await start({
      toml:
        '[[billing.rates]]\nprefix = "+44"\ncents_per_minute = 60\n' +
        '[[billing.rates]]\nprefix = "+447"\ncents_per_minute = 120\n',
    })
    const phoneNumber = '+447911123456'
    app.trunk.phone(phoneNumber, { hangsUpAfter: 3000 })
    expect((await app.ended(await app.place({ phoneNumber }))).cost).toBe(6)
  })

  it('ends where the human hung up, even in the middle of a word', async () => {
    const app = await start({ settings: { 'billing.cents_per_minute': 60 } })
    app.trunk.phone(NUMBER, {
      says: [{ at: 2000, ms: 5000, text: 'I would like to' }],
      hangsUpAfter: 5000,
    })
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }))
    expect([call.duration, call.cost]).toEqual([5, 5])
    expect(call.transcript.at(-1)?.role).toBe('human')
  })

  it('with billing off is counted, and not charged', async () => {
    const app = await start({
      settings: { 'billing.enabled': false, 'billing.initial_credit': 0 },
    })
    app.trunk.phone(NUMBER, { says: talkative, hangsUpAfter: 130_000 })
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }), 200_000)
    expect([call.endReason, call.cost]).toEqual(['human_hangup', 3])
    expect(await app.balance()).toBe(0)
  })
})

describe('a call that runs out of balance', () => {
  it('says goodbye and ends before the minute that is paid for has passed', async () => {
    const app = await start({
      settings: { 'billing.initial_credit': 25, 'billing.cents_per_minute': 10 },
    })
    app.trunk.phone(NUMBER, { says: talkative })
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }), 200_000)
    expect([call.status, call.endReason]).toEqual(['completed', 'out_of_balance'])
    expect(call.transcript).toContainEqual({
      role: 'agent',
      text: "I'm sorry, I have to end the call now. Goodbye.",
    })
    expect(call.duration).toBeGreaterThan(105)
    expect(call.duration).toBeLessThanOrEqual(120)
    expect(await app.balance()).toBe(25 - call.cost)
  })

  it('goes on when credit is added in time', async () => {
    const app = await start({
      settings: { 'billing.initial_credit': 10, 'billing.cents_per_minute': 10 },
    })
    app.trunk.phone(NUMBER, { says: talkative, hangsUpAfter: 70_000 })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.run(45_000)
    await app.credit(10)
    expect((await app.ended(id)).endReason).toBe('human_hangup')
    expect(await app.balance()).toBe(20 - 12)
  })

  it('is cut off before the paid minute ends when its goodbye does not end', async () => {
    const app = await start({
      settings: { 'billing.initial_credit': 10, 'billing.cents_per_minute': 10 },
    })
    app.trunk.phone(NUMBER, { says: talkative })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.run(40_000)
    app.engines.broken.voice = 'hangs'
    const call = await app.ended(id)
    expect(call.endReason).toBe('out_of_balance')
    expect(call.cost).toBeLessThanOrEqual(10)
  })

  it('leaves others their holds: two calls never spend the same cent', async () => {
    const app = await start({
      settings: { 'billing.initial_credit': 30, 'billing.cents_per_minute': 10 },
    })
    const ids: string[] = []
    for (const phoneNumber of [NUMBER, '+15557654321']) {
      app.trunk.phone(phoneNumber, { says: talkative })
      ids.push(await app.place({ phoneNumber, firstMessage: 'Hi.' }))
    }
    const calls = [await app.ended(ids[0] ?? '', 200_000), await app.ended(ids[1] ?? '', 200_000)]
    expect(calls.map(({ endReason }) => endReason)).toEqual(['out_of_balance', 'out_of_balance'])
    const balance = await app.balance()
    expect(balance).toBe(30 - (calls[0]?.cost ?? 0) - (calls[1]?.cost ?? 0))
    expect(balance).toBeGreaterThanOrEqual(0)
  })
})

describe('whatever calls do', () => {
  it.each([1, 2, 3, 4])(
    'the balance falls by exactly the sum of their costs, and never below zero (seed %i)',
    async (seed) => {
      const random = randomSource(seed)
      const pick = (from: number, to: number): number => from + Math.floor(random() * (to - from))
      const credit = pick(5, 60)
      const app = await start({
        settings: {
          'billing.initial_credit': credit,
          'billing.cents_per_minute': pick(1, 12),
          'calls.max_concurrent': pick(1, 4),
        },
      })
      await app.hook()
      const ids: string[] = []
      for (let i = 0; i < 12; i++) {
        const phoneNumber = `+1555300000${i % 9}`
        const status = random() < 0.7 ? 200 : 486
        const says = random() < 0.6 ? talkative : []
        const hangsUpAfter = random() < 0.7 ? pick(0, 90_000) : null
        app.trunk.phone(phoneNumber, { status, says, hangsUpAfter, answersAfter: pick(600, 4000) })
        const answer = await app.post({ phoneNumber, maxDuration: pick(10, 80) })
        if (answer.status === 201) ids.push((answer.json as { id: string }).id)
        await app.run(pick(0, 15_000))
        if (random() < 0.15) await app.cancel(ids.at(-1) ?? '')
        if (random() < 0.1) {
          await app.kill()
          await app.restart(pick(0, 10_000))
        }
        expect(await app.balance()).toBeGreaterThanOrEqual(0)
      }
      const calls = []
      for (const id of ids) calls.push(await app.ended(id, 300_000))
      await app.run(5000)
      const costs = calls.reduce((sum, { cost }) => sum + cost, 0)
      expect(await app.balance()).toBe(credit - costs)
      expect(await app.balance()).toBeGreaterThanOrEqual(0)
      // Every accepted call was told once, with the cost that was charged.
      const told = new Map(app.receiver.posts.map(({ call }) => [call.id, call.cost]))
      expect(told).toEqual(new Map(calls.map(({ id, cost }) => [id, cost])))
    },
  )
})
