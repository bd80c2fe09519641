import { AppError } from '../core/errors.ts'
import { isPhoneNumber } from '../core/phone-number.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

/** A request that found its route. */
export interface Incoming {
  request: Request
  /** The ids in the path, judged: lower-case UUIDs; `number` is one in E.164 form. */
  params: Readonly<Record<string, string>>
  /** The parsed JSON of a route with `body: 'json'`, else undefined. */
  body: unknown
  /** The API key's id; empty on a public route. */
  keyId: string
  /** Lets this request take longer than a quiet connection may otherwise live. */
  takeYourTime(): void
}

/** What is left to do once a request has been read and judged. `overRate`: its key asks too often. */
export type Work = (o: { overRate: AppError | null }) => Promise<Response> | Response

export interface Route {
  method: Method
  /** Parameters as `:name`. */
  path: string
  access: 'key' | 'public'
  /** `json`: a body is required. `empty`: none is, but an empty object may come. `ignored`: whatever comes means nothing. */
  body: 'json' | 'empty' | 'ignored'
  /** Throws not_found where the path names something that is not there: that comes before the body is judged. */
  find?(incoming: Incoming): Promise<void>
  /** Judges the request (throws 400s) and returns the work; the rate limit stands between the two … */
  prepare(incoming: Incoming): Work
  /** … unless the work is done under it too: it then throws `overRate` when nothing else comes first. */
  limitsItself?: true
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The ids of a path. An id that is no UUID cannot exist: not_found; `number` that is none: invalid_request. */
export function judgeParams(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const judged: Record<string, string> = {}
  for (const [name, value] of Object.entries(params)) {
    if (name === 'number') {
      judged.number = judgeNumber(value)
      continue
    }
    if (typeof value !== 'string' || !UUID.test(value))
      throw new AppError(
        'not_found',
        'There is nothing at this path: the id in it is not one of ours.',
      )
    judged[name] = value.toLowerCase()
  }
  return judged
}

function judgeNumber(value: unknown): string {
  if (typeof value === 'string' && isPhoneNumber(value)) return value
  throw new AppError(
    'invalid_request',
    'The number in the path must be in E.164 form, for example /api/v1/numbers/+15559876543.',
  )
}

/** The path of a request's URL, as the client sent it. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}
