import { describe, expect, it } from 'vitest'
import { appForEachTest, type TestApp } from '../kit/app.ts'

const start = appForEachTest()
const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `+1555200000${i}`)

/** Accepted one after the other, each to a phone that is hung up ten seconds after its answer. */
async function placeEach(app: TestApp, to: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const phoneNumber of to) {
    app.trunk.phone(phoneNumber, { answersAfter: 1000, hangsUpAfter: 10_000 })
    ids.push(await app.place({ phoneNumber }))
  }
  return ids
}

function linesInUse(app: TestApp): number {
  return app.trunk.placed.filter(({ ladder }) => ladder.at(-1) !== 'BYE from them').length
}

describe('lines', () => {
  it('carry calls.max_concurrent calls; the others wait as initiated, first come, first served', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 2, 'calls.per_second': 100 } })
    const ids = await placeEach(app, numbers(5))
    await app.run(5000)
    expect(app.trunk.placed.map(({ callId }) => callId)).toEqual(ids.slice(0, 2))
    for (const id of ids.slice(2)) expect((await app.call(id)).status).toBe('initiated')
    for (let i = 0; i < 80; i++) {
      await app.run(500)
      expect(linesInUse(app)).toBeLessThanOrEqual(2)
    }
    expect(app.trunk.placed.map(({ callId }) => callId)).toEqual(ids)
    for (const id of ids) expect((await app.call(id)).status).toBe('completed')
  })

  it('are freed for a waiting call by a call that fails at once', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    const [first = '', second = ''] = numbers(2)
    app.trunk.phone(first, { status: 404, answersAfter: 100 })
    await app.place({ phoneNumber: first })
    const waiting = await app.place({ phoneNumber: second })
    await app.run(1000)
    expect(app.placed(waiting)).toHaveLength(1)
  })

  it('start calls.per_second INVITEs a second at most', async () => {
    const app = await start({ settings: { 'calls.per_second': 4 } })
    await placeEach(app, numbers(8))
    await app.run(5000)
    const times = app.trunk.placed.map(({ at }) => at)
    expect(times).toHaveLength(8)
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(250)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(260)
  })

  it('miss nobody who waits longer than calls.max_lateness: such a call ends as missed, never dialled', async () => {
    const app = await start({
      settings: { 'calls.max_concurrent': 1, 'calls.max_lateness': '5s' },
    })
    await app.hook()
    const [first = '', second = ''] = await placeEach(app, numbers(2))
    const missed = await app.ended(second)
    expect([missed.status, missed.endReason]).toEqual(['failed', 'missed'])
    expect((await app.call(first)).status).toBe('completed')
    expect(app.placed(second)).toEqual([])
    await app.run(1000)
    expect(app.receiver.posts.map(({ call }) => call.endReason)).toEqual(['human_hangup', 'missed'])
  })

  it('hold a minute for every call that waits, and give it back when it is canceled', async () => {
    const app = await start({
      settings: { 'calls.max_concurrent': 1, 'billing.initial_credit': 2 },
    })
    const [, second = ''] = await placeEach(app, numbers(2))
    const third = { phoneNumber: '+15552000009' }
    expect((await app.post(third)).status).toBe(402)
    expect((await app.cancel(second)).status).toBe(200)
    expect((await app.post(third)).status).toBe(201)
  })

  it('are not taken by deliveries that hang', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    for (let i = 0; i < 75; i++) await app.hook(`https://h${i}.example.com/`, ['*'])
    app.receiver.answer = () => 'hangs'
    const [first = '', second = ''] = numbers(2)
    app.trunk.phone(first, { answersAfter: 1000, hangsUpAfter: 500 })
    await app.ended(await app.place({ phoneNumber: first }))
    await app.run(500)
    expect(app.receiver.open).toBeGreaterThan(220)
    const id = await app.place({ phoneNumber: second })
    await app.run(1000)
    expect(app.placed(id)).toHaveLength(1)
  })
})

describe('calls that wait for a busy number', () => {
  const BUSY = '+15551234567'

  it('take no starts from others', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 50, 'calls.per_second': 1 } })
    app.trunk.phone(BUSY, { answersAfter: null })
    await app.place({ phoneNumber: BUSY })
    for (let i = 0; i < 20; i++)
      await app.place({ phoneNumber: BUSY, callAt: '2026-03-20T18:30:01Z' })
    await app.run(10_000)
    const before = app.trunk.placed.length
    await placeEach(app, numbers(5))
    await app.run(5000)
    expect(app.trunk.placed.length - before).toBeGreaterThanOrEqual(5)
    const times = app.trunk.placed.map(({ at }) => at)
    for (const [i, at] of times.slice(1).entries())
      expect(at - (times[i] ?? 0)).toBeGreaterThanOrEqual(1000)
  })

  it('ask less and less often, and are dialled at once when it is free', async () => {
    const app = await start({ settings: { 'calls.ring_timeout': '110s' } })
    app.trunk.phone(BUSY, { answersAfter: null })
    const first = await app.place({ phoneNumber: BUSY })
    const second = await app.place({ phoneNumber: BUSY, callAt: '2026-03-20T18:30:01Z' })
    const { jobs } = app.database
    let asked = 0
    const { release } = jobs
    jobs.release = (o) => {
      asked++
      return release(o)
    }
    await app.run(100_000)
    expect(asked).toBeGreaterThan(3)
    expect(asked).toBeLessThan(10)
    await app.cancel(first)
    await app.run(250)
    expect(app.placed(second)).toHaveLength(1)
  })
})
