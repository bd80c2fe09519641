import { sleep } from '../core/clock.ts'
import type { Part } from '../core/lifecycle.ts'
import { listenReason } from '../core/listen-reason.ts'
import { createEventStreams } from './call-events.ts'
import { callRoutes } from './calls.ts'
import { docsRoutes } from './docs.ts'
import { healthRoutes } from './health.ts'
import type { Peer } from './intake.ts'
import { meRoutes } from './me.ts'
import { numberRoutes } from './numbers.ts'
import type { Route } from './route.ts'
import { createRouter } from './router.ts'
import type { ApiServices } from './services.ts'
import { webhookRoutes } from './webhooks.ts'

export interface HttpOptions {
  services: ApiServices
  host: string
  /** 0 takes a free one. */
  port: number
  /** Requests per second and API key; ten seconds' worth may come at once. */
  rateLimitPerSecond: number
  /** PEM texts; with them the server speaks HTTPS. */
  tls?: { cert: string; key: string } | undefined
}

export interface Http extends Part {
  /** Answers a request as the listening server would. */
  fetch(request: Request): Promise<Response>
  /** Where it listens, e.g. `http://127.0.0.1:3000`. Throws before `start`. */
  url(): string
}

/** A connection without a byte either way for longer than this is closed. Streams say something every 15 s. */
const IDLE_SECONDS = 60
/** How long `stop` waits for answers under way. */
const DRAIN_MS = 5000

/** The HTTP API, its description and its health, on one port. */
export function createHttp(o: HttpOptions): Http {
  const { clock, log } = o.services
  const streams = createEventStreams({ clock, log })
  const router = createRouter({
    services: o.services,
    routes: apiRoutes(o.services, streams),
    rateLimitPerSecond: o.rateLimitPerSecond,
  })
  let server: Bun.Server<undefined> | null = null
  let stopped: Promise<void> | null = null

  async function handle(request: Request, peer: Peer): Promise<Response> {
    const response = await router.handle(request, peer)
    if (stopped) response.headers.set('connection', 'close')
    return response
  }

  async function close(running: Bun.Server<undefined>): Promise<void> {
    // Takes no new connections; resolves when what is under way has been answered.
    const drained = running.stop(false).catch(() => undefined)
    streams.closeAll()
    const patience = new AbortController()
    await Promise.race([drained, sleep(clock, DRAIN_MS, patience.signal)])
    patience.abort()
    await running.stop(true)
    server = null
  }

  return {
    async start() {
      stopped = null
      server = listen(o, handle)
    },
    async stop() {
      if (server) stopped ??= close(server)
      await stopped
    },
    fetch: (request) => handle(request, { address: 'in-process', takeYourTime: () => undefined }),
    url() {
      if (!server) throw new Error('the HTTP server does not listen')
      return urlOf(o, server.port ?? o.port)
    },
  }
}

/** Every route of the API. */
export function apiRoutes(
  services: ApiServices,
  streams: ReturnType<typeof createEventStreams>,
): Route[] {
  return [
    ...meRoutes(services),
    ...callRoutes({ services, streams }),
    ...numberRoutes(services),
    ...webhookRoutes(services),
    ...docsRoutes(),
    ...healthRoutes(services),
  ]
}

function listen(
  o: HttpOptions,
  handle: (request: Request, peer: Peer) => Promise<Response>,
): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: o.host,
      port: o.port,
      // Two servers on one port would each get some of the requests.
      reusePort: false,
      ...(o.tls ? { tls: o.tls } : {}),
      idleTimeout: IDLE_SECONDS,
      // Bun's own refusal has an empty body: the router counts bytes itself.
      maxRequestBodySize: Number.POSITIVE_INFINITY,
      development: false,
      fetch: (request, running) =>
        handle(request, {
          address: running.requestIP(request)?.address ?? '',
          takeYourTime: () => running.timeout(request, 0),
        }),
    })
  } catch (error) {
    throw new Error(`listening on ${o.host} port ${o.port}: ${listenReason(error, 'http')}`, {
      cause: error,
    })
  }
}

function urlOf(o: HttpOptions, port: number): string {
  const scheme = o.tls ? 'https' : 'http'
  // An address that means "all of them" is no place to go to.
  const host = o.host === '0.0.0.0' || o.host === '::' ? 'localhost' : o.host
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
