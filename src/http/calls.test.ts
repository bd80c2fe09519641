import { describe, expect, it } from 'vitest'
import { OTHER_KEY } from '../../test/kit/fake-services.ts'
import { setupHttp } from '../../test/kit/http-client.ts'

const CALL = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }
const ID = '0195b3a0-5c00-7000-8000-000000000001'

function setup() {
  const parts = setupHttp()
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    parts.send('POST', '/api/v1/calls', { body, headers })
  const raw = (text: string | Uint8Array, headers: Record<string, string> = {}) =>
    parts.send('POST', '/api/v1/calls', { raw: text, headers })
  return { ...parts, post, raw }
}

const idOf = (answer: { json: unknown }): string => (answer.json as { id: string }).id

describe('POST /calls', () => {
  it('answers 201 with the call', async () => {
    const { post, services } = setup()
    const answer = await post(CALL)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.json).toMatchObject({ status: 'initiated', toNumber: '+15551234567' })
    expect(answer.headers.has('idempotent-replayed')).toBe(false)
    expect(services.created).toMatchObject([{ keyId: 'key-1', request: { callAt: null } }])
  })

  it('hands the time of a scheduled call on', async () => {
    const { post, services } = setup()
    const answer = await post({ ...CALL, callAt: '2026-03-21T16:00:00+02:00' })
    expect(answer.json).toMatchObject({ status: 'scheduled' })
    expect(services.created[0]?.request.callAt).toBe(Date.parse('2026-03-21T14:00:00Z'))
  })

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    ' application/json ; x=y',
  ])('takes the content type %j', async (type) => {
    expect((await setup().post(CALL, { 'content-type': type })).status).toBe(201)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/ld+json',
    'application/json, text/plain',
    '',
  ])('refuses the content type %j', async (type) => {
    const answer = await setup().post(CALL, { 'content-type': type })
    expect(answer.status).toBe(415)
    expect(answer.json).toMatchObject({ error: expect.stringContaining('application/json') })
  })

  it('takes a byte order mark', async () => {
    expect((await setup().raw(`\ufeff${JSON.stringify(CALL)}`)).status).toBe(201)
  })

  it.each(['', ' ', '{}', '[]', 'null', '"x"', '7', '{"phoneNumber":', '[{}]'])(
    'refuses the body %j',
    async (text) => {
      const { raw, services } = setup()
      const answer = await raw(text)
      expect(answer.status).toBe(400)
      expect(answer.json).toEqual({ error: expect.any(String), code: 'invalid_request' })
      expect(services.created).toEqual([])
    },
  )

  it.each([
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a lone surrogate', '{"phoneNumber":"+15551234567","instructions":"\\ud83c"}'],
    ['NUL', '{"phoneNumber":"+15551234567","instructions":"a\\u0000b"}'],
    [
      'NUL in metadata',
      '{"phoneNumber":"+15551234567","instructions":"a","metadata":{"\\u0000":""}}',
    ],
    ['depth', '['.repeat(100_000)],
    ['__proto__', '{"phoneNumber":"+15551234567","instructions":"a","__proto__":{"record":true}}'],
    ['an unknown field', '{"phoneNumber":"+15551234567","instructions":"a","Name":"x"}'],
  ])('refuses %s', async (_, text) => {
    expect((await setup().raw(text)).status).toBe(400)
  })

  it('names an unknown field and one that is not available yet', async () => {
    const { post } = setup()
    expect((await post({ ...CALL, speed: 1 })).json).toMatchObject({
      error: expect.stringContaining('"speed"'),
    })
    expect((await post({ ...CALL, record: true })).json).toMatchObject({
      code: 'not_available_yet',
      error: expect.stringContaining('record'),
    })
  })

  it('answers a replay with the same call and says so', async () => {
    const { post, raw, services } = setup()
    const first = await post(CALL, { 'idempotency-key': 'k 1' })
    const again = await raw(
      '{ "instructions": "Order a pizza.", "phoneNumber": "\\u002b15551234567" }',
      { 'Idempotency-Key': 'k 1' },
    )
    expect(again.status).toBe(201)
    expect(again.text).toBe(first.text)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(services.created).toHaveLength(1)
  })

  it('answers 409 for the same key with another body, but not for another API key', async () => {
    const { post, send } = setup()
    const headers = { 'idempotency-key': 'k' }
    await post(CALL, headers)
    const other = { ...CALL, instructions: 'Order two.' }
    const conflict = await post(other, headers)
    expect(conflict.status).toBe(409)
    expect(conflict.json).toMatchObject({ code: 'idempotency_conflict' })
    const body = { body: other, headers, key: OTHER_KEY }
    expect((await send('POST', '/api/v1/calls', body)).status).toBe(201)
  })

  it.each(['', 'x'.repeat(256), 'é', 'a\tb'])('refuses the Idempotency-Key %j', async (key) => {
    const answer = await setup().post(CALL, { 'idempotency-key': key })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ error: expect.stringContaining('Idempotency-Key') })
  })

  it('takes an Idempotency-Key of 255 characters', async () => {
    expect((await setup().post(CALL, { 'idempotency-key': '~'.repeat(255) })).status).toBe(201)
  })
})

