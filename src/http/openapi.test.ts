import { describe, expect, it } from 'vitest'
import { setupHttp } from '../../test/kit/http-client.ts'
import { type Schema, type Schemas, schemaProblems } from '../../test/kit/json-schema.ts'
import type { Call } from '../calls/call.ts'
import type { StoredEvent } from '../calls/call-store.ts'
import { publicNumber } from '../calls/own-number.ts'
import { createdCall, listedCall, wholeCall } from '../calls/public-call.ts'
import type { Delivery, Webhook } from '../webhooks/ports.ts'
import { publicDelivery, publicWebhook } from '../webhooks/public-webhook.ts'
import { createEventStreams } from './call-events.ts'
import { openApiDocument } from './openapi.ts'
import { apiRoutes } from './server.ts'

type Node = Record<string, unknown>
interface Described {
  operationId: string
  summary: string
  tags: string[]
  security?: unknown[]
  parameters?: Node[]
  requestBody?: { content: Record<string, { schema: Schema; examples: Record<string, Node> }> }
  responses: Record<string, Node>
}

const ID = '0195b3a0-5c00-7000-8000-000000000001'

function setup() {
  // Through JSON, as a client sees it.
  const document = JSON.parse(JSON.stringify(openApiDocument())) as Node
  const components = document.components as Record<string, Record<string, Node>>
  const schemas = components.schemas as Schemas
  const paths = document.paths as Record<string, Record<string, unknown>>
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .map(([method, operation]) => ({ path, method, operation: operation as Described })),
  )
  const problems = (value: unknown, name: string, strict = false) =>
    schemaProblems(
      JSON.parse(JSON.stringify(value)),
      { $ref: `#/components/schemas/${name}` },
      {
        schemas,
        strict,
      },
    )
  const resolve = (pointer: string): unknown =>
    pointer
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Node | undefined)?.[key], document)
  return { document, components, schemas, paths, operations, problems, resolve }
}

/** Every node of a document, with its path. */
function* nodes(value: unknown, at = '#'): Generator<[string, Node]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [at, value as Node]
  for (const [key, item] of Object.entries(value)) yield* nodes(item, `${at}/${key}`)
}

