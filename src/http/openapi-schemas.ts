/** The shapes of the API as JSON Schema (draft 2020-12), as `calls/public-call.ts` and `webhooks/public-webhook.ts` render them. */

import { CALL_STATUSES } from '../calls/call.ts'
import { SUBSCRIPTIONS } from '../webhooks/ports.ts'
import { DIRECTIONS } from './calls.ts'
import { attemptTrace } from './openapi-trace.ts'

export type Schema = Readonly<Record<string, unknown>>

const NIL_CALL = '0195b3a0-5c00-7000-8000-000000000001'
const text = { type: 'string' }
const count = { type: 'integer', minimum: 0 }
const time = { type: 'string', format: 'date-time', examples: ['2026-03-20T18:30:00.000Z'] }
const id = { type: 'string', format: 'uuid', examples: [NIL_CALL] }
const e164 = { type: 'string', pattern: '^\\+[1-9]\\d{6,14}$', examples: ['+15551234567'] }

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

function orNull(schema: Schema): Schema {
  const { type } = schema
  return typeof type === 'string'
    ? { ...schema, type: [type, 'null'] }
    : { anyOf: [schema, { type: 'null' }] }
}

/** An object in which every key is present, but those named in `optional`. */
function object(properties: Record<string, Schema>, optional: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  }
}

function closed(properties: Record<string, Schema>, required: readonly string[]): Schema {
  return { type: 'object', properties, required, additionalProperties: false }
}

const voicemail = {
  anyOf: [
    { type: 'string', enum: ['hangup', 'continue'] },
    {
      type: 'object',
      properties: {
        leaveMessage: {
          type: 'string',
          minLength: 1,
          maxLength: 1000,
          description: 'Spoken after the beep; then the call ends.',
        },
      },
      required: ['leaveMessage'],
      additionalProperties: false,
    },
  ],
}

const metadata = {
  type: 'object',
  additionalProperties: text,
  maxProperties: 20,
  description: 'Up to 4 KiB as JSON; comes back in the call and in every webhook.',
}
const endReason = {
  type: ['string', 'null'],
  description: 'What ended the call, where the status alone does not say it.',
  enum: [
    'agent_hangup',
    'human_hangup',
    'voicemail',
    'max_duration',
    'silence',
    'out_of_balance',
    'transferred',
    'engine_error',
    'canceled',
    'shutdown',
    'rtp_timeout',
    'rejected',
    'trunk_error',
    'interrupted',
    'missed',
    null,
  ],
}
const status = { type: 'string', enum: CALL_STATUSES }
const direction = { type: 'string', enum: DIRECTIONS }

const newCall = closed(
  {
    phoneNumber: { ...e164, description: 'The number to call, in E.164 form.' },
    instructions: {
      type: 'string',
      minLength: 1,
      maxLength: 5000,
      description: 'What the agent should accomplish on the call.',
    },
    firstMessage: {
      type: ['string', 'null'],
      maxLength: 1000,
      description: 'The first thing the agent says when the call is answered.',
    },
    callAt: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When to call, up to a year ahead, with Z or an offset. Left out: now.',
      examples: ['2026-03-21T14:00:00Z'],
    },
    name: {
      type: ['string', 'null'],
      maxLength: 200,
      description: 'The person or business being called.',
    },
    metadata: { ...metadata, type: ['object', 'null'] },
    maxDuration: {
      type: ['integer', 'null'],
      minimum: 10,
      maximum: 7200,
      description: 'Seconds after which the call is ended. Left out: 600.',
    },
    fromNumber: orNull({
      ...e164,
      description: "One of the trunks' numbers. Left out: the first.",
    }),
    transferTo: orNull({
      ...e164,
      description:
        'Whom the agent may hand the person over to, by a blind transfer (SIP REFER); the dial policy holds for it too.',
    }),
    voicemail: {
      anyOf: [...voicemail.anyOf, { type: 'null' }],
      description: 'What happens when a voicemail answers. Left out: hangup.',
    },
    retry: {
      ...closed(
        {
          maxAttempts: { type: ['integer', 'null'], minimum: 1, maximum: 5, default: 1 },
          delaySeconds: { type: ['integer', 'null'], minimum: 60, maximum: 86_400, default: 300 },
        },
        [],
      ),
      type: ['object', 'null'],
      description:
        'Busy, no answer and a failed trunk are tried again. Between attempts the call is scheduled, with callAt of the next one.',
    },
  },
  ['phoneNumber', 'instructions'],
)

