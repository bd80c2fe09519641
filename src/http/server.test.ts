import { describe, expect, it } from 'vitest'
import { GOOD_KEY, OTHER_KEY } from '../../test/kit/fake-services.ts'
import { setupHttp, toRequest } from '../../test/kit/http-client.ts'
import { AppError, type ErrorCode } from '../core/errors.ts'

const CALL = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }
const ID = '0195b3a0-5c00-7000-8000-000000000001'
const WRONG = `sk_live_${'w'.repeat(43)}`

describe('the API key', () => {
  it('opens GET /me, which answers exactly four fields', async () => {
    const { send } = setupHttp()
    const answer = await send('GET', '/api/v1/me')
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json as object)).toEqual(['id', 'name', 'phoneNumber', 'balance'])
    expect(answer.json).toMatchObject({ phoneNumber: '+15559876543', balance: 500 })
  })

  it.each(['X-API-Key', 'x-api-key', 'X-API-KEY'])('may come as %s', async (name) => {
    const { send } = setupHttp()
    const answer = await send('GET', '/api/v1/me', { key: null, headers: { [name]: GOOD_KEY } })
    expect(answer.status).toBe(200)
  })

  it.each([
    ['nothing', {}],
    ['an empty key', { 'x-api-key': '' }],
    ['an unknown key', { 'x-api-key': WRONG }],
    ['a truncated key', { 'x-api-key': GOOD_KEY.slice(0, -1) }],
    ['a longer key', { 'x-api-key': `${GOOD_KEY}k` }],
    ['a very long key', { 'x-api-key': GOOD_KEY.repeat(100) }],
    ['a blank inside', { 'x-api-key': GOOD_KEY.replace('_live', ' live') }],
    ['another case', { 'x-api-key': GOOD_KEY.toUpperCase() }],
    ['two keys', { 'x-api-key': `${GOOD_KEY}, ${GOOD_KEY}` }],
    ['a bearer token', { authorization: `Bearer ${GOOD_KEY}` }],
    ['a cookie', { cookie: `X-API-Key=${GOOD_KEY}; api_key=${GOOD_KEY}` }],
  ])('is missing with %s, and the answer is always the same', async (_, headers) => {
    const { send } = setupHttp()
    const { status, json } = await send('GET', '/api/v1/me', { key: null, headers })
    expect(status).toBe(401)
    expect(json).toEqual({ error: expect.stringContaining('X-API-Key'), code: 'unauthorized' })
    expect(json).toEqual((await send('POST', '/api/v1/nope', { key: null })).json)
  })

  it('is not even looked up when it is longer than any', async () => {
    const { send, services } = setupHttp()
    expect((await send('GET', '/api/v1/me', { key: 'k'.repeat(129) })).status).toBe(401)
    expect(services.authenticated).toBe(0)
  })

  it('is no key in the query or the body', async () => {
    const { send } = setupHttp()
    for (const path of [`/api/v1/me?api_key=${GOOD_KEY}`, `/api/v1/me?X-API-Key=${GOOD_KEY}`])
      expect((await send('GET', path, { key: null })).status).toBe(401)
    const body = { ...CALL, apiKey: GOOD_KEY }
    expect((await send('POST', '/api/v1/calls', { key: null, body })).status).toBe(401)
  })

  it.each([
    ['GET', '/api/v1'],
    ['GET', '/api/v1/'],
    ['GET', '/api/v1/nope'],
    ['DELETE', '/api/v1/me'],
    ['OPTIONS', '/api/v1/calls'],
    ['HEAD', '/api/v1/me'],
    ['GET', '/api/v1/calls/not-an-id'],
    ['GET', '/api/v1/voices'],
    ['PATCH', `/api/v1/webhooks/${ID}`],
  ])('comes before everything else: %s %s', async (method, path) => {
    expect((await setupHttp().send(method, path, { key: null })).status).toBe(401)
  })

  it('comes before a broken, huge or wrongly declared body', async () => {
    const { send } = setupHttp()
    for (const o of [
      { raw: '{"broken' },
      { raw: 'x'.repeat(300_000) },
      { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ])
      expect((await send('POST', '/api/v1/calls', { ...o, key: WRONG })).status).toBe(401)
  })

  it('may be wrong 20 times a minute from one address; the right one still passes', async () => {
    const { send, services } = setupHttp()
    const wrong = () => send('GET', '/api/v1/me', { key: WRONG })
    for (let i = 0; i < 20; i++) expect((await wrong()).status).toBe(401)
    const limited = await wrong()
    expect(limited.status).toBe(429)
    expect(limited.json).toMatchObject({ code: 'rate_limited' })
    expect(limited.headers.get('retry-after')).toBe('60')
    expect((await send('GET', '/api/v1/me')).status).toBe(200)
    expect((await send('GET', '/api/v1/me', { key: null })).status).toBe(401)
    await services.clock.advance(60_000)
    expect((await wrong()).status).toBe(401)
  })
})

