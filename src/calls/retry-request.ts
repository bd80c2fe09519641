import { AppError } from '../core/errors.ts'

/** What `POST /calls` asks for when nobody answers. */
export interface RetryRequest {
  maxAttempts: number
  delaySeconds: number
}

export const DEFAULT_RETRY_DELAY_SECONDS = 300

const RANGES = {
  maxAttempts: { from: 1, to: 5, absent: 1 },
  delaySeconds: { from: 60, to: 86_400, absent: DEFAULT_RETRY_DELAY_SECONDS },
} as const

/**
 * Judges the field `retry`; null counts as absent, for the field and for what is in it. Throws `invalid_request` with a
 * sentence that names the field.
 */
export function readRetry(value: unknown): RetryRequest | null {
  if (value === null) return null
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('retry must be an object such as {"maxAttempts": 3, "delaySeconds": 300}.')
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields))
    if (!Object.hasOwn(RANGES, name))
      throw invalid(
        `Unknown field ${JSON.stringify(`retry.${name.slice(0, 60)}`)}. Known fields: retry.maxAttempts, retry.delaySeconds.`,
      )
  return {
    maxAttempts: readCount(fields, 'maxAttempts', 'a whole number'),
    delaySeconds: readCount(fields, 'delaySeconds', 'a whole number of seconds'),
  }
}

function readCount(
  fields: Record<string, unknown>,
  name: keyof typeof RANGES,
  what: string,
): number {
  const { from, to, absent } = RANGES[name]
  const value = fields[name] ?? null
  if (value === null) return absent
  if (typeof value !== 'number' || !Number.isInteger(value) || value < from || value > to)
    throw invalid(`retry.${name} must be ${what} from ${from} to ${to}.`)
  return value
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
