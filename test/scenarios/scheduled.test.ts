import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type SeenCall, type TestApp } from '../kit/app.ts'

const start = appForEachTest()
const HOUR = 3_600_000
const DAY = 24 * HOUR
const TOMORROW = '2026-03-21T18:30:00.000Z'
const AT_TOMORROW = Date.parse(TOMORROW)

const outcome = (call: SeenCall) => [call.status, call.endReason]

describe('a scheduled call', () => {
  it('is dialled at its time, a day ahead, and reported like any other', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const answer = await app.post({ callAt: '2026-03-21T19:30:00+01:00' })
    expect(answer.json).toMatchObject({ status: 'scheduled', callAt: TOMORROW })
    const { id } = answer.json as { id: string }
    await app.run(DAY - 1)
    expect((await app.call(id)).status).toBe('scheduled')
    expect(app.trunk.placed).toEqual([])
    await app.run(1)
    expect((await app.call(id)).status).toBe('initiated')
    expect(app.placed(id).map(({ at }) => at)).toEqual([AT_TOMORROW])
    expect(outcome(await app.ended(id))).toEqual(['completed', 'agent_hangup'])
    await app.run(1000)
    expect(app.receiver.posts.map(({ call }) => call.id)).toEqual([id])
  })

  it('is dialled at its time by the next process when the appliance was restarted meanwhile', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.run(HOUR)
    await app.kill()
    await app.restart(HOUR)
    await app.run(DAY - 2 * HOUR)
    expect(app.placed(id).map(({ at }) => at)).toEqual([AT_TOMORROW])
  })

  it('is dialled late when the appliance was off at its time, within calls.max_lateness', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.kill()
    await app.restart(DAY + 15 * 60_000 - 1000)
    await app.run(1000)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('is missed when it is due later than that, and never dialled', async () => {
    const app = await start()
    await app.hook()
    const id = await app.place({ callAt: TOMORROW })
    await app.kill()
    await app.restart(DAY + 15 * 60_000 + 1)
    await app.run(1000)
    expect(outcome(await app.call(id))).toEqual(['failed', 'missed'])
    expect(app.receiver.posts[0]?.call).toMatchObject({ id, endReason: 'missed', startedAt: null })
    await app.run(DAY)
    expect(app.trunk.placed).toEqual([])
    expect(await app.balance()).toBe(500)
  })

  it('waits while another call to its number is active', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, {
      hangsUpAfter: 20_000,
      says: [{ at: 3000, ms: 15_000, text: 'Well' }],
    })
    const later = await app.place({ callAt: '2026-03-20T18:30:10Z' })
    const now = await app.place()
    await app.run(21_000)
    expect((await app.call(now)).status).toBe('in_progress')
    expect((await app.call(later)).status).toBe('scheduled')
    await app.ended(now)
    await app.reaches(later, 'initiated', 5000)
    expect(app.trunk.placed.map(({ callId }) => callId)).toEqual([now, later])
  })

  it('is missed when that other call outlasts calls.max_lateness', async () => {
    const app = await start({ settings: { 'calls.max_lateness': '20s' } })
    app.trunk.phone(NUMBER, { answersAfter: null })
    const later = await app.place({ callAt: '2026-03-20T18:30:10Z' })
    const now = await app.place()
    expect(outcome(await app.ended(later))).toEqual(['failed', 'missed'])
    expect((await app.call(now)).status).toBe('ringing')
    expect(app.placed(later)).toEqual([])
  })

  it('holds nothing until it is due, and fails without being dialled when the balance is gone then', async () => {
    const app = await start({ settings: { 'billing.initial_credit': 1 } })
    await app.hook()
    app.trunk.phone(NUMBER, { hangsUpAfter: 3000 })
    const later = await app.place({ callAt: TOMORROW })
    await app.ended(await app.place())
    expect(await app.balance()).toBe(0)
    await app.run(DAY)
    expect(outcome(await app.call(later))).toEqual(['failed', 'out_of_balance'])
    expect(app.placed(later)).toEqual([])
    await app.run(1000)
    expect(app.receiver.posts.at(-1)?.call).toMatchObject({ id: later, cost: 0 })
  })

  it('blocks its number while it is active', async () => {
    const app = await start()
    await app.place({ callAt: '2026-03-20T18:30:10Z' })
    await app.run(10_000)
    expect((await app.post()).status).toBe(409)
  })

  it('rings nobody while an engine is away, and is dialled as soon as it is back', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.run(DAY - HOUR)
    app.engineIs('away')
    await app.run(HOUR + 60_000)
    expect((await app.call(id)).status).toBe('scheduled')
    expect(app.trunk.placed).toEqual([])
    app.engineIs('ready')
    await app.run(8000)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('is missed when the engine stays away, and nobody is rung', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.run(DAY - HOUR)
    app.engineIs('away')
    await app.run(HOUR + 16 * 60_000)
    expect(outcome(await app.call(id))).toEqual(['failed', 'missed'])
    app.engineIs('ready')
    await app.run(HOUR)
    expect(app.trunk.placed).toEqual([])
  })

  it('rings nobody after a restart before the engines have been asked', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.kill()
    app.engineIs('away', 800)
    await app.restart(DAY)
    await app.run(60_000)
    expect(app.trunk.placed).toEqual([])
    app.engineIs('ready')
    await app.run(8000)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('is refused when the dial policy has come to block its number', async () => {
    const app = await start()
    const id = await app.place({ callAt: TOMORROW })
    await app.kill()
    await app.restart(0, { 'calls.blocked_prefixes': '+1555' })
    await app.run(DAY)
    expect(outcome(await app.call(id))).toEqual(['failed', 'rejected'])
    expect(app.trunk.placed).toEqual([])
  })
})

