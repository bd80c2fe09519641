import { describe, expect, it } from 'vitest'
import { appForEachTest, type TestApp } from '../kit/app.ts'
import { callOver, deliveries, type SeenWebhook, webhook } from '../kit/seen-webhooks.ts'

const start = appForEachTest()
const HOUR = 3_600_000

describe('a disabled webhook', () => {
  async function disabled(app: TestApp): Promise<{ id: string; callId: string }> {
    const { id } = await app.hook()
    app.receiver.answer = () => 410
    const callId = await callOver(app)
    await app.run(100)
    app.receiver.answer = () => 200
    return { id, callId }
  }

  it('lets new events wait, and sends all of them at once when it is enabled, under their ids', async () => {
    const app = await start()
    const { id, callId } = await disabled(app)
    const second = await callOver(app)
    await app.run(HOUR)
    expect(app.receiver.posts).toHaveLength(1)
    expect((await deliveries(app, id)).map(({ state }) => state)).toEqual(['waiting', 'waiting'])
    const enabled = await app.ask<SeenWebhook>('PATCH', `/webhooks/${id}`, { active: true })
    expect(enabled).toMatchObject({ active: true, consecutiveFailures: 0, disabledAt: null })
    await app.run(1000)
    const [before, ...after] = app.receiver.posts
    expect(after.map(({ call }) => call.id)).toEqual([callId, second])
    expect([after[0]?.delivery, after[0]?.body]).toEqual([before?.delivery, before?.body])
    expect((await deliveries(app, id)).map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
    ])
  })

  it('sends what is up to 72 hours old, and nothing that is older', async () => {
    const app = await start()
    const { id, callId } = await disabled(app)
    await app.run(HOUR)
    const young = await callOver(app)
    await app.run(72 * HOUR - 60_000)
    await app.ask('PATCH', `/webhooks/${id}`, { active: true })
    await app.run(1000)
    expect(app.receiver.posts.slice(1).map(({ call }) => call.id)).toEqual([young])
    const states = (await deliveries(app, id)).map((one) => [one.callId, one.state])
    expect(states).toEqual([
      [young, 'delivered'],
      [callId, 'failed'],
    ])
  })

  it('that only fails is probed at once when it is enabled, and its count is cleared', async () => {
    const app = await start({ settings: { 'webhooks.retry_base': '1h' } })
    const { id } = await app.hook()
    app.receiver.answer = () => 500
    await callOver(app)
    await app.run(100)
    app.receiver.answer = () => 200
    const second = await callOver(app)
    await app.run(60_000)
    expect(app.receiver.posts).toHaveLength(1)
    const enabled = await app.ask<SeenWebhook>('PATCH', `/webhooks/${id}`, { active: true })
    expect(enabled).toMatchObject({ active: true, consecutiveFailures: 0 })
    await app.run(1000)
    expect(app.receiver.posts.at(-1)?.call.id).toBe(second)
    expect((await deliveries(app, id)).map(({ state }) => state)).toEqual(['delivered', 'pending'])
  })

  it('takes a test delivery, which counts for nothing and enables nothing', async () => {
    const app = await start()
    const { id } = await disabled(app)
    const test = () => app.ask<Record<string, unknown>>('POST', `/webhooks/${id}/test`)
    const answer = app.ask<Record<string, unknown>>('POST', `/webhooks/${id}/test`)
    await app.run(100)
    expect(await answer).toMatchObject({ delivered: true, status: 200 })
    expect(await webhook(app)).toMatchObject({ active: false, consecutiveFailures: 1 })
    app.receiver.answer = () => 'hangs'
    const failing = test()
    await app.run(10_000)
    expect(await failing).toMatchObject({
      delivered: false,
      status: null,
      error: 'no answer in time',
    })
    expect(await webhook(app)).toMatchObject({ active: false, consecutiveFailures: 1 })
  })

  it('stays disabled by a changed url alone, and sends there once it is enabled', async () => {
    const app = await start()
    const { id, callId } = await disabled(app)
    const url = 'https://new.example.com/'
    expect(await app.ask('PATCH', `/webhooks/${id}`, { url })).toMatchObject({
      active: false,
      consecutiveFailures: 0,
    })
    await app.run(HOUR)
    expect(app.receiver.to(url)).toEqual([])
    await app.ask('PUT', `/webhooks/${id}`, { active: true })
    await app.run(100)
    expect(app.receiver.to(url).map(({ call }) => call.id)).toEqual([callId])
  })

  it('that fails again when it is enabled is probed again, not flooded', async () => {
    const app = await start()
    const { id } = await disabled(app)
    for (let i = 0; i < 5; i++) await callOver(app, `+155520000${10 + i}`)
    app.receiver.answer = () => 500
    await app.ask('PATCH', `/webhooks/${id}`, { active: true })
    await app.run(9000)
    expect(app.receiver.posts).toHaveLength(2)
  })

  it('that is then switched off by hand gets no new events', async () => {
    const app = await start()
    const { id, callId } = await disabled(app)
    await app.ask('PATCH', `/webhooks/${id}`, { active: false })
    await callOver(app)
    await app.ask('PATCH', `/webhooks/${id}`, { active: true })
    await app.run(1000)
    expect(app.receiver.posts.map(({ call }) => call.id)).toEqual([callId, callId])
  })
})