const retry = object({
  maxAttempts: { type: 'integer', minimum: 1, maximum: 5 },
  delaySeconds: { type: 'integer', minimum: 60, maximum: 86_400 },
})
const numberFields: Record<string, Schema> = {
  ...fieldsOf(newCall, ['instructions', 'firstMessage', 'metadata', 'maxDuration', 'transferTo']),
  name: {
    type: ['string', 'null'],
    maxLength: 200,
    description: 'Whose number it is: the person or business that is called.',
  },
}

function fieldsOf(schema: Schema, names: readonly string[]): Record<string, Schema> {
  const properties = schema.properties as Record<string, Schema>
  return Object.fromEntries(names.map((name) => [name, properties[name] ?? {}]))
}

const ownNumber: Record<string, Schema> = {
  number: e164,
  instructions: text,
  firstMessage: orNull(text),
  name: orNull(text),
  metadata: orNull(metadata),
  maxDuration: { type: 'integer' },
  transferTo: orNull(e164),
  createdAt: time,
  updatedAt: time,
}

const createdCall = object(
  {
    id,
    status: { type: 'string', enum: ['initiated', 'scheduled'] },
    direction,
    toNumber: e164,
    fromNumber: text,
    instructions: text,
    name: text,
    firstMessage: text,
    callAt: time,
    metadata,
    transferTo: e164,
    voicemail,
    retry,
    createdAt: time,
  },
  ['name', 'firstMessage', 'callAt', 'metadata', 'transferTo', 'voicemail', 'retry'],
)

const listed: Record<string, Schema> = {
  id,
  direction,
  status,
  endReason,
  sipCode: {
    type: ['integer', 'null'],
    description: 'The final SIP response, where there was one.',
  },
  name: orNull(text),
  toNumber: e164,
  fromNumber: {
    ...text,
    description:
      'E.164; of an inbound call as the trunk writes it where that is no such number, or `anonymous`.',
  },
  instructions: text,
  firstMessage: orNull(text),
  callAt: orNull(time),
  metadata: orNull(metadata),
  maxDuration: orNull({ type: 'integer' }),
  transferTo: orNull(e164),
  voicemail,
  summary: orNull(text),
  cost: { ...count, description: 'Cents.' },
  duration: { ...count, description: 'Seconds from the answer to the end.' },
  attempt: {
    type: 'integer',
    minimum: 1,
    description: 'The attempt that runs, ran last or, while the call is scheduled, comes next.',
  },
  retry,
  result: {},
  startedAt: { ...orNull(time), description: 'The answer; null if there was none.' },
  endedAt: orNull(time),
  createdAt: time,
}

const transcript = { type: 'array', items: ref('Turn') }

const wholeCall: Record<string, Schema> = {
  ...listed,
  transcript,
  events: { type: 'array', items: ref('CallEvent') },
  timings: { type: 'array', items: ref('TurnTiming') },
}

const webhook: Record<string, Schema> = {
  id,
  url: { type: 'string', format: 'uri', examples: ['https://example.com/hooks/landline'] },
  events: { type: 'array', items: { type: 'string', enum: SUBSCRIPTIONS } },
  active: { type: 'boolean' },
  consecutiveFailures: count,
  disabledAt: {
    ...orNull(time),
    description: 'When failures disabled it; null also when it was switched off by hand.',
  },
  createdAt: time,
}