describe('an answer', () => {
  it.each([
    ['GET', '/api/v1/me', GOOD_KEY, 200],
    ['GET', '/api/v1/me', null, 401],
    ['GET', '/api/v1/nope', GOOD_KEY, 404],
    ['GET', '/nope', null, 404],
    ['PUT', '/api/v1/me', GOOD_KEY, 405],
    ['POST', '/api/v1/calls', GOOD_KEY, 415],
    ['GET', '/docs', null, 200],
    ['GET', '/healthz', null, 200],
    ['DELETE', '/healthz', null, 405],
    ['GET', '/openapi.json', null, 200],
  ])('to %s %s carries a request id and is not stored', async (method, path, key, status) => {
    const answer = await setupHttp().send(method, path, { key })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    if (status >= 400)
      expect(answer.json).toEqual({ error: expect.any(String), code: expect.any(String) })
  })

  it("keeps the client's request id when it is sane", async () => {
    const { send } = setupHttp()
    const idFor = async (id: string) =>
      (await send('GET', '/healthz', { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      )
    expect(await idFor('req_1.2:3-A')).toBe('req_1.2:3-A')
    for (const id of ['', 'a b', '<script>', 'x'.repeat(129), 'é'])
      expect(await idFor(id)).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('says nothing of the inside when something breaks, but logs it', async () => {
    const { send, services } = setupHttp()
    services.refuseCreate = new TypeError('SQLITE_FULL: /var/lib/secret.db')
    const answer = await send('POST', '/api/v1/calls', { body: CALL })
    expect(answer.status).toBe(500)
    expect(answer.json).toMatchObject({ code: 'internal' })
    expect(answer.text).not.toMatch(/SQLITE|secret|TypeError|\.ts|<html/i)
    expect(services.logged).toEqual([
      {
        level: 'error',
        message: 'request failed',
        fields: expect.objectContaining({
          reason: 'SQLITE_FULL: /var/lib/secret.db',
          requestId: answer.headers.get('x-request-id'),
        }),
      },
    ])
  })

  it.each<[ErrorCode, number]>([
    ['insufficient_balance', 402],
    ['call_active', 409],
    ['idempotency_conflict', 409],
    ['conflict', 409],
    ['queue_full', 429],
    ['no_trunk', 503],
    ['engines_not_ready', 503],
    ['shutting_down', 503],
    ['storage_unavailable', 503],
  ])('to a refusal %s has status %i', async (code, status) => {
    const { send, services } = setupHttp()
    services.refuseCreate = new AppError(code, 'One sentence.')
    const answer = await send('POST', '/api/v1/calls', { body: CALL })
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({ error: 'One sentence.', code })
    expect(answer.headers.has('retry-after')).toBe(status === 429)
    expect(services.logged).toEqual([])
  })

  it('tells the wait that a refusal names', async () => {
    const { send, services } = setupHttp()
    services.refuseCreate = new AppError('queue_full', 'Later.', { retryAfterSeconds: 29.2 })
    const answer = await send('POST', '/api/v1/calls', { body: CALL })
    expect(answer.headers.get('retry-after')).toBe('30')
  })
})

describe('paths and methods', () => {
  it.each([
    ['/api/v1/me/'],
    ['//api/v1/me'],
    ['/API/v1/me'],
    ['/api/v1/calls/'],
    ['/api/v2/me'],
    ['/'],
    ['/favicon.ico'],
    ['/docs/../../etc/passwd'],
    ['/%zz'],
  ])('there is nothing at %s', async (path) => {
    const answer = await setupHttp().send('GET', path)
    expect(answer.status).toBe(404)
    expect(answer.json).toMatchObject({ code: 'not_found' })
  })

  it.each([
    '1',
    'not-an-id',
    '%00',
    '%zz',
    '%2f',
    '..%2f..%2fetc',
    `${ID}x`,
    `${ID}%00`,
    "' or 1=1 --",
    '١٢٣',
  ])('an id like %s is of nothing', async (id) => {
    const { send } = setupHttp()
    const answer = await send('GET', `/api/v1/calls/${id}`)
    expect(answer.status).toBe(404)
    expect(answer.json).toMatchObject({ code: 'not_found' })
    expect((await send('POST', `/api/v1/webhooks/${id}/test`)).status).toBe(404)
  })

  it.each([
    ['DELETE', '/api/v1/me', 'GET, HEAD'],
    ['PUT', '/api/v1/calls', 'POST, GET, HEAD'],
    ['OPTIONS', '/api/v1/calls', 'POST, GET, HEAD'],
    ['PATCH', `/api/v1/calls/${ID}`, 'GET, HEAD'],
    ['GET', `/api/v1/calls/${ID}/cancel`, 'POST'],
    ['HEAD', `/api/v1/calls/${ID}/cancel`, 'POST'],
    ['GET', `/api/v1/webhooks/${ID}`, 'PATCH, PUT, DELETE'],
    ['GET', `/api/v1/webhooks/${ID}/deliveries/${ID}/redeliver`, 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PROPFIND', '/api/v1/me', 'GET, HEAD'],
  ])('%s %s is not possible, and Allow says what is', async (method, path, allow) => {
    const answer = await setupHttp().send(method, path)
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe(allow)
    if (method !== 'HEAD') expect(answer.json).toMatchObject({ code: 'method_not_allowed' })
  })

  it.each([['GET', `/api/v1/calls/${ID}/recording`]])(
    '%s %s is not available yet',
    async (method, path) => {
      const answer = await setupHttp().send(method, path)
      expect(answer.status).toBe(404)
      expect(answer.json).toMatchObject({ code: 'not_available_yet' })
    },
  )

  it.each(['http://l', 'http://nas', 'https://a', 'https://ab', 'https://landline.example.org'])(
    'are found at %s, however long its name, with the body',
    async (origin) => {
      const { http } = setupHttp()
      const url = `${origin}/api/v1/calls`
      expect((await http.fetch(toRequest('POST', url, { body: CALL }))).status).toBe(201)
      expect((await http.fetch(toRequest('POST', url, { body: CALL, key: null }))).status).toBe(401)
    },
  )
})

describe('the order of refusals', () => {
  const huge = { raw: 'x'.repeat(300_000) }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }

  it('puts 404 and 405 before the body', async () => {
    const { send } = setupHttp()
    const o = { ...huge, headers: form }
    expect((await send('POST', '/api/v1/nope', o)).status).toBe(404)
    expect((await send('PUT', '/api/v1/calls', o)).status).toBe(405)
    expect((await send('PATCH', `/api/v1/webhooks/${ID}`, o)).status).toBe(404)
    expect((await send('POST', `/api/v1/calls/${ID}/cancel`, o)).status).toBe(404)
  })

  it('puts 413 before 415, and 415 before 400', async () => {
    const { send } = setupHttp()
    const length = { 'content-length': '300000' }
    const long = await send('POST', '/api/v1/calls', { ...huge, headers: { ...form, ...length } })
    expect(long.status).toBe(413)
    expect(long.json).toMatchObject({ code: 'payload_too_large' })
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
    })
    const chunked = await send('POST', '/api/v1/calls', { raw: chunks, headers: form })
    expect(chunked.status).toBe(413)
    const typed = await send('POST', '/api/v1/calls', { raw: '{"broken', headers: form })
    expect(typed.status).toBe(415)
    expect(typed.json).toMatchObject({ code: 'unsupported_media_type' })
    expect((typed.json as { error: string }).error).toContain('Content-Type: application/json')
    expect((await send('POST', '/api/v1/calls', { raw: '{"broken' })).status).toBe(400)
  })

  it('puts 400 before replay, 503, 402 and 409', async () => {
    const { send, services } = setupHttp()
    services.refuseCreate = new AppError('no_trunk', 'No trunk.')
    const premium = { ...CALL, phoneNumber: '+19005551234' }
    const answer = await send('POST', '/api/v1/calls', { body: premium })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'dial_policy' })
    expect((await send('POST', '/api/v1/calls', { body: CALL })).status).toBe(503)
  })

  it('puts 429 last of what is known before the work', async () => {
    const { send } = setupHttp({ rateLimitPerSecond: 1 })
    for (let i = 0; i < 10; i++) await send('GET', '/api/v1/me')
    expect((await send('GET', '/api/v1/me')).status).toBe(429)
    expect((await send('POST', '/api/v1/calls', { raw: '{' })).status).toBe(400)
    expect((await send('POST', '/api/v1/calls', { body: { instructions: 'x' } })).status).toBe(400)
    expect((await send('POST', '/api/v1/calls', { body: CALL })).status).toBe(429)
    expect((await send('GET', '/api/v1/nope')).status).toBe(404)
  })

  it('puts 429 behind what the service refuses a call for', async () => {
    const { send, services } = setupHttp({ rateLimitPerSecond: 1 })
    for (let i = 0; i < 10; i++) await send('GET', '/api/v1/me')
    services.refuseCreate = new AppError('insufficient_balance', 'No money.')
    expect((await send('POST', '/api/v1/calls', { body: CALL })).status).toBe(402)
    services.refuseCreate = null
    const limited = await send('POST', '/api/v1/calls', { body: CALL })
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1'])
    expect(services.created).toEqual([])
  })
})

