/** What the document says of each route, by `METHOD path`. A test holds it to the route table. */
import { CALL_STATUSES } from '../calls/call.ts'
import { DIRECTIONS } from './calls.ts'
import { ref, type Schema } from './openapi-schemas.ts'

/** One answer that is no error. */
interface Answer {
  status: number
  description: string
  /** Media type and shape; left out: no body. */
  content?: { type: string; schema: Schema; example?: unknown }
  headers?: Readonly<Record<string, Schema>>
}

export interface Operation {
  id: string
  tag: 'Account' | 'Calls' | 'Numbers' | 'Webhooks' | 'Health' | 'Description'
  summary: string
  description?: string
  parameters?: readonly Schema[]
  body?: { schema: string; examples: Readonly<Record<string, unknown>> }
  answer: Answer
  /** Answers that are no error either. */
  others?: readonly Answer[]
  /** Further statuses with the body `{ error, code }`, beside those that every route with a key has. */
  errors?: readonly number[]
}

const CALL_ID = '0195b3a0-5c00-7000-8000-000000000001'
const WEBHOOK_ID = '0195b3a0-5c00-7000-8000-000000000002'
const CREATED_AT = '2026-03-20T18:30:00.000Z'

const CREATED_CALL = {
  id: CALL_ID,
  status: 'initiated',
  direction: 'outbound',
  toNumber: '+15551234567',
  fromNumber: '+15559876543',
  instructions: 'Order a large pepperoni pizza for pickup at 7pm.',
  createdAt: CREATED_AT,
}
const WEBHOOK = {
  id: WEBHOOK_ID,
  url: 'https://example.com/hooks/landline',
  events: ['call.completed'],
  active: true,
  consecutiveFailures: 0,
  disabledAt: null,
  createdAt: CREATED_AT,
}

const NUMBER = {
  number: '+15559876543',
  instructions: 'Take orders for pickup, and repeat each order before the call ends.',
  firstMessage: "Joe's Pizza, hello. What can I get for you?",
  name: "Joe's Pizza",
  metadata: null,
  maxDuration: 600,
  transferTo: null,
  createdAt: CREATED_AT,
  updatedAt: CREATED_AT,
}

const TRACE = {
  attempt: 1,
  messages: [
    {
      at: CREATED_AT,
      direction: 'sent',
      trunk: 'main',
      transport: 'UDP',
      remote: '203.0.113.5:5060',
      summary: 'INVITE',
      text: 'INVITE sip:+15551234567@sip.example.com SIP/2.0\r\n…',
      repeated: 0,
    },
  ],
  omitted: 0,
  media: null,
}

