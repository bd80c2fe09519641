import { createHttp, type Http } from '../../src/http/server.ts'
import { FakeServices, GOOD_KEY } from './fake-services.ts'

export interface Sent {
  body?: unknown
  /** Sent as it is, instead of `body`. */
  raw?: string | Uint8Array | ReadableStream
  headers?: Record<string, string>
  /** Null: no key. */
  key?: string | null
}

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The parsed body, or undefined where it is no JSON. */
  json: unknown
}

/** The API in this process on fake services, and a client that has a good key and sends JSON. */
export function setupHttp(o: { rateLimitPerSecond?: number } = {}) {
  const services = new FakeServices()
  const http = createHttp({
    services,
    host: '127.0.0.1',
    port: 0,
    rateLimitPerSecond: o.rateLimitPerSecond ?? 100,
  })
  return { services, http, send: sender(http) }
}

export type Send = (method: string, path: string, o?: Sent) => Promise<Answer>

function sender(http: Pick<Http, 'fetch'>): Send {
  return async (method, path, o = {}) => {
    const response = await http.fetch(toRequest(method, `http://localhost${path}`, o))
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: parsed(text) }
  }
}

export function toRequest(method: string, url: string, o: Sent = {}): Request {
  const headers = new Headers(o.key === null ? {} : { 'x-api-key': o.key ?? GOOD_KEY })
  const body = o.raw ?? (o.body === undefined ? undefined : JSON.stringify(o.body))
  if (body !== undefined) headers.set('content-type', 'application/json')
  for (const [name, value] of Object.entries(o.headers ?? {})) headers.set(name, value)
  return new Request(url, body === undefined ? { method, headers } : { method, headers, body })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