describe('the rate limit', () => {
  it('gives each key a burst of 10 s and then its rate, with Retry-After', async () => {
    const { send, services } = setupHttp({ rateLimitPerSecond: 2 })
    const statuses = async (n: number, key = GOOD_KEY) => {
      const answers = []
      for (let i = 0; i < n; i++) answers.push((await send('GET', '/api/v1/me', { key })).status)
      return answers.filter((status) => status === 200).length
    }
    expect(await statuses(30)).toBe(20)
    const limited = await send('GET', '/api/v1/me')
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('1')
    expect(limited.json).toMatchObject({ code: 'rate_limited' })
    expect(await statuses(1, OTHER_KEY)).toBe(1)
    await services.clock.advance(3000)
    expect(await statuses(10)).toBe(6)
  })

  it('stops a call before it is made', async () => {
    const { send, services } = setupHttp({ rateLimitPerSecond: 1 })
    for (let i = 0; i < 12; i++) await send('POST', '/api/v1/calls', { body: CALL })
    expect(services.created).toHaveLength(10)
  })

  it('does not touch what needs no key', async () => {
    const { send } = setupHttp({ rateLimitPerSecond: 1 })
    for (let i = 0; i < 30; i++) expect((await send('GET', '/healthz')).status).toBe(200)
  })
})
