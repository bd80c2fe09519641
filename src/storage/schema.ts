/**
 * The tables. Portable column types only: text, integers (ms since the epoch, cents, counts) and JSON as text;
 * ids are UUIDv7 text made by the application. A change here needs a new migration (see README.md).
 */
import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { LedgerEntry } from '../billing/ports.ts'
import type { Call, CallStatus, EndReason, Turn, Voicemail } from '../calls/call.ts'
import type { StoredEvent } from '../calls/call-store.ts'
import type { SipState } from '../calls/ports.ts'
import type { DeliveryState, Subscription } from '../webhooks/ports.ts'

export const account = sqliteTable('account', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: integer('created_at').notNull(),
})

export const apiKey = sqliteTable(
  'api_key',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    hash: text('hash').notNull(),
    createdAt: integer('created_at').notNull(),
    revokedAt: integer('revoked_at'),
  },
  (t) => [uniqueIndex('api_key_hash').on(t.hash)],
)

export const call = sqliteTable(
  'call',
  {
    id: text('id').primaryKey(),
    direction: text('direction').$type<Call['direction']>().notNull(),
    status: text('status').$type<CallStatus>().notNull(),
    endReason: text('end_reason').$type<EndReason>(),
    sipCode: integer('sip_code'),
    toNumber: text('to_number').notNull(),
    fromNumber: text('from_number').notNull(),
    instructions: text('instructions').notNull(),
    firstMessage: text('first_message'),
    name: text('name'),
    metadata: text('metadata', { mode: 'json' }).$type<Record<string, string>>(),
    maxDurationSeconds: integer('max_duration_seconds').notNull(),
    callAt: integer('call_at'),
    transferTo: text('transfer_to'),
    maxAttempts: integer('max_attempts').notNull().default(1),
    retryDelaySeconds: integer('retry_delay_seconds').notNull().default(300),
    language: text('language'),
    voice: text('voice'),
    voicemail: text('voicemail', { mode: 'json' }).$type<Voicemail>(),
    resultSchema: text('result_schema', { mode: 'json' }).$type<Record<string, unknown>>(),
    result: text('result', { mode: 'json' }).$type<unknown>(),
    resultError: text('result_error'),
    attempt: integer('attempt').notNull(),
    centsPerMinute: integer('cents_per_minute').notNull(),
    holdCents: integer('hold_cents').notNull(),
    summary: text('summary'),
    costCents: integer('cost_cents').notNull(),
    durationSeconds: integer('duration_seconds').notNull(),
    createdAt: integer('created_at').notNull(),
    startedAt: integer('started_at'),
    endedAt: integer('ended_at'),
    heartbeatAt: integer('heartbeat_at'),
    /**
     * What a crash needs to end what was begun: set from the first INVITE to the end, and after an interruption until
     * the other side has been told.
     */
    sipState: text('sip_state', { mode: 'json' }).$type<SipState>(),
  },
  (t) => [
    // The database itself refuses a second active call to one number; several may come in to one of ours.
    uniqueIndex('call_active')
      .on(t.toNumber)
      .where(sql`direction = 'outbound' and status in ('initiated', 'ringing', 'in_progress')`),
    index('call_newest').on(t.createdAt, t.id),
    index('call_by_status').on(t.status, t.createdAt, t.id),
    index('call_by_number').on(t.toNumber, t.createdAt, t.id),
    index('call_to_end').on(t.endedAt).where(sql`sip_state is not null`),
  ],
)

export const callEvent = sqliteTable(
  'call_event',
  {
    callId: text('call_id')
      .notNull()
      .references(() => call.id),
    seq: integer('seq').notNull(),
    type: text('type').$type<StoredEvent['type']>().notNull(),
    data: text('data', { mode: 'json' }).$type<StoredEvent['data']>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.callId, t.seq] })],
)

/** What happened on the wire in one attempt of a call: the SIP ladder, and how the sound fared. */
export const callTrace = sqliteTable(
  'call_trace',
  {
    callId: text('call_id')
      .notNull()
      .references(() => call.id),
    attempt: integer('attempt').notNull(),
    trace: text('trace', { mode: 'json' }).$type<unknown>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.callId, t.attempt] })],
)