describe('many calls due in one second', () => {
  it('are dialled in the order of their times, paced and within the lines', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 50, 'calls.per_second': 20 } })
    const count = 100
    for (let i = 0; i < count; i++) {
      const phoneNumber = `+1555200${String(i).padStart(4, '0')}`
      app.trunk.phone(phoneNumber, { status: 486, answersAfter: 1000 })
      await app.place({ phoneNumber, callAt: new Date(AT_TOMORROW + i).toISOString() })
    }
    await app.run(DAY + 6000)
    const numbers = app.trunk.placed.map(({ to }) => to)
    expect(numbers).toHaveLength(count)
    expect(numbers).toEqual(numbers.toSorted())
    const { at: first } = app.trunk.placed[0] ?? { at: 0 }
    for (let second = 0; second < 6; second++) {
      const from = first + second * 1000
      const placed = app.trunk.placed.filter(({ at }) => at >= from && at < from + 1000)
      expect(placed.length).toBeLessThanOrEqual(20)
    }
  })
})

describe('when the clock jumps', () => {
  async function scheduled(): Promise<{ app: TestApp; id: string }> {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place({ callAt: '2026-03-20T20:30:00Z' })
    await app.run(60_000)
    return { app, id }
  }

  it('an hour ahead, a due call is dialled within half a minute, once', async () => {
    const { app, id } = await scheduled()
    await app.run(HOUR - 60_000)
    app.clock.jump(HOUR)
    await app.run(30_000)
    expect(app.placed(id)).toHaveLength(1)
    await app.run(3 * HOUR)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('an hour back, no call is dialled early or twice', async () => {
    const { app, id } = await scheduled()
    await app.run(HOUR)
    app.clock.jump(-HOUR)
    await app.run(2 * HOUR - 120_000)
    expect(app.placed(id)).toHaveLength(0)
    await app.run(120_000)
    expect(app.placed(id)).toHaveLength(1)
    app.clock.jump(-HOUR)
    await app.run(3 * HOUR)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('an hour back, a call that waits for a line is dialled when there is one', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    const first = await app.place()
    const second = await app.place({ phoneNumber: '+15557654321' })
    await app.reaches(first, 'in_progress')
    app.clock.jump(-HOUR)
    app.placed(first)[0]?.leg?.humanHangsUp()
    await app.ended(first)
    await app.run(60_000)
    expect(app.placed(second)).toHaveLength(1)
  })

  it.each([
    ['ahead', HOUR],
    ['back', -HOUR],
  ])('an hour %s, a call that runs goes on, and costs what it lasted', async (_, jump) => {
    const app = await start({ settings: { 'billing.cents_per_minute': 60 } })
    app.trunk.phone(NUMBER, { says: [{ at: 1000, ms: 18_000, text: 'Well' }] })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    const leg = app.placed(id)[0]?.leg
    await app.run(12_000)
    app.clock.jump(jump)
    await app.run(5000)
    leg?.humanHangsUp()
    const call = await app.ended(id)
    expect(outcome(call)).toEqual(['completed', 'human_hangup'])
    expect(call.duration).toBeGreaterThanOrEqual(17)
    expect(call.duration).toBeLessThanOrEqual(18)
    expect(call.cost).toBe(call.duration)
  })
})
