import { AppError, type ErrorCode } from '../core/errors.ts'

/** The status of each refusal. */
const STATUS: Record<ErrorCode, number> = {
  invalid_request: 400,
  not_available_yet: 400,
  dial_policy: 400,
  unauthorized: 401,
  insufficient_balance: 402,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  call_active: 409,
  idempotency_conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  queue_full: 429,
  internal: 500,
  no_trunk: 503,
  engines_not_ready: 503,
  shutting_down: 503,
  storage_unavailable: 503,
}
/** A 429 always says when to come back. */
const DEFAULT_RETRY_AFTER_SECONDS = 5

export function json(value: unknown, status = 200): Response {
  return jsonText(JSON.stringify(value), status)
}

/** A body that is JSON already. */
export function jsonText(body: string, status: number): Response {
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
  })
}

/** `{ "error", "code" }` for a refusal. `status` where a code has another one on some routes. */
export function refusalResponse(error: AppError, status = STATUS[error.code]): Response {
  const response = json({ error: error.message, code: error.code }, status)
  const retryAfter =
    error.retryAfterSeconds ?? (status === 429 ? DEFAULT_RETRY_AFTER_SECONDS : undefined)
  if (retryAfter !== undefined)
    response.headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfter))))
  // Whoever was too slow once is not waited for again. After a 413 the connection stays: closing it under a client
  // that still sends would reset it, and the answer would be lost on the way.
  if (error.code === 'request_timeout') response.headers.set('connection', 'close')
  return response
}

/** What a person is told of a fault that is ours: nothing of its inside. */
export function faultResponse(): Response {
  return refusalResponse(
    new AppError(
      'internal',
      'Something went wrong inside Landline. The log has more: look for the X-Request-Id of this answer.',
    ),
  )
}

export function notFound(what: string): AppError {
  return new AppError('not_found', `There is no such ${what}.`)
}

export function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
