import { CALL_STATUSES } from '../calls/call.ts'
import { parseCallRequest } from '../calls/call-request.ts'
import type { CallFilter, IdempotencyRecord } from '../calls/call-store.ts'
import { sha256 } from '../core/ids.ts'
import { isPhoneNumber } from '../core/phone-number.ts'
import { type EventStreams, lastEventId } from './call-events.ts'
import { invalid, json, jsonText, notFound } from './errors.ts'
import { canonicalJson } from './json-body.ts'
import {
  parseQuery,
  type Query,
  readChoice,
  readCursor,
  readLimit,
  readTime,
  renderPage,
} from './query.ts'
import type { Incoming, Route } from './route.ts'
import type { ApiServices } from './services.ts'

export const DIRECTIONS = ['outbound', 'inbound'] as const
const LIST_PARAMETERS = [
  'limit',
  'cursor',
  'status',
  'direction',
  'toNumber',
  'createdAfter',
  'createdBefore',
]

export function callRoutes(d: {
  services: Pick<ApiServices, 'calls' | 'clock'>
  streams: EventStreams
}): Route[] {
  const { calls, clock } = d.services
  const key = { access: 'key', body: 'ignored' } as const
  return [
    {
      ...key,
      method: 'POST',
      path: '/api/v1/calls',
      body: 'json',
      limitsItself: true,
      prepare(incoming) {
        const call = parseCallRequest(incoming.body, { ...calls.rules(), now: clock.now() })
        const idempotency = readIdempotency(incoming)
        return async ({ overRate }) => {
          const { body, replayed } = await calls.create(call, {
            keyId: incoming.keyId,
            idempotency,
            overRate,
          })
          const response = jsonText(body, 201)
          if (replayed) response.headers.set('idempotent-replayed', 'true')
          return response
        }
      },
    },
    {
      ...key,
      method: 'GET',
      path: '/api/v1/calls',
      prepare({ request }) {
        const filter = readFilter(parseQuery(request.url, LIST_PARAMETERS))
        return async () => json(renderPage(await calls.list(filter)))
      },
    },
    {
      ...key,
      method: 'GET',
      path: '/api/v1/calls/:id',
      prepare:
        ({ params: { id = '' } }) =>
        async () =>
          json(found(await calls.get(id))),
    },
    {
      ...key,
      method: 'GET',
      path: '/api/v1/calls/:id/trace',
      prepare:
        ({ params: { id = '' } }) =>
        async () =>
          json(found(await calls.trace(id))),
    },
    {
      ...key,
      method: 'POST',
      path: '/api/v1/calls/:id/cancel',
      body: 'empty',
      async find({ params: { id = '' } }) {
        found(await calls.get(id))
      },
      prepare:
        ({ params: { id = '' } }) =>
        async () =>
          json(await calls.cancel(id)),
    },
    {
      ...key,
      method: 'GET',
      path: '/api/v1/calls/:id/events',
      prepare({ request, params: { id = '' } }) {
        const after = lastEventId(request)
        return async () => {
          const watching = new AbortController()
          const events = found(await calls.events(id, after, watching.signal))
          // HTML standard §9.2.3: on 204 an EventSource does not come again; after an empty stream it would.
          if (events === 'over') return new Response(null, { status: 204 })
          return d.streams.respond(events, { watching, bodyless: request.method === 'HEAD' })
        }
      },
    },
  ]
}

function found<T>(call: T | null): T {
  if (call === null) throw notFound('call')
  return call
}

function readIdempotency({ request, body, keyId }: Incoming): IdempotencyRecord | null {
  const key = request.headers.get('idempotency-key')
  if (key === null) return null
  if (!/^[\x20-\x7e]{1,255}$/.test(key))
    throw invalid('Idempotency-Key must be 1 to 255 printable ASCII characters.')
  return { keyId, key, bodyHash: sha256(canonicalJson(body)) }
}

function readFilter(query: Query): CallFilter {
  const filter: CallFilter = { limit: readLimit(query), cursor: readCursor(query) }
  const status = readChoice(query, 'status', CALL_STATUSES)
  const direction = readChoice(query, 'direction', DIRECTIONS)
  const toNumber = query.get('toNumber')
  const createdAfter = readTime(query, 'createdAfter')
  const createdBefore = readTime(query, 'createdBefore')
  if (toNumber !== undefined && !isPhoneNumber(toNumber))
    throw invalid('toNumber must be a number in E.164 form, for example +15551234567.')
  return {
    ...filter,
    ...(status === undefined ? {} : { status }),
    ...(direction === undefined ? {} : { direction }),
    ...(toNumber === undefined ? {} : { toNumber }),
    ...(createdAfter === undefined ? {} : { createdAfter }),
    ...(createdBefore === undefined ? {} : { createdBefore }),
  }
}
