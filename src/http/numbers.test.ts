import { describe, expect, it } from 'vitest'
import { CALLER } from '../../test/kit/fake-services.ts'
import { setupHttp } from '../../test/kit/http-client.ts'

const ONE = `/api/v1/numbers/${CALLER}`
const BODY = { instructions: 'Take orders.', firstMessage: 'Hello.' }

function setup() {
  const parts = setupHttp()
  const put = (body: unknown = BODY, path = ONE) => parts.send('PUT', path, { body })
  return { ...parts, put }
}

describe('own numbers', () => {
  it('are put, shown, listed, replaced and deleted', async () => {
    const { put, send, services } = setup()
    expect((await send('GET', '/api/v1/numbers')).json).toEqual({ data: [] })
    const first = await put()
    expect(first.status).toBe(200)
    const shown = {
      number: CALLER,
      ...BODY,
      name: null,
      metadata: null,
      maxDuration: 600,
      transferTo: null,
      createdAt: '2026-03-20T18:30:00.000Z',
      updatedAt: '2026-03-20T18:30:00.000Z',
    }
    expect(first.json).toEqual(shown)
    expect((await send('GET', ONE)).json).toEqual(shown)
    services.clock.jump(1000)
    const second = await put({ instructions: 'x', maxDuration: 60 })
    expect(second.status).toBe(200)
    expect(second.json).toMatchObject({
      instructions: 'x',
      firstMessage: null,
      maxDuration: 60,
      createdAt: '2026-03-20T18:30:00.000Z',
      updatedAt: '2026-03-20T18:30:01.000Z',
    })
    expect((await send('GET', '/api/v1/numbers')).json).toEqual({ data: [second.json] })
    const gone = await send('DELETE', ONE)
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await send('DELETE', ONE)).status).toBe(404)
    expect((await send('GET', ONE)).status).toBe(404)
  })

  it('may have their plus percent-encoded', async () => {
    const { put, send } = setup()
    expect((await put(BODY, ONE.replace('+', '%2B'))).json).toMatchObject({ number: CALLER })
    expect((await send('GET', ONE)).status).toBe(200)
  })

  it.each(['15559876543', '+0123456', 'mine', '%20', '+1555987654321234'])(
    'are 400 when the path says %s',
    async (number) => {
      const { send } = setup()
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await send(method, `/api/v1/numbers/${number}`, { body: BODY })
        expect(answer.status).toBe(400)
        expect(answer.json).toMatchObject({ code: 'invalid_request' })
      }
    },
  )

  it('are 404 when no trunk has them, with a sentence that names those there are', async () => {
    const { put, send, services } = setup()
    const foreign = '/api/v1/numbers/+15550009999'
    for (const answer of [await put({}, foreign), await send('GET', foreign)]) {
      expect(answer.status).toBe(404)
      expect(answer.json).toEqual({
        error: `+15550009999 is none of the trunks' numbers; these are: ${CALLER}.`,
        code: 'not_found',
      })
    }
    services.ownNumbers = []
    expect((await put(BODY, foreign)).text).toContain('[[sip.trunks]]')
  })

  it('that are ours and not set are 404 with what to do', async () => {
    const answer = await setup().send('GET', ONE)
    expect(answer.json).toEqual({
      error: `Calls to ${CALLER} are not answered yet: PUT instructions for it.`,
      code: 'not_found',
    })
  })

  it('can still be deleted when their trunk is gone', async () => {
    const { put, send, services } = setup()
    await put()
    services.ownNumbers = []
    expect((await send('GET', ONE)).status).toBe(200)
    expect((await send('DELETE', ONE)).status).toBe(204)
  })

  it('need a key before anything else, and a JSON body after the number', async () => {
    const { send } = setup()
    expect((await send('PUT', '/api/v1/numbers/x', { key: null, raw: '{' })).status).toBe(401)
    expect((await send('PUT', ONE, { raw: '{' })).status).toBe(400)
    const text = { raw: 'x', headers: { 'content-type': 'text/plain' } }
    expect((await send('PUT', ONE, text)).status).toBe(415)
    expect((await send('PUT', '/api/v1/numbers/+15550009999', text)).status).toBe(404)
    const other = await send('POST', ONE, { body: BODY })
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE'])
  })
})
