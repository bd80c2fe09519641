import { AppError } from '../core/errors.ts'
import type { Auth } from './auth.ts'
import { parseJson, readBody, refuseDeclaredLength, requireJson } from './json-body.ts'
import { TokenBuckets } from './rate-limit.ts'
import { type Incoming, judgeNumber, judgeParams, type Route } from './route.ts'
import type { ApiServices } from './services.ts'

/** Who sent a request, as the socket knows it. */
export interface Peer {
  address: string
  /** Lifts the limit on how long the connection may be quiet. */
  takeYourTime(): void
}

/** What is known of a request while it is answered. */
export interface Exchange {
  requestId: string
  peer: Peer
  /** The API key's id once it is known, else empty. */
  keyId: string
  /** The path of its route, for the log: it names nobody. */
  route: string
}

/** Takes a request that found its route through its judgement to its work. Throws AppError. */
export type Intake = (
  route: Route,
  o: { request: Request; params: Readonly<Record<string, unknown>>; exchange: Exchange },
) => Promise<Response>

/** Ten seconds' worth of requests may come at once. */
const BURST_SECONDS = 10

/**
 * Keeps the order of refusals behind 401 and 405: 404, 413, 415, 400, and 429 just before the work, or, for a route that
 * limits itself, in it.
 */
export function createIntake(d: {
  services: ApiServices
  auth: Auth
  rateLimitPerSecond: number
}): Intake {
  const { clock } = d.services
  const limits = new TokenBuckets({
    perSecond: d.rateLimitPerSecond,
    burst: d.rateLimitPerSecond * BURST_SECONDS,
  })

  /** Takes a request off what the key may still send; the refusal when that is nothing. */
  function overRateOf(keyId: string): AppError | null {
    const retryAfterSeconds = limits.take(keyId, clock.steady())
    if (retryAfterSeconds === null) return null
    return new AppError(
      'rate_limited',
      `This API key sends more than ${d.rateLimitPerSecond} requests per second (http.rate_limit). Slow down.`,
      { retryAfterSeconds },
    )
  }

  async function bodyOf(route: Route, request: Request): Promise<unknown> {
    refuseDeclaredLength(request)
    // Read before its type is looked at, since its length comes first; and read even where nobody asked for it, so
    // that it cannot pile up behind a long answer.
    const bytes = await readBody(request, clock)
    if (route.body === 'ignored' || (route.body === 'empty' && bytes.byteLength === 0))
      return undefined
    requireJson(request)
    const value = parseJson(bytes)
    if (route.body === 'empty') refuseFields(value)
    return value
  }

  return async (route, { request, params, exchange }) => {
    // The key was asked for by the path; here the route itself insists.
    if (route.access === 'key' && exchange.keyId === '') throw d.auth.refusal()
    exchange.route = route.path
    const incoming: Incoming = {
      request,
      params: judgeParams(params),
      body: undefined,
      keyId: exchange.keyId,
      takeYourTime: exchange.peer.takeYourTime,
    }
    await route.find?.(incoming)
    incoming.body = await bodyOf(route, request)
    judgeNumber(incoming.params)
    const work = route.prepare(incoming)
    const overRate = route.access === 'key' ? overRateOf(exchange.keyId) : null
    if (overRate && !route.limitsItself) throw overRate
    return work({ overRate })
  }
}

function refuseFields(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('invalid_request', 'This route takes no body.')
  const [field] = Object.keys(value)
  if (field !== undefined)
    throw new AppError(
      'invalid_request',
      `Unknown field ${JSON.stringify(field.slice(0, 60))}: this route takes no fields.`,
    )
}
