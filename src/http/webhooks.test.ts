import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'

const URL = 'https://example.com/hook'
const ID = '0195b3a0-5c00-7000-8000-000000000001'

function setup() {
  const parts = setupHttp()
  const create = (body: unknown = { url: URL }) => parts.send('POST', '/api/v1/webhooks', { body })
  const existing = async () => {
    const { id } = (await create()).json as { id: string }
    return `/api/v1/webhooks/${id}`
  }
  return { ...parts, create, existing }
}

describe('webhooks', () => {
  it('are created with a secret and listed without', async () => {
    const { create, send } = setup()
    const created = await create()
    expect(created.status).toBe(201)
    expect(created.json).toMatchObject({
      url: URL,
      events: ['call.completed'],
      secret: expect.stringMatching(/^whsec_/),
    })
    const list = await send('GET', '/api/v1/webhooks')
    expect(list.json).toMatchObject({ data: [{ url: URL, active: true }] })
    expect(list.text).not.toContain('whsec_')
  })

  it.each([
    {},
    [],
    { url: null },
    { url: '' },
    { url: 5 },
    { url: `https://example.com/${'x'.repeat(2029)}` },
    { url: URL, events: [] },
    { url: URL, events: 'call.completed' },
    { url: URL, events: ['call.unknown'] },
    { url: URL, events: [null] },
    { url: URL, secret: 'whsec_mine' },
    { url: URL, active: false },
    { url: URL, id: ID },
  ])('are not created from %j', async (body) => {
    const { create, services } = setup()
    const answer = await create(body)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ code: 'invalid_request' })
    expect(services.hooks.size).toBe(0)
  })

  it('take a url of 2,048 characters and collapse doubled events', async () => {
    const { create } = setup()
    const url = `https://example.com/${'x'.repeat(2028)}`
    const events = ['call.started', '*', 'call.started']
    const answer = await create({ url, events })
    expect(answer.json).toMatchObject({ url, events: ['call.started', '*'] })
    expect((await create({ url, events: null })).json).toMatchObject({ events: ['call.completed'] })
  })

  it.each(['PATCH', 'PUT'])('change by %s what is named', async (method) => {
    const { existing, send, services } = setup()
    const path = await existing()
    const answer = await send(method, path, { body: { active: false, url: null } })
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ active: false, url: URL })
    expect(answer.text).not.toContain('whsec_')
    expect(services.patches).toEqual([{ url: undefined, events: undefined, active: false }])
  })

  it.each([
    {},
    { url: null, events: null },
    { active: 'yes' },
    { events: [] },
    { secret: 'whsec_x' },
    { consecutiveFailures: 0 },
    [],
  ])('are not changed by %j', async (body) => {
    const { existing, send, services } = setup()
    const answer = await send('PATCH', await existing(), { body })
    expect(answer.status).toBe(400)
    expect(services.patches).toEqual([])
  })

  it('are deleted once', async () => {
    const { existing, send } = setup()
    const path = await existing()
    const answer = await send('DELETE', path)
    expect(answer.status).toBe(204)
    expect(answer.text).toBe('')
    expect((await send('DELETE', path)).status).toBe(404)
  })

  it('are tested, also when nobody is there', async () => {
    const { existing, send } = setup()
    const answer = await send('POST', `${await existing()}/test`)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      delivered: false,
      status: null,
      durationMs: 3,
      error: 'connection refused',
    })
  })

  it('get a new secret', async () => {
    const { existing, send } = setup()
    const answer = await send('POST', `${await existing()}/rotate-secret`)
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ secret: expect.stringMatching(/^whsec_/) })
  })

  it('show their deliveries in pages', async () => {
    const { existing, send, services } = setup()
    services.nextPage = { createdAt: 1774031400000, id: ID }
    const path = `${await existing()}/deliveries`
    const { nextCursor } = (await send('GET', `${path}?limit=1`)).json as { nextCursor: string }
    expect((await send('GET', `${path}?cursor=${nextCursor}`)).json).toEqual({
      data: [],
      nextCursor: null,
    })
    for (const query of ['limit=0', 'cursor=x', 'state=failed'])
      expect((await send('GET', `${path}?${query}`)).status).toBe(400)
  })

  it('send a delivery again', async () => {
    const { existing, send, services } = setup()
    const path = `${await existing()}/deliveries`
    const answer = await send('POST', `${path}/${ID}/redeliver`)
    expect(answer.status).toBe(202)
    expect(answer.json).toMatchObject({ id: ID, state: 'pending' })
    expect(services.redelivered).toEqual([ID])
    expect((await send('POST', `${path}/7/redeliver`)).status).toBe(404)
  })

  it.each([
    ['PATCH', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/test'],
    ['POST', '/rotate-secret'],
    ['GET', '/deliveries'],
    ['GET', '/deliveries?limit=0'],
    ['POST', `/deliveries/${ID}/redeliver`],
  ])('that are unknown are 404: %s %s', async (method, rest) => {
    const answer = await setup().send(method, `/api/v1/webhooks/${ID}${rest}`)
    expect(answer.status).toBe(404)
    expect(answer.json).toMatchObject({ code: 'not_found' })
  })
})