describe('the OpenAPI document', () => {
  it('is served as JSON', async () => {
    const answer = await setupHttp().send('GET', '/openapi.json', { key: null })
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(answer.json).toEqual(setup().document)
  })

  it('is of version 3.1 and says who it is', () => {
    expect(setup().document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Landline', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    })
  })

  it('describes exactly the routes that there are', () => {
    const { http: _, services } = setupHttp()
    const streams = createEventStreams(services)
    const routes = apiRoutes(services, streams)
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
      // The parts of the page are no routes of the API.
      .filter((route) => !route.startsWith('GET /docs/'))
    const described = setup().operations.map(
      ({ method, path }) => `${method.toUpperCase()} ${path}`,
    )
    expect(described.toSorted()).toEqual(routes.toSorted())
  })

  it('has only references that lead somewhere', () => {
    const { document, resolve } = setup()
    const refs = [...nodes(document)].flatMap(([at, node]) =>
      typeof node.$ref === 'string' ? [[at, node.$ref] as const] : [],
    )
    expect(refs.length).toBeGreaterThan(100)
    expect(refs.filter(([, ref]) => resolve(ref) === undefined)).toEqual([])
  })

  it('gives every operation an id of its own, a summary, a tag and described answers', () => {
    const { operations, document } = setup()
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = (document.tags as { name: string }[]).map(({ name }) => name)
    for (const { operation } of operations) {
      expect(operation.summary).not.toBe('')
      expect(tags).toContain(operation.tags[0])
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/)
        expect(typeof (response.$ref ?? response.description)).toBe('string')
      }
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true)
    }
  })

  it('declares every parameter of every path, once', () => {
    const { operations, paths } = setup()
    for (const { path, operation } of operations) {
      const shared = (paths[path]?.parameters ?? []) as Node[]
      const all = [...shared, ...(operation.parameters ?? [])]
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(all.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath)
      expect(all.every((one) => one.in !== 'path' || one.required === true)).toBe(true)
      const keys = all.map((one) => `${one.in} ${one.name}`)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })

  it('asks for the key under /api/v1 and nowhere else', () => {
    const { operations, components, document } = setup()
    expect(components.securitySchemes).toEqual({
      ApiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    })
    expect(document.security).toEqual([{ ApiKey: [] }])
    for (const { path, operation } of operations) {
      const keyed = path.startsWith('/api/v1/')
      expect(operation.security).toEqual(keyed ? undefined : [])
      expect('401' in operation.responses).toBe(keyed)
    }
  })

  it('gives examples that are valid by their schemas', () => {
    const { document, schemas } = setup()
    let checked = 0
    for (const [at, node] of nodes(document)) {
      if (at.includes('/schemas/') || typeof node.schema !== 'object') continue
      const examples = Object.values((node.examples ?? {}) as Record<string, { value: unknown }>)
      const values = [
        ...examples.map(({ value }) => value),
        ...('example' in node ? [node.example] : []),
      ]
      for (const value of values) {
        expect([
          at,
          schemaProblems(value, node.schema as Schema, { schemas, strict: true }),
        ]).toEqual([at, []])
        checked++
      }
    }
    expect(checked).toBeGreaterThan(20)
  })

  it('describes every error with its body and the headers of every answer', () => {
    const { components } = setup()
    const errors = Object.values(components.responses ?? {})
    expect(errors).toHaveLength(12)
    for (const error of errors)
      expect(error).toMatchObject({
        headers: { 'X-Request-Id': {}, 'Cache-Control': {} },
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      })
    expect(components.responses?.TooManyRequests).toMatchObject({ headers: { 'Retry-After': {} } })
    expect(components.responses?.MethodNotAllowed).toMatchObject({ headers: { Allow: {} } })
  })
})