const LIMIT = parameter('limit', 'How many, newest first.', {
  type: 'integer',
  minimum: 1,
  maximum: 100,
  default: 20,
})
const CURSOR = parameter('cursor', 'The nextCursor of a former page.', { type: 'string' })
const IDEMPOTENCY_KEY = {
  ...parameter(
    'Idempotency-Key',
    'Kept for 24 hours: the same key and body give the same answer.',
    {
      type: 'string',
      minLength: 1,
      maxLength: 255,
    },
  ),
  in: 'header',
}
const LAST_EVENT_ID = {
  ...parameter('Last-Event-ID', 'Goes on after this event.', { type: 'integer', minimum: 0 }),
  in: 'header',
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /api/v1/me': {
    id: 'getMe',
    tag: 'Account',
    summary: 'Who the key belongs to, the default caller and the balance in cents',
    answer: ok('Account', {
      id: '0195b3a0-5c00-7000-8000-000000000000',
      name: 'Jane',
      phoneNumber: '+15559876543',
      balance: 450,
    }),
  },
  'POST /api/v1/calls': {
    id: 'createCall',
    tag: 'Calls',
    summary: 'Call somebody now or later',
    description:
      'The call is dialled at once, or at `callAt`. When it has ended, `call.completed` goes to your webhooks.',
    parameters: [IDEMPOTENCY_KEY],
    body: {
      schema: 'NewCall',
      examples: {
        now: {
          phoneNumber: '+15551234567',
          instructions: "Call Joe's Pizza and order a large pepperoni for pickup at 7pm.",
          firstMessage: "Hi, I'd like to place an order for pickup please.",
        },
        later: {
          phoneNumber: '+15551234567',
          instructions: 'Remind Jane of her appointment tomorrow at nine.',
          callAt: '2026-03-21T14:00:00Z',
          metadata: { appointment: '4711' },
        },
      },
    },
    answer: {
      status: 201,
      description: 'The call is accepted.',
      content: {
        type: 'application/json',
        schema: ref('CreatedCall'),
        example: CREATED_CALL,
      },
      headers: {
        'Idempotent-Replayed': {
          description: '`true` when this is the kept answer to the same Idempotency-Key.',
          schema: { type: 'string', enum: ['true'] },
        },
      },
    },
    errors: [402, 409, 503],
  },
  'GET /api/v1/calls': {
    id: 'listCalls',
    tag: 'Calls',
    summary: 'Calls, newest first, without transcript and events',
    parameters: [
      LIMIT,
      CURSOR,
      parameter('status', 'Only calls that have this status now.', { enum: CALL_STATUSES }),
      parameter('direction', 'Only calls of this direction.', { enum: DIRECTIONS }),
      parameter('toNumber', 'Only calls to this number.', { type: 'string' }),
      parameter('createdAfter', 'Only calls made after this.', {
        type: 'string',
        format: 'date-time',
      }),
      parameter('createdBefore', 'Only calls made before this.', {
        type: 'string',
        format: 'date-time',
      }),
    ],
    answer: ok('CallPage', { data: [], nextCursor: null }),
  },
  'GET /api/v1/calls/:id': {
    id: 'getCall',
    tag: 'Calls',
    summary: 'The whole call: status, transcript, summary, cost, events and timings',
    answer: ok('Call'),
    errors: [404],
  },
  'GET /api/v1/calls/:id/trace': {
    id: 'traceCall',
    tag: 'Calls',
    summary: 'What passed on the wire: the SIP ladder and the figures of the sound',
    description:
      'An entry for each attempt; none before anything was sent. Credentials, nonces and keys are blanked, numbers are not.',
    answer: ok('CallTrace', { data: [TRACE] }),
    errors: [404],
  },
  'POST /api/v1/calls/:id/cancel': {
    id: 'cancelCall',
    tag: 'Calls',
    summary: 'Cancel a scheduled call, or hang up an active one',
    answer: ok('Call', undefined, 'The call as it is now.'),
    errors: [404, 409],
  },
  'GET /api/v1/calls/:id/events': {
    id: 'watchCall',
    tag: 'Calls',
    summary: 'The call as it happens, as Server-Sent Events',
    description:
      'Events are `status`, `transcript`, `tool` and `end`, with ids that count from 1. A `status` that is final has a `reason` in words, or null; one that is `scheduled` again has the `attempt` and `callAt` that come next, and the `reason`. The stream begins with all that was and closes after `end`.',
    parameters: [LAST_EVENT_ID],
    answer: {
      status: 200,
      description: 'The stream.',
      content: {
        type: 'text/event-stream',
        schema: { type: 'string' },
        example: `id: 1\nevent: status\ndata: {"status":"initiated","endReason":null,"at":"${CREATED_AT}"}\n\n`,
      },
    },
    others: [{ status: 204, description: 'The call has ended, and Last-Event-ID is its last.' }],
    errors: [404],
  },
  'GET /api/v1/numbers': {
    id: 'listNumbers',
    tag: 'Numbers',
    summary: 'How calls to your own numbers are answered',
    answer: ok('OwnNumberList', { data: [NUMBER] }),
  },
  'GET /api/v1/numbers/:number': {
    id: 'getNumber',
    tag: 'Numbers',
    summary: 'How calls to one of your own numbers are answered',
    answer: ok('OwnNumber', NUMBER),
    errors: [400, 404],
  },
  'PUT /api/v1/numbers/:number': {
    id: 'putNumber',
    tag: 'Numbers',
    summary: 'Answer calls to one of your own numbers, from the next call on',
    description:
      'Creates or replaces the whole resource, 200 either way; what is left out is as if it never was given. Such a call has `direction: "inbound"`; it holds a line and a minute of the balance like an outbound one and costs what a call to its caller would. 404 for a number that no trunk lists.',
    body: {
      schema: 'NumberFields',
      examples: {
        pizza: {
          instructions: NUMBER.instructions,
          firstMessage: NUMBER.firstMessage,
          name: NUMBER.name,
        },
      },
    },
    answer: ok('OwnNumber', NUMBER),
    errors: [404],
  },
  'DELETE /api/v1/numbers/:number': {
    id: 'deleteNumber',
    tag: 'Numbers',
    summary: 'Answer no more calls to a number; those that are on go on',
    answer: { status: 204, description: 'Calls to it are refused (SIP 404).' },
    errors: [400, 404],
  },
  'GET /api/v1/webhooks': {
    id: 'listWebhooks',
    tag: 'Webhooks',
    summary: 'Your webhooks, without their secrets',
    answer: ok('WebhookList', { data: [WEBHOOK] }),
  },
  'POST /api/v1/webhooks': {
    id: 'createWebhook',
    tag: 'Webhooks',
    summary: 'Create a webhook; the answer is the only one that shows its secret',
    body: {
      schema: 'NewWebhook',
      examples: { completed: { url: WEBHOOK.url, events: WEBHOOK.events } },
    },
    answer: {
      ...ok('WebhookWithSecret', { ...WEBHOOK, secret: `whsec_${'A'.repeat(43)}=` }),
      status: 201,
    },
  },
  'PATCH /api/v1/webhooks/:id': webhookUpdate(
    'updateWebhook',
    'Change a webhook, or enable it again',
  ),
  'PUT /api/v1/webhooks/:id': webhookUpdate('replaceWebhook', 'The same as PATCH'),
  'DELETE /api/v1/webhooks/:id': {
    id: 'deleteWebhook',
    tag: 'Webhooks',
    summary: 'Delete a webhook and what was pending for it',
    answer: { status: 204, description: 'It is gone.' },
    errors: [404],
  },
  'POST /api/v1/webhooks/:id/test': {
    id: 'testWebhook',
    tag: 'Webhooks',
    summary: 'Send one signed sample now and say how it went',
    answer: ok('WebhookTest', { delivered: true, status: 200, durationMs: 84 }),
    errors: [404],
  },
  'POST /api/v1/webhooks/:id/rotate-secret': {
    id: 'rotateWebhookSecret',
    tag: 'Webhooks',
    summary: 'Make a new secret; the old one signs beside it for 24 hours',
    answer: ok('WebhookWithSecret', { ...WEBHOOK, secret: `whsec_${'B'.repeat(43)}=` }),
    errors: [404],
  },
  'GET /api/v1/webhooks/:id/deliveries': {
    id: 'listDeliveries',
    tag: 'Webhooks',
    summary: 'What was sent to a webhook and how it was received, newest first',
    parameters: [LIMIT, CURSOR],
    answer: ok('DeliveryPage', { data: [], nextCursor: null }),
    errors: [404],
  },
  'POST /api/v1/webhooks/:id/deliveries/:deliveryId/redeliver': {
    id: 'redeliver',
    tag: 'Webhooks',
    summary: 'Send a delivery again under the same id',
    answer: { ...ok('Delivery', undefined, 'It is on its way.'), status: 202 },
    errors: [404],
  },
  'GET /healthz': {
    id: 'getHealth',
    tag: 'Health',
    summary: 'The process lives',
    answer: ok('Health', { status: 'ok' }),
  },
  'GET /readyz': {
    id: 'getReadiness',
    tag: 'Health',
    summary: 'Whether a call could be made now, part by part; 503 when not',
    answer: ok('Readiness', { status: 'ready', probes: [{ name: 'database', state: 'ready' }] }),
  },
  'GET /metrics': {
    id: 'getMetrics',
    tag: 'Health',
    summary: 'Metrics for Prometheus',
    answer: textAnswer('text/plain', 'The Prometheus text format.'),
  },
  'GET /openapi.json': {
    id: 'getDescription',
    tag: 'Description',
    summary: 'This document',
    answer: {
      status: 200,
      description: 'An OpenAPI 3.1 document.',
      content: { type: 'application/json', schema: { type: 'object' } },
    },
  },
  'GET /docs': {
    id: 'getDocs',
    tag: 'Description',
    summary: 'This document to read and try in a browser',
    answer: textAnswer('text/html', 'A page that loads nothing from any other host.'),
  },
}

function webhookUpdate(id: string, summary: string): Operation {
  return {
    id,
    tag: 'Webhooks',
    summary,
    description:
      '`active: true` enables a disabled webhook again, clears its count of failures and sends what waited.',
    body: {
      schema: 'WebhookPatch',
      examples: { enable: { active: true }, move: { url: 'https://example.com/hooks/new' } },
    },
    answer: ok('Webhook', WEBHOOK),
    errors: [404],
  }
}

function ok(name: string, example?: unknown, description = 'Done.'): Answer {
  const content = { type: 'application/json', schema: ref(name) }
  return {
    status: 200,
    description,
    content: example === undefined ? content : { ...content, example },
  }
}

function textAnswer(type: string, description: string): Answer {
  return { status: 200, description, content: { type, schema: { type: 'string' } } }
}

function parameter(name: string, description: string, schema: Schema): Schema {
  return { name, in: 'query', required: false, description, schema }
}
