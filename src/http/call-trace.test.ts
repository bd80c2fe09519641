import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'
import { type Schema, type Schemas, schemaProblems } from '../../test/kit/json-schema.ts'
import { NO_FIGURES } from '../../test/kit/no-figures.ts'
import { type AttemptTrace, publicTrace } from '../calls/call-trace.ts'
import { openApiDocument } from './openapi.ts'

const TRACE: AttemptTrace = {
  attempt: 2,
  messages: [
    {
      ...{ at: Date.parse('2026-03-20T18:30:00Z'), direction: 'sent', trunk: 'main' },
      ...{ transport: 'TCP', remote: '192.0.2.1:5060', summary: 'INVITE', text: 'INVITE …' },
      repeated: 1,
    },
  ],
  omitted: 0,
  media: { ...NO_FIGURES, remote: { packetsLost: 1, jitterMs: 0.5, roundTripMs: null } },
}

async function setup() {
  const { services, send } = setupHttp()
  const body = { phoneNumber: '+15551234567', instructions: 'x' }
  const { id } = (await send('POST', '/api/v1/calls', { body })).json as { id: string }
  return { services, send, id }
}

describe('GET /api/v1/calls/:id/trace', () => {
  it('tells what passed, and nothing before anything was sent', async () => {
    const { services, send, id } = await setup()
    const before = await send('GET', `/api/v1/calls/${id}/trace`)
    expect([before.status, before.json]).toEqual([200, { data: [] }])
    services.traces.set(id, publicTrace([TRACE]).data)
    const { json } = await send('GET', `/api/v1/calls/${id}/trace`)
    expect(json).toEqual({
      data: [{ ...TRACE, messages: [{ ...TRACE.messages[0], at: '2026-03-20T18:30:00.000Z' }] }],
    })
  })

  it('answers 404 for a call that is not there, and 401 without a key', async () => {
    const { send, id } = await setup()
    const nobody = '0195b3a0-5c00-7000-8000-00000000ffff'
    expect((await send('GET', `/api/v1/calls/${nobody}/trace`)).json).toEqual({
      error: expect.any(String),
      code: 'not_found',
    })
    expect((await send('GET', `/api/v1/calls/${id}/trace`, { key: null })).status).toBe(401)
  })

  it('is described to the last field', () => {
    const document = JSON.parse(JSON.stringify(openApiDocument()))
    const schemas = document.components.schemas as Schemas
    const schema: Schema = { $ref: '#/components/schemas/CallTrace' }
    const problems = (value: unknown): unknown[] =>
      schemaProblems(JSON.parse(JSON.stringify(value)), schema, { schemas, strict: true })
    expect(problems(publicTrace([TRACE]))).toEqual([])
    expect(problems(publicTrace([{ ...TRACE, media: null }]))).toEqual([])
    expect(problems(publicTrace([{ ...TRACE, attempt: 0 }]))).not.toEqual([])
  })
})
