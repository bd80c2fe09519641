import { MAX_URL_LENGTH } from '../webhooks/address-policy.ts'
import { SUBSCRIPTIONS, type Subscription } from '../webhooks/ports.ts'
import { invalid, json, notFound } from './errors.ts'
import { parseQuery, readCursor, readLimit, renderPage } from './query.ts'
import type { Incoming, Route } from './route.ts'
import type { ApiServices, WebhookPatch } from './services.ts'

export function webhookRoutes({ webhooks }: Pick<ApiServices, 'webhooks'>): Route[] {
  const one = '/api/v1/webhooks/:id'
  const key = { access: 'key', body: 'ignored' } as const
  const find = async ({ params }: Incoming): Promise<void> => {
    const { data } = await webhooks.list()
    if (!data.some((webhook) => 'id' in webhook && webhook.id === params.id))
      throw notFound('webhook')
  }
  const update: Omit<Route, 'method'> = {
    ...key,
    path: one,
    body: 'json',
    find,
    prepare({ body, params: { id = '' } }) {
      const patch = readPatch(body)
      return async () => json(await webhooks.update(id, patch))
    },
  }
  return [
    {
      ...key,
      method: 'GET',
      path: '/api/v1/webhooks',
      prepare: () => async () => json(await webhooks.list()),
    },
    {
      ...key,
      method: 'POST',
      path: '/api/v1/webhooks',
      body: 'json',
      prepare({ body }) {
        const fields = readFields(body, ['url', 'events'])
        const url = readUrl(fields)
        const events = readEvents(fields)
        if (url === undefined)
          throw invalid('url is required: the HTTPS address to send events to.')
        return async () => json(await webhooks.create({ url, events }), 201)
      },
    },
    { ...update, method: 'PATCH' },
    { ...update, method: 'PUT' },
    {
      ...key,
      method: 'DELETE',
      path: one,
      prepare:
        ({ params: { id = '' } }) =>
        async () => {
          await webhooks.remove(id)
          return new Response(null, { status: 204 })
        },
    },
    {
      ...key,
      method: 'POST',
      path: `${one}/test`,
      body: 'empty',
      find,
      prepare: (incoming) => async () => {
        // The receiver may be as slow as webhooks.timeout allows.
        incoming.takeYourTime()
        return json(await webhooks.test(incoming.params.id ?? ''))
      },
    },
    {
      ...key,
      method: 'POST',
      path: `${one}/rotate-secret`,
      body: 'empty',
      find,
      prepare:
        ({ params: { id = '' } }) =>
        async () =>
          json(await webhooks.rotateSecret(id)),
    },
    {
      ...key,
      method: 'GET',
      path: `${one}/deliveries`,
      find,
      prepare({ request, params: { id = '' } }) {
        const query = parseQuery(request.url, ['limit', 'cursor'])
        const page = { limit: readLimit(query), cursor: readCursor(query) }
        return async () => json(renderPage(await webhooks.deliveries(id, page)))
      },
    },
    {
      ...key,
      method: 'POST',
      path: `${one}/deliveries/:deliveryId/redeliver`,
      body: 'empty',
      find,
      prepare:
        ({ params: { id = '', deliveryId = '' } }) =>
        async () =>
          json(await webhooks.redeliver(id, deliveryId), 202),
    },
  ]
}

function readPatch(body: unknown): WebhookPatch {
  const fields = readFields(body, ['url', 'events', 'active'])
  const patch = { url: readUrl(fields), events: readEvents(fields), active: readActive(fields) }
  if (Object.values(patch).every((value) => value === undefined))
    throw invalid('Nothing to change: give at least one of url, events, active.')
  return patch
}

function readFields(body: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('The body must be a JSON object.')
  for (const name of Object.keys(body))
    if (!known.includes(name))
      throw invalid(
        `Unknown field ${JSON.stringify(name.slice(0, 60))}. Known fields: ${known.join(', ')}.`,
      )
  return body as Record<string, unknown>
}

function readUrl(fields: Record<string, unknown>): string | undefined {
  const url = fields.url ?? undefined
  if (url === undefined) return undefined
  if (typeof url !== 'string' || url === '') throw invalid('url must be an HTTPS address.')
  if ([...url].length > MAX_URL_LENGTH)
    throw invalid(`url may have up to ${MAX_URL_LENGTH} characters.`)
  return url
}

function readEvents(fields: Record<string, unknown>): Subscription[] | undefined {
  const events = fields.events ?? undefined
  if (events === undefined) return undefined
  const choices = SUBSCRIPTIONS.join(', ')
  if (!Array.isArray(events) || events.length === 0)
    throw invalid(`events must be a list of at least one of ${choices}.`)
  if (!events.every(isSubscription)) throw invalid(`events may hold ${choices}.`)
  return [...new Set(events)]
}

function readActive(fields: Record<string, unknown>): boolean | undefined {
  const active = fields.active ?? undefined
  if (active !== undefined && typeof active !== 'boolean')
    throw invalid('active must be true or false.')
  return active
}

function isSubscription(value: unknown): value is Subscription {
  return SUBSCRIPTIONS.some((known) => known === value)
}
