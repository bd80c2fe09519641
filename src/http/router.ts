import { Elysia } from 'elysia'
import { AppError, reasonOf } from '../core/errors.ts'
import { createAuth } from './auth.ts'
import { faultResponse, refusalResponse } from './errors.ts'
import { createIntake, type Exchange, type Peer } from './intake.ts'
import { pathOf, type Route } from './route.ts'
import type { ApiServices } from './services.ts'

export interface Router {
  /** Answers a request; never throws. */
  handle(request: Request, peer: Peer): Promise<Response>
}

interface Hooks {
  /** Before the path is looked at. Throws to refuse. */
  onRequest(request: Request): Promise<void>
  onRoute(route: Route, request: Request, params: Record<string, unknown>): Promise<Response>
  onError(error: unknown, request: Request): Response
}

/** In the contract, but without behaviour yet. */
const LATER = ['/api/v1/calls/:id/recording']

/**
 * Finds the route of a request: 401 before the path is looked at, then 404 and 405, then what the intake says.
 * Every answer carries a request id and is not to be stored.
 */
export function createRouter(d: {
  services: ApiServices
  routes: readonly Route[]
  rateLimitPerSecond: number
}): Router {
  const { clock, ids, log } = d.services
  const auth = createAuth(d.services)
  const intake = createIntake({ ...d, auth })
  const exchanges = new WeakMap<Request, Exchange>()

  function exchangeOf(request: Request): Exchange {
    const exchange = exchanges.get(request)
    if (!exchange) throw new Error('a request came past the router')
    return exchange
  }

  function respond(error: unknown, requestId: string): Response {
    if (error instanceof AppError) {
      if (error.cause !== undefined)
        log.debug('request refused', { requestId, code: error.code, reason: reasonOf(error.cause) })
      return refusalResponse(error)
    }
    const stack = error instanceof Error ? error.stack : undefined
    log.error('request failed', { requestId, reason: reasonOf(error), stack })
    return faultResponse()
  }

  const app = compose(d.routes, {
    async onRequest(request) {
      const exchange = exchangeOf(request)
      if (isApi(pathOf(request.url)))
        exchange.keyId = await auth.identify(request, exchange.peer.address)
    },
    onRoute: (route, request, params) =>
      intake(route, { request, params, exchange: exchangeOf(request) }),
    onError: (error, request) => respond(error, exchangeOf(request).requestId),
  })

  async function answer(request: Request, exchange: Exchange): Promise<Response> {
    try {
      const usable = withPlainUrl(request)
      exchanges.set(usable, exchange)
      return await app.fetch(usable)
    } catch (error) {
      return respond(error, exchange.requestId)
    }
  }

  return {
    async handle(request, peer) {
      const startedAt = clock.steady()
      const requestId = requestIdOf(request) ?? ids.uuid()
      const exchange: Exchange = { requestId, peer, keyId: '', route: 'none' }
      const response = await answer(request, exchange)
      response.headers.set('x-request-id', requestId)
      response.headers.set('cache-control', 'no-store')
      const { status } = response
      const ms = Math.round(clock.steady() - startedAt)
      const { method } = request
      const { route } = exchange
      d.services.onAnswer?.({ method, route, status, durationMs: ms })
      log.debug('request', { requestId, method, route, status, ms })
      return response
    },
  }
}

/** The routes as an Elysia application. Bodies are left to us: Elysia's parser knows neither our limits nor our errors. */
function compose(routes: readonly Route[], hooks: Hooks): Pick<Elysia, 'fetch'> {
  const raw = { parse: 'none' } as const
  const app = new Elysia({ strictPath: true })
    .onRequest(async ({ request }) => {
      await hooks.onRequest(request)
    })
    .onError(({ code, error, request }) =>
      hooks.onError(code === 'NOT_FOUND' ? nothingHere() : error, request),
    )
  for (const route of routes) {
    // A path without parameters comes with none at all.
    const handler = (context: { request: Request; params?: Record<string, unknown> }) =>
      hooks.onRoute(route, context.request, context.params ?? {})
    app.route(route.method, route.path, handler, raw)
    if (route.method === 'GET') app.route('HEAD', route.path, handler, raw)
  }
  for (const [path, allow] of allowedMethods(routes))
    app.all(path, ({ request }) => methodNotAllowed(request.method, allow), raw)
  for (const path of LATER) app.all(path, () => notAvailableYet(path), raw)
  return app
}

function isApi(path: string): boolean {
  return path === '/api/v1' || path.startsWith('/api/v1/')
}

/** What Allow says of each path; HEAD goes wherever GET does. */
function allowedMethods(routes: readonly Route[]): Map<string, string> {
  const allowed = new Map<string, string>()
  for (const { method, path } of routes) {
    const before = allowed.get(path)
    const methods = method === 'GET' ? 'GET, HEAD' : method
    allowed.set(path, before === undefined ? methods : `${before}, ${methods}`)
  }
  return allowed
}

function nothingHere(): AppError {
  return new AppError(
    'not_found',
    'There is nothing at this path. GET /openapi.json lists what there is.',
  )
}

function methodNotAllowed(method: string, allow: string): Response {
  const message = `${method} is not possible here; what is: ${allow}.`
  const response = refusalResponse(new AppError('method_not_allowed', message))
  response.headers.set('allow', allow)
  return response
}

function notAvailableYet(path: string): Response {
  const message = `The route ${path} is not available yet.`
  return refusalResponse(new AppError('not_available_yet', message), 404)
}

/** The client's own request id, when it is short and plain enough to be logged. */
function requestIdOf(request: Request): string | null {
  const id = request.headers.get('x-request-id') ?? ''
  return /^[\w.:-]{1,128}$/.test(id) ? id : null
}

/** Elysia looks for the path from here on, past `http://` and the shortest host name it expects. */
const SHORTEST_ORIGIN = 11

/**
 * The request with a URL in which Elysia finds the path. Hosts may have names of one letter, and HTTP/1.0 may leave the
 * Host header out (old health checks do): then Bun gives a bare path as the URL. A Host header that is there and makes
 * no URL is refused (RFC 9112 §3.2).
 */
function withPlainUrl(request: Request): Request {
  const { url } = request
  const bare = url.startsWith('/')
  if (bare ? request.headers.get('host') !== null : !URL.canParse(url))
    throw new AppError('invalid_request', 'The Host header is not valid.')
  const path = bare ? 0 : url.indexOf('/', url.indexOf('://') + 3)
  return path >= SHORTEST_ORIGIN
    ? request
    : new Request(`http://localhost${url.slice(path)}`, request)
}
