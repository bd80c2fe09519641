import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import { type AddressPolicy, hostOf, mayBePlain } from '../webhooks/address-policy.ts'
import type { Post, PostResult } from '../webhooks/ports.ts'

/** What is read of a response at most; nothing is unzipped. */
const MOST_BODY_BYTES = 64 * 1024
const EXCERPT_CHARACTERS = 500

export type Resolve = (host: string) => Promise<string[]>

/** All addresses of a host name, by the system's resolver. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true })).map((entry) => entry.address)

/**
 * POST that cannot be led astray: the host is resolved once, every address is judged, the connection goes to the first
 * of those judged, redirects are answers like others, no proxy of the environment is used, and time and bytes are bounded.
 * (node:http rather than fetch: fetch would hand the request to HTTP_PROXY, whose resolver is not ours.)
 */
export function createHttpPost(d: {
  clock: Clock
  policy: AddressPolicy
  resolve: Resolve
  userAgent: string
  /** PEM of a private CA, beside the built-in ones. */
  ca?: string
}): Post {
  return async ({ url, ...o }) => {
    const startedAt = d.clock.steady()
    const outcome = await attempt(d, new URL(url), o).catch((error: unknown) =>
      failure(describe(error)),
    )
    return { ...outcome, durationMs: Math.max(0, Math.round(d.clock.steady() - startedAt)) }
  }
}

type Outcome = Omit<PostResult, 'durationMs'>

function failure(error: string): Outcome {
  return { status: null, error, responseExcerpt: null, retryAfterMs: null }
}

async function attempt(
  d: Parameters<typeof createHttpPost>[0],
  url: URL,
  o: Omit<Parameters<Post>[0], 'url'>,
): Promise<Outcome> {
  const deadline = new AbortController()
  const forget = d.clock.after(o.timeoutMs, () => deadline.abort('no answer in time'))
  const breakOff = (): void => deadline.abort('broken off')
  if (o.signal?.aborted) breakOff()
  o.signal?.addEventListener('abort', breakOff, { once: true })
  try {
    if (deadline.signal.aborted) return failure(String(deadline.signal.reason))
    const host = hostOf(url)
    const address = await judged(d, url, host, deadline.signal)
    if ('refused' in address) return failure(address.refused)
    return await send(d, url, { ...o, host, address: address.address, signal: deadline.signal })
  } finally {
    forget()
    o.signal?.removeEventListener('abort', breakOff)
  }
}

async function judged(
  d: Parameters<typeof createHttpPost>[0],
  url: URL,
  host: string,
  signal: AbortSignal,
): Promise<{ address: string } | { refused: string }> {
  const addresses = isIP(host) ? [host] : await unlessAborted(d.resolve(host), signal)
  const [address] = addresses
  if (address === undefined) return { refused: `${host} has no address` }
  for (const candidate of addresses) {
    const refusal = d.policy.refusal(host, candidate)
    if (refusal) return { refused: `refused: ${refusal}` }
  }
  if (url.protocol === 'http:' && !mayBePlain(host, addresses, d.policy))
    return { refused: 'refused: plain http: is only for hosts in webhooks.allowed_hosts' }
  return { address }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    signal.addEventListener('abort', () => fail(new Error(String(signal.reason))), { once: true })
    promise.then(done, fail)
  })
}

function send(
  d: Parameters<typeof createHttpPost>[0],
  url: URL,
  o: {
    host: string
    address: string
    headers: Record<string, string>
    body: string
    signal: AbortSignal
  },
): Promise<Outcome> {
  const secure = url.protocol === 'https:'
  return new Promise((done) => {
    const request = (secure ? https : http).request({
      method: 'POST',
      host: o.address,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      // A connection of its own each time: a kept one could belong to another host's judged address.
      agent: false,
      headers: {
        ...o.headers,
        Host: url.host,
        'User-Agent': d.userAgent,
        'Content-Length': String(Buffer.byteLength(o.body)),
      },
      ...(secure
        ? {
            ...(isIP(o.host) ? {} : { servername: o.host }),
            ...(d.ca === undefined ? {} : { ca: [...rootCertificates, d.ca] }),
          }
        : {}),
    })
    // Once headers came, they are the answer, whatever becomes of the body.
    let answered = false
    const fail = (error: string): void => {
      if (answered) return
      request.destroy()
      done(failure(error))
    }
    o.signal.addEventListener('abort', () => fail(String(o.signal.reason)), { once: true })
    request.on('error', (error) => fail(describe(error)))
    request.on('response', (response) => {
      answered = true
      read(response, o.signal).then((excerpt) => {
        request.destroy()
        done(toOutcome(response, excerpt, d.clock.now()))
      })
    })
    request.end(o.body)
  })
}

/** The beginning of a response's body: until its end, 64 KiB, an error or the deadline, whichever is first. */
function read(response: http.IncomingMessage, signal: AbortSignal): Promise<string> {
  return new Promise((done) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const finish = (): void => {
      const text = Buffer.concat(chunks).toString('utf8').slice(0, EXCERPT_CHARACTERS)
      done(text.replace(/\p{Cc}/gu, ' '))
      response.destroy()
    }
    response.on('data', (chunk: Buffer) => {
      if (bytes < EXCERPT_CHARACTERS * 4) chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MOST_BODY_BYTES) finish()
    })
    response.on('end', finish)
    response.on('error', finish)
    response.on('close', finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}

function toOutcome(response: http.IncomingMessage, excerpt: string, now: number): Outcome {
  const status = response.statusCode ?? null
  const ok = status !== null && status >= 200 && status < 300
  return {
    status,
    error: ok ? null : `the receiver answered ${status ?? 'nothing'}`,
    responseExcerpt: excerpt === '' ? null : excerpt,
    retryAfterMs: parseRetryAfter(response.headers['retry-after'], now),
  }
}

/** RFC 9110 §10.2.3: seconds, or a date. */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const at = /^\s*[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  const reason = reasonOf(error)
  return typeof code === 'string' && !reason.includes(code) ? `${code}: ${reason}` : reason
}
