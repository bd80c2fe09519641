import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { appForEachTest, HOOK_URL, NUMBER, type TestApp } from '../kit/app.ts'
import { isSignedBy } from '../kit/fake-receiver.ts'
import { deliveries, callOver as endCall } from '../kit/seen-webhooks.ts'

const start = appForEachTest()
const HOUR = 3_600_000
const OTHER_URL = 'https://other.example.com/'

async function callOver(app: TestApp, phoneNumber?: string): Promise<string> {
  const id = await endCall(app, phoneNumber)
  await app.run(100)
  return id
}

describe('a webhook', () => {
  it('is told of calls, each delivery signed in both standards', async () => {
    const app = await start()
    const { secret } = await app.hook()
    await callOver(app)
    const [post] = app.receiver.posts
    if (!post) throw new Error('nothing was posted')
    expect(isSignedBy(secret, post)).toBe(true)
    expect(post.headers['webhook-id']).toBe(post.delivery)
    const sign = new Webhook(secret).sign(
      post.delivery,
      new Date(Number(post.timestamp) * 1000),
      post.body,
    )
    expect(post.headers['webhook-signature']).toBe(sign)
  })

  it('shows its secret once', async () => {
    const app = await start()
    const { id, secret } = await app.hook()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    await callOver(app)
    const answers = [
      await app.send('GET', '/api/v1/webhooks'),
      await app.send('PATCH', `/api/v1/webhooks/${id}`, { body: { events: ['*'] } }),
      await app.send('GET', `/api/v1/webhooks/${id}/deliveries`),
    ]
    for (const { status, text } of answers) {
      expect(status).toBe(200)
      expect(text).not.toContain('whsec_')
    }
  })

  it('and another at the same url are told apart: own ids, own secrets', async () => {
    const app = await start()
    const one = await app.hook()
    const two = await app.hook()
    await callOver(app)
    const posts = app.receiver.to(HOOK_URL)
    expect(new Set(posts.map(({ delivery }) => delivery)).size).toBe(2)
    const signers = posts.map((post) =>
      [one, two].filter(({ secret }) => isSignedBy(secret, post)).map(({ id }) => id),
    )
    expect(signers.flat().toSorted()).toEqual([one.id, two.id].toSorted())
  })

  it('signs with the old secret beside the new one for 24 hours after a rotation', async () => {
    const app = await start()
    const { id, secret } = await app.hook()
    await app.run(HOUR)
    const rotated = await app.ask<{ secret: string }>('POST', `/webhooks/${id}/rotate-secret`)
    expect(rotated.secret).not.toBe(secret)
    const lastPost = async () => {
      await callOver(app)
      const post = app.receiver.posts.at(-1)
      if (!post) throw new Error('nothing was posted')
      return post
    }
    const soon = await lastPost()
    expect(isSignedBy(rotated.secret, soon)).toBe(true)
    expect(isSignedBy(secret, soon, 'X-Mio-Signature-Previous')).toBe(true)
    expect(soon.headers['webhook-signature']?.split(' ')).toHaveLength(2)
    await app.run(24 * HOUR)
    const later = await lastPost()
    expect(isSignedBy(rotated.secret, later)).toBe(true)
    expect(later.headers['X-Mio-Signature-Previous']).toBeUndefined()
    expect(later.headers['webhook-signature']?.split(' ')).toHaveLength(1)
  })

  it('gets a test payload that is signed and complete, and is no delivery', async () => {
    const app = await start()
    const { id, secret } = await app.hook()
    const asked = app.ask('POST', `/webhooks/${id}/test`)
    await app.run(100)
    expect(await asked).toEqual({ delivered: true, status: 204, durationMs: 20 })
    const [post] = app.receiver.posts
    if (!post) throw new Error('nothing was posted')
    expect(isSignedBy(secret, post)).toBe(true)
    expect(post.headers['X-Mio-Event']).toBe('webhook.test')
    expect(Object.keys(JSON.parse(post.body))).toEqual(['event', 'timestamp', 'call'])
    await callOver(app)
    const real = app.receiver.posts[1]
    expect(Object.keys(post.call)).toEqual(Object.keys(real?.call ?? {}))
    expect(post.call.id).toBe('00000000-0000-0000-0000-000000000000')
    expect(await deliveries(app, id)).toHaveLength(1)
  })

  it('that is switched off by hand gets nothing for what happens meanwhile; what waited stays', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => 500
    const before = await callOver(app)
    await app.ask('PATCH', `/webhooks/${id}`, { active: false })
    app.receiver.answer = () => 200
    await app.run(HOUR)
    const during = await callOver(app, '+15557654321')
    await app.run(HOUR)
    expect(app.receiver.posts.map(({ call }) => call.id)).toEqual([before])
    const [webhook] = (await app.ask<{ data: unknown[] }>('GET', '/webhooks')).data
    expect(webhook).toMatchObject({ active: false, disabledAt: null })
    await app.ask('PATCH', `/webhooks/${id}`, { active: true })
    await app.run(1000)
    expect(app.receiver.posts.map(({ call }) => call.id)).toEqual([before, before])
    expect(during).not.toBe(before)
  })

  it('whose url changes during retries gets the next attempt there, with its count cleared', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = ({ url }) => (url === HOOK_URL ? 500 : 200)
    await callOver(app)
    await app.run(60_000)
    expect(app.receiver.to(HOOK_URL).length).toBeGreaterThanOrEqual(3)
    const changed = await app.ask('PATCH', `/webhooks/${id}`, { url: OTHER_URL })
    expect(changed).toMatchObject({ url: OTHER_URL, consecutiveFailures: 0 })
    const before = app.receiver.to(HOOK_URL).length
    await app.run(HOUR)
    expect(app.receiver.to(HOOK_URL)).toHaveLength(before)
    expect(app.receiver.to(OTHER_URL)).toHaveLength(1)
    expect(app.receiver.to(OTHER_URL)[0]?.delivery).toBe(app.receiver.posts[0]?.delivery)
  })

  it('that is deleted during retries is never posted to again, and the others are', async () => {
    const app = await start()
    const { id } = await app.hook()
    await app.hook(OTHER_URL)
    app.receiver.answer = ({ url }) => (url === HOOK_URL ? 500 : 200)
    await callOver(app)
    expect((await app.send('DELETE', `/api/v1/webhooks/${id}`)).status).toBe(204)
    await app.run(24 * HOUR)
    expect(app.receiver.to(HOOK_URL)).toHaveLength(1)
    expect((await app.send('GET', `/api/v1/webhooks/${id}/deliveries`)).status).toBe(404)
    await callOver(app)
    expect(app.receiver.to(OTHER_URL)).toHaveLength(2)
  })

  it('that is deleted while an attempt is under way lets it finish, and nothing breaks', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => ({ status: 500, ms: 3000 })
    await callOver(app)
    expect((await app.send('DELETE', `/api/v1/webhooks/${id}`)).status).toBe(204)
    await app.run(HOUR)
    expect(app.receiver.posts).toHaveLength(1)
    expect(app.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('that subscribes to other events gets those from then on', async () => {
    const app = await start()
    const { id } = await app.hook()
    await app.ask('PATCH', `/webhooks/${id}`, { events: ['call.started'] })
    await callOver(app)
    app.trunk.phone(NUMBER, {})
    const running = await app.place()
    await app.reaches(running, 'in_progress')
    expect(app.receiver.posts.map(({ event }) => event)).toEqual(['call.started'])
  })
})