/** How calls to one of our own numbers are answered. */
export const number = sqliteTable('number', {
  number: text('number').primaryKey(),
  /** The fields of a call that it gives to those who call it. */
  fields: text('fields', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const turn = sqliteTable(
  'turn',
  {
    callId: text('call_id')
      .notNull()
      .references(() => call.id),
    /** Its index in the transcript, from 0. */
    turn: integer('turn').notNull(),
    role: text('role').$type<Turn['role']>().notNull(),
    text: text('text').notNull(),
    at: integer('at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.callId, t.turn] })],
)

export const turnTiming = sqliteTable(
  'turn_timing',
  {
    callId: text('call_id')
      .notNull()
      .references(() => call.id),
    turn: integer('turn').notNull(),
    speechEnd: integer('speech_end').notNull(),
    finalText: integer('final_text'),
    firstToken: integer('first_token'),
    firstSound: integer('first_sound'),
    onWire: integer('on_wire'),
  },
  (t) => [primaryKey({ columns: [t.callId, t.turn] })],
)

export const idempotency = sqliteTable(
  'idempotency',
  {
    keyId: text('key_id').notNull(),
    key: text('key').notNull(),
    bodyHash: text('body_hash').notNull(),
    response: text('response').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.keyId, t.key] }), index('idempotency_age').on(t.createdAt)],
)

export const ledgerEntry = sqliteTable(
  'ledger_entry',
  {
    id: text('id').primaryKey(),
    accountId: text('account_id')
      .notNull()
      .references(() => account.id),
    /** Counts from 1 within an account. */
    seq: integer('seq').notNull(),
    amountCents: integer('amount_cents').notNull(),
    /** The sum of this and all earlier entries, so that the balance is one look-up. */
    balanceCents: integer('balance_cents').notNull(),
    kind: text('kind').$type<LedgerEntry['kind']>().notNull(),
    callId: text('call_id').references(() => call.id),
    at: integer('at').notNull(),
  },
  (t) => [
    uniqueIndex('ledger_entry_seq').on(t.accountId, t.seq),
    // A call is charged once.
    uniqueIndex('ledger_entry_call').on(t.callId).where(sql`kind = 'call'`),
  ],
)

export const webhook = sqliteTable('webhook', {
  id: text('id').primaryKey(),
  url: text('url').notNull(),
  events: text('events', { mode: 'json' }).$type<Subscription[]>().notNull(),
  active: integer('active', { mode: 'boolean' }).notNull(),
  consecutiveFailures: integer('consecutive_failures').notNull(),
  disabledAt: integer('disabled_at'),
  createdAt: integer('created_at').notNull(),
  /** Sealed (secrets.ts). */
  secret: text('secret').notNull(),
  /** Sealed (secrets.ts). */
  previousSecret: text('previous_secret'),
  previousSecretUntil: integer('previous_secret_until'),
})

export const delivery = sqliteTable(
  'delivery',
  {
    id: text('id').primaryKey(),
    webhookId: text('webhook_id')
      .notNull()
      .references(() => webhook.id),
    event: text('event').notNull(),
    callId: text('call_id').references(() => call.id),
    body: text('body').notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    failures: integer('failures').notNull(),
    nextAttemptAt: integer('next_attempt_at'),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [
    index('delivery_newest').on(t.webhookId, t.createdAt, t.id),
    index('delivery_open')
      .on(t.webhookId, t.state, t.createdAt, t.id)
      .where(sql`state in ('pending', 'waiting')`),
  ],
)

export const attempt = sqliteTable(
  'attempt',
  {
    deliveryId: text('delivery_id')
      .notNull()
      .references(() => delivery.id),
    seq: integer('seq').notNull(),
    at: integer('at').notNull(),
    status: integer('status'),
    durationMs: integer('duration_ms').notNull(),
    error: text('error'),
    responseExcerpt: text('response_excerpt'),
  },
  (t) => [primaryKey({ columns: [t.deliveryId, t.seq] })],
)

export const job = sqliteTable(
  'job',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    lane: text('lane'),
    runAt: integer('run_at').notNull(),
    state: text('state').$type<'ready' | 'leased'>().notNull(),
    attempt: integer('attempt').notNull(),
    fence: integer('fence').notNull(),
    leaseOwner: text('lease_owner'),
    leaseUntil: integer('lease_until'),
  },
  (t) => [
    uniqueIndex('job_key').on(t.kind, t.key),
    index('job_ready').on(t.lane, t.runAt, t.id).where(sql`state = 'ready'`),
    index('job_running').on(t.lane).where(sql`state = 'leased'`),
    index('job_lease').on(t.leaseUntil).where(sql`state = 'leased'`),
  ],
)

export const lane = sqliteTable('lane', {
  name: text('name').primaryKey(),
  /** How many of its jobs run at once; null: as many as come. */
  capacity: integer('capacity'),
  openAt: integer('open_at').notNull(),
  paceMs: integer('pace_ms').notNull(),
  lastStartAt: integer('last_start_at'),
  /** The job that started then: it gives its start back when it begins nothing. */
  lastStartJob: text('last_start_job'),
})

/** What the storage itself has to remember, e.g. the check of the secret key. */
export const setting = sqliteTable('setting', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
})
