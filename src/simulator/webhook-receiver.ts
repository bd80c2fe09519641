import { type Clock, sleep } from '../core/clock.ts'
import { makeCertificate } from './certificate.ts'

export interface Received {
  headers: Record<string, string>
  body: string
}

/** An HTTPS server on this machine that keeps what is posted to it. */
export interface WebhookReceiver {
  url: string
  /** The PEM to trust. */
  ca: string
  /** The next post that came, now or later; null when none came within `timeoutMs`, or before `signal` aborted. */
  next(timeoutMs: number, signal: AbortSignal): Promise<Received | null>
  stop(): Promise<void>
}

export async function startWebhookReceiver(clock: Clock): Promise<WebhookReceiver> {
  const { cert, key } = await makeCertificate()
  const waiting: Received[] = []
  let wake: () => void = () => undefined
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    maxRequestBodySize: 4 * 1024 * 1024,
    async fetch(request) {
      if (request.method !== 'POST') return new Response(null, { status: 405 })
      waiting.push({
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      })
      wake()
      return new Response(null, { status: 204 })
    },
  })
  return {
    url: `https://127.0.0.1:${server.port}/hooks`,
    ca: cert,
    async next(timeoutMs, signal) {
      const came = new AbortController()
      wake = () => came.abort()
      if (waiting.length === 0)
        await sleep(clock, timeoutMs, AbortSignal.any([signal, came.signal]))
      return waiting.shift() ?? null
    },
    stop: () => server.stop(true),
  }
}
