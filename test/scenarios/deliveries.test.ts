import { describe, expect, it } from 'vitest'
import { appForEachTest } from '../kit/app.ts'
import { isSignedBy, type Posted } from '../kit/fake-receiver.ts'
import { callOver, deliveries, webhook } from '../kit/seen-webhooks.ts'

const start = appForEachTest()
const HOUR = 3_600_000
const SECOND = 1000

const gaps = (posts: readonly Posted[]): number[] =>
  posts.slice(1).map(({ at }, i) => at - (posts[i]?.at ?? 0))

describe('a delivery that fails', () => {
  it('is tried again after 10 s × 3ⁿ within a tenth, at most six hours apart, ten times in all', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => ({ status: 500, ms: 0 })
    await callOver(app)
    await app.run(80 * HOUR)
    const waited = gaps(app.receiver.posts)
    expect(waited).toHaveLength(9)
    for (const [i, gap] of waited.entries()) {
      const plain = Math.min(10 * SECOND * 3 ** i, 6 * HOUR)
      expect(gap).toBeGreaterThanOrEqual(plain * 0.9 - 1)
      expect(gap).toBeLessThanOrEqual(Math.min(plain * 1.1, 6 * HOUR) + 1)
    }
    expect(new Set(waited.map((gap, i) => gap / 3 ** i)).size).toBeGreaterThan(5)
    const disabled = await webhook(app)
    expect(disabled).toMatchObject({ active: false, consecutiveFailures: 10 })
    expect(Date.parse(disabled.disabledAt ?? '')).toBe(app.receiver.posts[9]?.at)
    expect(await deliveries(app, id)).toMatchObject([{ state: 'waiting', nextAttemptAt: null }])
  })

  it('keeps its id and bytes; each attempt has its own time and signature', async () => {
    const app = await start()
    const { secret } = await app.hook()
    app.receiver.answer = () => (app.receiver.posts.length < 4 ? 503 : 200)
    await callOver(app)
    await app.run(10 * 60 * SECOND)
    const { posts } = app.receiver
    expect(posts).toHaveLength(4)
    expect(new Set(posts.map(({ delivery }) => delivery)).size).toBe(1)
    expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
    expect(new Set(posts.map(({ timestamp }) => timestamp)).size).toBe(4)
    expect(new Set(posts.map(({ headers }) => headers['X-Mio-Signature'])).size).toBe(4)
    for (const post of posts) {
      expect(isSignedBy(secret, post)).toBe(true)
      expect(Number(post.timestamp)).toBe(Math.floor(post.at / 1000))
      expect(post.headers['webhook-timestamp']).toBe(post.timestamp)
    }
    expect(await webhook(app)).toMatchObject({ active: true, consecutiveFailures: 0 })
  })

  it.each([
    ['a redirect', 307],
    ['an error of the receiver', 500],
    ['a refusal', 404],
    ['silence for ten seconds', 'hangs'],
  ] as const)('counts %s as a failure, and logs it', async (_, answer) => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => answer
    const callId = await callOver(app)
    await app.run(10_100)
    const [delivery] = await deliveries(app, id)
    expect(delivery).toMatchObject({ event: 'call.completed', callId, state: 'pending' })
    expect(delivery?.attempts[0]?.status).toBe(answer === 'hangs' ? null : answer)
    expect(delivery?.attempts[0]?.error).toBeTruthy()
    expect(delivery?.nextAttemptAt).not.toBeNull()
    expect((await webhook(app)).consecutiveFailures).toBeGreaterThanOrEqual(1)
  })

  it.each([200, 202, 204, 299])('is delivered by %i', async (status) => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => status
    await callOver(app)
    await app.run(1000)
    expect(await deliveries(app, id)).toMatchObject([
      { state: 'delivered', nextAttemptAt: null, attempts: [{ status, error: null }] },
    ])
  })

  it('waits longer when Retry-After says so, an hour at most, and never shorter', async () => {
    const app = await start()
    await app.hook()
    const answers = [120_000, 1000, 10 * HOUR]
    app.receiver.answer = () => ({
      status: 503,
      ms: 0,
      retryAfterMs: answers[app.receiver.posts.length - 1] ?? 0,
    })
    await callOver(app)
    await app.run(2 * HOUR)
    const [first = 0, second = 0, third = 0] = gaps(app.receiver.posts)
    expect(first).toBe(120_000)
    expect(second).toBeGreaterThanOrEqual(27_000)
    expect(second).toBeLessThanOrEqual(33_000)
    expect(third).toBe(HOUR)
  })

  it('with 410 disables its webhook at once', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => 410
    await callOver(app)
    await app.run(24 * HOUR)
    expect(app.receiver.posts).toHaveLength(1)
    expect(await webhook(app)).toMatchObject({ active: false, consecutiveFailures: 1 })
    expect(await deliveries(app, id)).toMatchObject([{ state: 'waiting' }])
  })

  it('has all its ten retries when a success of another breaks the row', async () => {
    const app = await start()
    const { id } = await app.hook()
    const bad = await callOver(app)
    app.receiver.answer = ({ call }) => (call.id === bad ? 500 : 200)
    await app.run(100)
    // The first attempt went before the answer was set: sent again, it fails from now on.
    const [first] = await deliveries(app, id)
    await app.ask('POST', `/webhooks/${id}/deliveries/${first?.id}/redeliver`)
    for (let hour = 0; hour < 60; hour++) {
      await app.run(HOUR)
      if (hour % 3 === 0) await callOver(app, '+15557654321')
    }
    const posts = app.receiver.posts.filter(({ call }) => call.id === bad)
    expect(posts).toHaveLength(1 + 11)
    const log = await deliveries(app, id)
    expect(log.find(({ callId }) => callId === bad)).toMatchObject({
      state: 'failed',
      nextAttemptAt: null,
    })
    expect((await webhook(app)).active).toBe(true)
  })
})