const webhookFields: Record<string, Schema> = {
  url: {
    type: ['string', 'null'],
    format: 'uri',
    maxLength: 2048,
    description:
      'https:, without user-info and fragment; see webhooks.allowed_hosts for your own network.',
  },
  events: {
    type: ['array', 'null'],
    items: { type: 'string', enum: SUBSCRIPTIONS },
    minItems: 1,
    description: 'Left out at creation: ["call.completed"].',
  },
}

function page(item: string): Schema {
  return object({
    data: { type: 'array', items: ref(item) },
    nextCursor: { type: ['string', 'null'], description: 'For `cursor`; null on the last page.' },
  })
}

const probe = object(
  {
    name: text,
    state: { type: 'string', enum: ['ready', 'away', 'missing'] },
    reason: text,
    mend: { ...text, description: 'The command or setting that mends it.' },
  },
  ['reason', 'mend'],
)

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object({
    error: { ...text, description: 'One sentence that says what to do.' },
    code: { ...text, description: 'The same in snake_case, for programs.' },
  }),
  Account: object({
    id: text,
    name: text,
    phoneNumber: { ...orNull(text), description: 'The default caller; null without a trunk.' },
    balance: { type: 'integer', description: 'Cents.' },
  }),
  NewCall: newCall,
  CreatedCall: createdCall,
  ListedCall: object(listed),
  Call: object(wholeCall),
  CallPage: page('ListedCall'),
  Turn: object({ role: { type: 'string', enum: ['agent', 'human'] }, text }),
  CallEvent: {
    type: 'object',
    properties: { type: { type: 'string', enum: ['status', 'transcript', 'tool'] }, at: time },
    required: ['type', 'at'],
    description: 'What the event stream told, with its type.',
  },
  TurnTiming: object({
    turn: { ...count, description: "The agent's turn in the transcript." },
    speechEnd: time,
    finalText: orNull(time),
    firstToken: orNull(time),
    firstSound: orNull(time),
    onWire: orNull(time),
  }),
  PhoneNumber: e164,
  NumberFields: closed(numberFields, ['instructions']),
  OwnNumber: object(ownNumber),
  OwnNumberList: object({ data: { type: 'array', items: ref('OwnNumber') } }),
  CallTrace: object({ data: { type: 'array', items: ref('AttemptTrace') } }),
  AttemptTrace: attemptTrace,
  Webhook: object(webhook),
  WebhookWithSecret: object({
    ...webhook,
    secret: {
      ...text,
      description: 'Signs the deliveries. Shown this once.',
      examples: ['whsec_…'],
    },
  }),
  WebhookList: object({ data: { type: 'array', items: ref('Webhook') } }),
  NewWebhook: closed({ ...webhookFields, url: { ...webhookFields.url, type: 'string' } }, ['url']),
  WebhookPatch: {
    ...closed({ ...webhookFields, active: { type: ['boolean', 'null'] } }, []),
    minProperties: 1,
  },
  WebhookTest: object(
    {
      delivered: { type: 'boolean' },
      status: { type: ['integer', 'null'] },
      durationMs: count,
      error: text,
    },
    ['error'],
  ),
  Delivery: object({
    id,
    event: text,
    callId: orNull(id),
    state: { type: 'string', enum: ['pending', 'delivered', 'waiting', 'failed'] },
    attempts: {
      type: 'array',
      items: object({
        at: time,
        status: { type: ['integer', 'null'] },
        durationMs: count,
        error: orNull(text),
        responseExcerpt: orNull(text),
      }),
    },
    nextAttemptAt: orNull(time),
  }),
  DeliveryPage: page('Delivery'),
  Health: object({ status: { type: 'string', const: 'ok' } }),
  Readiness: object(
    {
      status: { type: 'string', enum: ['ready', 'not_ready'] },
      probes: { type: 'array', items: probe },
      error: text,
      code: text,
    },
    ['error', 'code'],
  ),
}