describe('a delivery', () => {
  it('is sent again on request under its id, also when it was delivered', async () => {
    const app = await start()
    const { id } = await app.hook()
    await callOver(app)
    const [delivery] = await deliveries(app, id)
    const path = `/api/v1/webhooks/${id}/deliveries/${delivery?.id}/redeliver`
    const answer = await app.send('POST', path)
    expect(answer.status).toBe(202)
    expect(answer.json).toMatchObject({ id: delivery?.id, state: 'pending' })
    await app.run(100)
    const [first, second, third] = app.receiver.posts
    expect(third).toBeUndefined()
    expect([second?.delivery, second?.body]).toEqual([first?.delivery, first?.body])
    expect(await deliveries(app, id)).toMatchObject([{ state: 'delivered', attempts: [{}, {}] }])
  })

  it('is sent again on request at once, also while its webhook is being probed', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => 500
    await callOver(app)
    app.receiver.answer = () => 200
    const [delivery] = await deliveries(app, id)
    await app.ask('POST', `/webhooks/${id}/deliveries/${delivery?.id}/redeliver`)
    await app.run(100)
    expect(await deliveries(app, id)).toMatchObject([{ state: 'delivered' }])
  })

  it('of a webhook that is off waits when it is to be sent again', async () => {
    const app = await start()
    const { id } = await app.hook()
    await callOver(app)
    await app.ask('PATCH', `/webhooks/${id}`, { active: false })
    const [delivery] = await deliveries(app, id)
    await app.ask('POST', `/webhooks/${id}/deliveries/${delivery?.id}/redeliver`)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(1)
    expect(await deliveries(app, id)).toMatchObject([{ state: 'waiting' }])
  })

  it('of another webhook is 404', async () => {
    const app = await start()
    const one = await app.hook()
    const two = await app.hook(OTHER_URL)
    await callOver(app)
    const [delivery] = await deliveries(app, one.id)
    const path = `/api/v1/webhooks/${two.id}/deliveries/${delivery?.id}/redeliver`
    expect((await app.send('POST', path)).status).toBe(404)
  })

  it('is found in the log, newest first, page by page', async () => {
    const app = await start()
    const { id } = await app.hook()
    const calls: string[] = []
    for (let i = 0; i < 5; i++) calls.unshift(await callOver(app))
    type Log = { data: { callId: string }[]; nextCursor: string | null }
    const seen: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 3; pages++) {
      const page: Log = await app.ask('GET', `/webhooks/${id}/deliveries?limit=2${cursor}`)
      seen.push(...page.data.map(({ callId }) => callId))
      if (page.nextCursor === null) break
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(seen).toEqual(calls)
  })
})
