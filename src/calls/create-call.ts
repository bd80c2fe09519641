import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Call } from './call.ts'
import type { CallRequest } from './call-request.ts'
import type { CallStore, CreateRefusal, IdempotencyRecord } from './call-store.ts'
import type { Readiness, ResultSchemas } from './ports.ts'
import { createdCall } from './public-call.ts'
import { refuseBadSchema } from './result-schema.ts'
import { DEFAULT_RETRY_DELAY_SECONDS } from './retry-request.ts'

export interface CreateCallDeps {
  clock: Clock
  ids: Ids
  calls: CallStore
  readiness: Readiness
  schemas: ResultSchemas
  /** Cents per minute for a number. */
  rateFor(number: string): number
  options: { billingEnabled: boolean; maxQueued: number; defaultMaxDurationSeconds: number }
  /** False once the appliance is going down. */
  accepting(): boolean
  /** Told after a call was written, so that an immediate one starts at once. */
  onCreated(): void
}

export interface CreatedCall {
  /** The JSON of the 201. */
  body: string
  /** It is the kept answer to the same Idempotency-Key; nothing was written. */
  replayed: boolean
}

/**
 * Accepts a call that passed `parseCallRequest`: call, job and hold in one transaction. Refuses in the contract's
 * order: replay, a schema that cannot be used (400), 503, then what the store finds (402, 409, 429). `overRate` is thrown when nothing but the rate of
 * its API key keeps the call out.
 */
export function createCreateCall(d: CreateCallDeps) {
  return async (
    request: CallRequest,
    o: { idempotency: IdempotencyRecord | null; overRate: AppError | null },
  ): Promise<CreatedCall> => {
    const now = d.clock.now()
    if (o.idempotency) {
      const kept = await d.calls.findReplay(o.idempotency, now)
      if (kept && 'replayed' in kept) return { body: kept.replayed, replayed: true }
      if (kept) throw refusal(kept.refused)
    }
    await refuseBadSchema(request.resultSchema, d.schemas)
    refuseUnready(d, request.callAt !== null)
    const call = newCall(d, request, now)
    const body = JSON.stringify(createdCall(call, { retry: request.retry !== null }))
    const result = await d.calls.create({
      call,
      runAt: call.callAt ?? now,
      idempotency: o.idempotency,
      response: body,
      checkBalance: d.options.billingEnabled,
      maxQueued: d.options.maxQueued,
      overRate: o.overRate !== null,
      now,
    })
    if ('refused' in result) throw refusal(result.refused, o.overRate)
    if ('replayed' in result) return { body: result.replayed, replayed: true }
    d.onCreated()
    return { body, replayed: false }
  }
}

function refuseUnready(d: CreateCallDeps, scheduled: boolean): void {
  if (!d.accepting())
    throw new AppError('shutting_down', 'Landline is shutting down and takes no new calls.')
  if (!d.readiness.hasTrunk())
    throw new AppError(
      'no_trunk',
      'No SIP trunk is configured. Add one under [[sip.trunks]] in landline.toml, then see `landline doctor`.',
    )
  const engines = d.readiness.engines()
  if (engines.state === 'missing' || (engines.state === 'away' && !scheduled))
    throw new AppError('engines_not_ready', engines.reason)
}

function newCall(d: CreateCallDeps, request: CallRequest, now: number): Call {
  const centsPerMinute = d.rateFor(request.phoneNumber)
  const scheduled = request.callAt !== null
  return {
    id: d.ids.uuid(),
    direction: 'outbound',
    status: scheduled ? 'scheduled' : 'initiated',
    endReason: null,
    sipCode: null,
    toNumber: request.phoneNumber,
    fromNumber: request.fromNumber ?? d.readiness.trunkNumbers()[0] ?? '',
    instructions: request.instructions,
    firstMessage: request.firstMessage,
    name: request.name,
    metadata: request.metadata,
    maxDurationSeconds: request.maxDurationSeconds ?? d.options.defaultMaxDurationSeconds,
    callAt: request.callAt,
    transferTo: request.transferTo,
    language: request.language,
    voice: request.voice,
    resultSchema: request.resultSchema,
    voicemail: request.voicemail,
    attempt: 1,
    maxAttempts: request.retry?.maxAttempts ?? 1,
    retryDelaySeconds: request.retry?.delaySeconds ?? DEFAULT_RETRY_DELAY_SECONDS,
    centsPerMinute,
    // The next minute; also what a scheduled call needs now and is checked for again when due.
    holdCents: centsPerMinute,
    summary: null,
    result: null,
    resultError: null,
    costCents: 0,
    durationSeconds: 0,
    createdAt: now,
    startedAt: null,
    endedAt: null,
    heartbeatAt: null,
  }
}

function refusal(refused: CreateRefusal, overRate: AppError | null = null): AppError {
  switch (refused) {
    case 'insufficient_balance':
      return new AppError(
        'insufficient_balance',
        'Insufficient balance. Please top up to make calls.',
      )
    case 'call_active':
      return new AppError(
        'call_active',
        'A call to this number is already active. Wait until it has ended, or cancel it.',
      )
    case 'idempotency_conflict':
      return new AppError(
        'idempotency_conflict',
        'This Idempotency-Key was used with another body. Use a new key for a new call.',
      )
    case 'queue_full':
      return new AppError('queue_full', 'Too many calls are waiting for a line. Try again later.', {
        retryAfterSeconds: 30,
      })
    case 'rate_limited':
      return overRate ?? new AppError('rate_limited', 'This API key asks too often. Slow down.')
  }
}