describe('when the clock jumps', () => {
  it.each([
    ['ahead', HOUR],
    ['back', -HOUR],
  ])('an hour %s, retries are neither lost nor sent in a burst', async (_, jump) => {
    const app = await start()
    await app.hook()
    app.receiver.answer = () => 500
    await callOver(app)
    await app.run(60_000)
    app.clock.jump(jump)
    const before = app.receiver.posts.length
    await app.run(HOUR)
    const soon = app.receiver.posts.length - before
    expect(soon).toBeLessThanOrEqual(4)
    app.receiver.answer = () => 200
    await app.run(3 * HOUR)
    expect(await webhook(app)).toMatchObject({ active: true, consecutiveFailures: 0 })
  })
})

describe('a webhook that fails', () => {
  it('is probed by one delivery at a time, and a backlog of many does not disable it in a second', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 20, 'calls.per_second': 100 } })
    await app.hook()
    app.receiver.answer = () => ({ status: 503, ms: 500 })
    for (let i = 0; i < 20; i++) {
      const phoneNumber = `+1555200${String(i).padStart(4, '0')}`
      app.trunk.phone(phoneNumber, { status: 486, answersAfter: 2000 })
      await app.place({ phoneNumber })
    }
    await app.run(6000)
    // What was under way together fails together; nothing more goes out at once.
    expect(app.receiver.posts.length).toBeLessThanOrEqual(4)
    const before = app.receiver.posts.length
    await app.run(3 * 60_000)
    expect(app.receiver.posts.length - before).toBeLessThanOrEqual(2)
    expect((await webhook(app)).active).toBe(true)
    // The receiver is back: one probe succeeds, and then the backlog goes.
    app.receiver.answer = () => 200
    await app.run(HOUR)
    expect(await webhook(app)).toMatchObject({ active: true, consecutiveFailures: 0 })
    const told = new Set(app.receiver.posts.map(({ call }) => call.id))
    expect(told.size).toBe(20)
  })

  it('is disabled by the tenth failure in a row also when they come at the same moment', async () => {
    const app = await start()
    const { id } = await app.hook()
    for (let i = 0; i < 12; i++) await callOver(app, `+155520000${10 + i}`)
    await app.run(1000)
    app.receiver.answer = () => 500
    for (const { id: delivery } of await deliveries(app, id))
      await app.ask('POST', `/webhooks/${id}/deliveries/${delivery}/redeliver`)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(24)
    expect(await webhook(app)).toMatchObject({ active: false, consecutiveFailures: 12 })
    expect(new Set((await deliveries(app, id)).map(({ state }) => state))).toEqual(
      new Set(['waiting']),
    )
  })

  it('does not delay another', async () => {
    const app = await start()
    await app.hook('https://slow.example.com/')
    await app.hook('https://dead.example.com/')
    await app.hook('https://good.example.com/')
    app.receiver.answer = ({ url }) =>
      url.includes('slow') ? 'hangs' : url.includes('dead') ? 500 : 200
    for (let i = 0; i < 8; i++) {
      const id = await callOver(app, `+155520000${10 + i}`)
      await app.run(50)
      const posts = app.receiver.to('https://good.example.com/')
      expect(posts.at(-1)?.call.id).toBe(id)
    }
    expect(app.receiver.to('https://good.example.com/')).toHaveLength(8)
  })
})

describe('the metrics of deliveries', () => {
  it('tell what became of each attempt', async () => {
    const app = await start({ settings: { 'webhooks.retry_base': '1s' } })
    await app.hook()
    app.receiver.answer = () => 500
    await callOver(app)
    await app.run(48 * 3_600_000)
    const figures = async () => {
      const { text } = await app.send('GET', '/metrics')
      const found = text.matchAll(/landline_webhook_attempts_total\{outcome="(\w+)"\} (\d+)/g)
      return Object.fromEntries([...found].map(([, outcome, count]) => [outcome, Number(count)]))
    }
    // The tenth failure in a row disables the webhook: its delivery waits.
    expect(await figures()).toEqual({ retried: 9, waiting: 1 })
    app.receiver.answer = () => 204
    const [hook] = (await app.ask<{ data: { id: string }[] }>('GET', '/webhooks')).data
    await app.ask('PATCH', `/webhooks/${hook?.id}`, { active: true })
    await app.run(1000)
    expect(await figures()).toEqual({ retried: 9, waiting: 1, delivered: 1 })
  })
})
