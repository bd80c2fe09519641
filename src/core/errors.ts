/** What went wrong, as the API tells it; `http/errors.ts` maps each code to a status. */
export type ErrorCode =
  | 'invalid_request'
  | 'not_available_yet'
  | 'dial_policy'
  | 'unauthorized'
  | 'insufficient_balance'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'call_active'
  | 'idempotency_conflict'
  | 'request_timeout'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'queue_full'
  | 'no_trunk'
  | 'engines_not_ready'
  | 'shutting_down'
  | 'storage_unavailable'
  | 'internal'

/** A refusal that the person at the other end can act on: `message` is shown to them as it is. */
export class AppError extends Error {
  readonly code: ErrorCode
  /** Seconds after which a retry makes sense; becomes the Retry-After header. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    o: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, { cause: o.cause })
    this.name = 'AppError'
    this.code = code
    this.retryAfterSeconds = o.retryAfterSeconds
  }
}

/** The text of whatever was thrown, for a log field or a reason. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