describe('the schemas of the document', () => {
  const call: Call = {
    id: ID,
    direction: 'outbound',
    status: 'completed',
    endReason: 'human_hangup',
    sipCode: 200,
    toNumber: '+15551234567',
    fromNumber: '+15559876543',
    instructions: 'Order a pizza.',
    firstMessage: 'Hi.',
    name: 'Joe',
    metadata: { order: '7' },
    maxDurationSeconds: 600,
    callAt: 1774031400000,
    transferTo: '+15557654321',
    language: 'en-GB',
    voice: 'slt',
    resultSchema: { type: 'object' },
    voicemail: { leaveMessage: 'Please call back.' },
    attempt: 1,
    maxAttempts: 1,
    retryDelaySeconds: 300,
    centsPerMinute: 1,
    holdCents: 1,
    summary: 'Ordered.',
    result: { size: 'large' },
    resultError: null,
    costCents: 1,
    durationSeconds: 45,
    createdAt: 1774031400000,
    startedAt: 1774031405000,
    endedAt: 1774031450000,
    heartbeatAt: null,
  }
  const bare: Call = {
    ...call,
    endReason: null,
    sipCode: null,
    firstMessage: null,
    name: null,
    metadata: null,
    callAt: null,
    transferTo: null,
    language: null,
    voice: null,
    resultSchema: null,
    voicemail: null,
    summary: null,
    result: null,
    resultError: 'The call was not answered.',
    startedAt: null,
    endedAt: null,
    status: 'initiated',
  }
  const events: StoredEvent[] = [
    {
      seq: 1,
      type: 'status',
      data: { status: 'initiated', endReason: null, at: '2026-03-20T18:30:00.000Z' },
    },
  ]
  const timing = { turn: 0, speechEnd: 1, finalText: 2, firstToken: null, firstSound: 4, onWire: 5 }
  const transcript = [{ role: 'agent' as const, text: 'Hi.', at: 1 }]

  it.each([
    ['CreatedCall', createdCall({ ...call, status: 'scheduled' }, { retry: true })],
    ['CreatedCall', createdCall(bare, { retry: false })],
    ['ListedCall', listedCall(call)],
    ['ListedCall', listedCall(bare)],
  ])('know every field of a %s', (name, value) => {
    expect(setup().problems(value, name, true)).toEqual([])
  })

  it('know every field of a whole call', () => {
    const { problems } = setup()
    const loose = { ...wholeCall(call, transcript, events, [timing]), events: [] }
    expect(problems(loose, 'Call', true)).toEqual([])
    expect(problems(wholeCall(bare, transcript, events, [timing]), 'Call')).toEqual([])
  })

  it('know every field of a webhook and a delivery', () => {
    const { problems } = setup()
    const webhook: Webhook = {
      id: ID,
      url: 'https://example.com/',
      events: ['*'],
      active: false,
      consecutiveFailures: 10,
      disabledAt: 1774031400000,
      createdAt: 1774031400000,
      secret: 'whsec_x',
      previousSecret: null,
      previousSecretUntil: null,
    }
    const attempt = { at: 1, status: null, durationMs: 5, error: 'refused', responseExcerpt: null }
    const delivery: Delivery = {
      id: ID,
      webhookId: ID,
      event: 'call.completed',
      callId: ID,
      body: '{}',
      state: 'pending',
      attempts: [attempt],
      failures: 1,
      nextAttemptAt: null,
      createdAt: 1774031400000,
    }
    expect(problems(publicWebhook(webhook), 'Webhook', true)).toEqual([])
    expect(problems(publicDelivery(delivery), 'Delivery', true)).toEqual([])
  })

  it('know every field of an own number', () => {
    const { problems } = setup()
    const own = {
      number: '+15559876543',
      instructions: 'Take orders.',
      firstMessage: 'Hello.',
      name: 'Joe',
      metadata: { a: 'b' },
      maxDurationSeconds: 60,
      transferTo: '+15557654321',
      language: 'en-US',
      voice: 'slt',
      resultSchema: null,
      createdAt: 1,
      updatedAt: 2,
    }
    expect(problems(publicNumber(own, 600), 'OwnNumber', true)).toEqual([])
    const bare = {
      ...{ ...own, firstMessage: null, name: null, metadata: null, transferTo: null },
      ...{ language: null, voice: null },
    }
    expect(problems(publicNumber({ ...bare, maxDurationSeconds: null }, 600), 'OwnNumber')).toEqual(
      [],
    )
  })

  it('refuse what the API refuses', () => {
    const { problems } = setup()
    const good = { phoneNumber: '+15551234567', instructions: 'x' }
    expect(problems({ ...good, name: null, callAt: null, metadata: null }, 'NewCall')).toEqual([])
    for (const retry of [null, {}, { maxAttempts: null }, { maxAttempts: 5, delaySeconds: 60 }])
      expect(problems({ ...good, retry }, 'NewCall')).toEqual([])
    for (const wrong of [
      { ...good, phoneNumber: '555' },
      { ...good, instructions: '' },
      { ...good, maxDuration: 9 },
      { ...good, metadata: { a: 1 } },
      { ...good, language: 'not a tag' },
      { ...good, retry: { maxAttempts: 6 } },
      { ...good, retry: { delaySeconds: 59 } },
      { ...good, retry: { attempts: 2 } },
      { instructions: 'x' },
    ])
      expect(problems(wrong, 'NewCall')).toHaveLength(1)
    const number = { instructions: 'x', firstMessage: null, maxDuration: 10 }
    expect(problems(number, 'NumberFields')).toEqual([])
    for (const wrong of [{}, { ...number, phoneNumber: '+15551234567' }, { ...number, name: 5 }])
      expect(problems(wrong, 'NumberFields')).toHaveLength(1)
    expect(problems({}, 'WebhookPatch')).toHaveLength(1)
    expect(problems({ url: 'https://a', events: ['x'] }, 'NewWebhook')).toHaveLength(1)
  })
})