describe('GET /calls', () => {
  it('gives a page of 20 by default', async () => {
    const { send, services } = setup()
    const answer = await send('GET', '/api/v1/calls')
    expect(answer.json).toEqual({ data: [], nextCursor: null })
    expect(services.filters).toEqual([{ limit: 20, cursor: null }])
  })

  it('goes on where the cursor points', async () => {
    const { send, services } = setup()
    services.nextPage = { createdAt: 1774031400000, id: ID }
    const { nextCursor } = (await send('GET', '/api/v1/calls')).json as { nextCursor: string }
    expect(nextCursor).toMatch(/^[\w-]+$/)
    await send('GET', `/api/v1/calls?cursor=${nextCursor}`)
    expect(services.filters.at(-1)).toEqual({ limit: 20, cursor: services.nextPage })
  })

  it('hands every filter on; a plus sign is one', async () => {
    const { send, services } = setup()
    const query =
      'limit=100&status=no_answer&direction=outbound&toNumber=+15551234567' +
      '&createdAfter=2026-03-20T18:30:00+02:00&createdBefore=2026-03-21T00%3A00%3A00Z'
    expect((await send('GET', `/api/v1/calls?${query}`)).status).toBe(200)
    await send('GET', '/api/v1/calls?toNumber=%2B15551234567')
    expect(services.filters).toEqual([
      {
        limit: 100,
        cursor: null,
        status: 'no_answer',
        direction: 'outbound',
        toNumber: '+15551234567',
        createdAfter: Date.parse('2026-03-20T16:30:00Z'),
        createdBefore: Date.parse('2026-03-21T00:00:00Z'),
      },
      { limit: 20, cursor: null, toNumber: '+15551234567' },
    ])
  })

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=',
    'limit=1e1',
    'limit=5&limit=6',
    'status=unknown',
    'status=',
    'direction=sideways',
    'toNumber=555',
    'createdAfter=2026-03-20',
    'createdBefore=2026-02-30T00:00:00Z',
    'cursor=',
    'cursor=abc',
    'cursor=%00',
    'cursor=MTIzLng',
    'offset=20',
    'page=2',
    'limit=%zz',
    '__proto__=1',
  ])('refuses %s', async (query) => {
    const { send, services } = setup()
    const answer = await send('GET', `/api/v1/calls?${query}`)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'invalid_request' })
    expect(services.filters).toEqual([])
  })

  it.each(['inbound', 'outbound'])('knows the direction %s', async (direction) => {
    expect((await setup().send('GET', `/api/v1/calls?direction=${direction}`)).status).toBe(200)
  })
})

describe('one call', () => {
  it('is told by its id, in either case', async () => {
    const { send, post } = setup()
    const id = idOf(await post(CALL))
    expect((await send('GET', `/api/v1/calls/${id}`)).json).toMatchObject({ id })
    expect((await send('GET', `/api/v1/calls/${id.toUpperCase()}`)).json).toMatchObject({ id })
  })

  it('is 404 when there is none', async () => {
    const { send } = setup()
    for (const path of [ID, `${ID}/events`])
      expect((await send('GET', `/api/v1/calls/${path}`)).json).toEqual({
        error: 'There is no such call.',
        code: 'not_found',
      })
  })

  it('is canceled once, then 409', async () => {
    const { send, post } = setup()
    const path = `/api/v1/calls/${idOf(await post(CALL))}/cancel`
    const first = await send('POST', path)
    expect(first.status).toBe(200)
    expect(first.json).toMatchObject({ status: 'canceled' })
    expect((await send('POST', path)).status).toBe(409)
  })

  it('is canceled without a body, or with an empty object, but with no field', async () => {
    const { send, post } = setup()
    const path = async () => `/api/v1/calls/${idOf(await post(CALL))}/cancel`
    expect((await send('POST', await path(), { body: {} })).status).toBe(200)
    const refused = await send('POST', await path(), { body: { reason: 'x' } })
    expect(refused.status).toBe(400)
    expect(refused.json).toMatchObject({ error: expect.stringContaining('"reason"') })
    expect((await send('POST', await path(), { raw: '{' })).status).toBe(400)
    expect((await send('POST', await path(), { body: [] })).status).toBe(400)
    const form = { 'content-type': 'text/plain' }
    expect((await send('POST', await path(), { raw: 'x', headers: form })).status).toBe(415)
  })
})
