/** The running server, as the commands reach it. */
import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { reasonOf } from '../core/errors.ts'
import { requireCertificate } from './served-certificate.ts'
import type { Terminal } from './terminal.ts'

/** Where the server of this configuration answers on this machine; null when its port is only known to itself. */
export function localUrl({ http }: Config): string | null {
  if (http.port === 0) return null
  const wildcard: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  const host = wildcard[http.host] ?? http.host
  const shown = host.includes(':') ? `[${host}]` : host
  return `${http.tlsCertFile ? 'https' : 'http'}://${shown}:${http.port}`
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

export interface ApiClient {
  /** Asks the server. Throws an Error that says how to start it when nothing answers. */
  request(path: string, init?: ApiRequest): Promise<Response>
  readonly url: string
}

export interface ApiRequest {
  method?: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
  signal?: AbortSignal
}

export function createApiClient(o: {
  terminal: Pick<Terminal, 'fetch'>
  url: string
  key: string | null
  /** The certificate that the configuration serves: our own server is known by it. */
  certFile: string | null
}): ApiClient {
  const pem = o.certFile && o.url.startsWith('https:') ? readFileSync(o.certFile, 'utf8') : null
  // fetch does not ask for a certificate that it does not verify: it was compared on a connection before.
  const tls = pem === null ? {} : { tls: { rejectUnauthorized: false } }
  let known: Promise<void> | undefined
  return {
    url: o.url,
    async request(path, init = {}) {
      try {
        if (pem !== null) known ??= requireCertificate(o.url, pem)
        await known
        return await o.terminal.fetch(`${o.url}${path}`, {
          method: init.method ?? 'GET',
          headers: {
            ...(o.key ? { 'X-API-Key': o.key } : {}),
            ...(init.body === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...init.headers,
          },
          ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
          ...(init.signal ? { signal: init.signal } : {}),
          redirect: 'error',
          ...tls,
        })
      } catch (error) {
        if (init.signal?.aborted) throw error
        throw new Error(
          `no server answers at ${o.url} (${reasonOf(error)}): start it with \`landline serve\`, or name it with --url`,
          { cause: error },
        )
      }
    },
  }
}

/** What the owner does about an empty balance, on the machine of the server. */
export const TOP_UP = 'Add to it with `landline credits add CENTS`.'

/** The JSON object of an answer; throws the server's own sentence when it refused. */
export async function answerOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json().catch(() => undefined)
  const object = isObject(body) ? body : {}
  if (response.ok) return object
  const told = typeof object.error === 'string' ? object.error : null
  const hint = object.code === 'insufficient_balance' ? ` ${TOP_UP}` : ''
  throw new Error(told === null ? `the server answered ${response.status}` : `${told}${hint}`)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
