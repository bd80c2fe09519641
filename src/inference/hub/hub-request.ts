import { isAbortError } from '../../core/abort.ts'
import { reasonOf } from '../../core/errors.ts'

/** How the hub is reached. */
export interface Hub {
  /** Its base: `https://huggingface.co`, or a mirror's. */
  url: string
  fetch: typeof fetch
}

const MOST_REDIRECTS = 5

/** The hub, or where it sent us, does not give a file. */
export class HubError extends Error {
  readonly status: number | null
  /** Worth another try after so long, ms; null: not at all. */
  readonly retryAfterMs: number | null
  constructor(message: string, o: { status?: number; retryAfterMs?: number | null } = {}) {
    super(message)
    this.name = 'HubError'
    this.status = o.status ?? null
    this.retryAfterMs = o.retryAfterMs ?? null
  }
}

/** Where a file of a repository is. */
export function fileUrl(hub: Hub, o: { repo: string; revision: string; path: string }): string {
  const parts = [...o.repo.split('/'), 'resolve', o.revision, ...o.path.split('/')]
  return `${hub.url.replace(/\/+$/, '')}/${parts.map(encodeURIComponent).join('/')}`
}

export interface Redirected {
  response: Response
  /** Headers of the answers before it: what the hub says of a file stands in the one that sends us on. */
  before: Headers[]
}

/**
 * Sends a request and follows its redirects, from https never to http, until `stop` is content. Throws HubError for
 * what does not answer, AbortError on abort; the status of the answer is the caller's to judge.
 */
export async function request(
  hub: Hub,
  o: {
    url: string
    method: 'GET' | 'HEAD'
    headers?: Record<string, string>
    signal: AbortSignal
    stop?: (response: Response, next: URL) => boolean
  },
): Promise<Redirected> {
  let url = new URL(o.url)
  const before: Headers[] = []
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const response = await send(hub, url, o)
    const next = nextUrl(response, url)
    if (next === null || o.stop?.(response, next)) return { response, before }
    await response.body?.cancel().catch(() => undefined)
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw new HubError(`${url.host} sends us on to ${next.host} without encryption: refused`)
    before.push(response.headers)
    url = next
  }
  throw new HubError(`${new URL(o.url).host} sends us on and on`)
}

async function send(
  hub: Hub,
  url: URL,
  o: { method: string; headers?: Record<string, string>; signal: AbortSignal },
): Promise<Response> {
  try {
    return await hub.fetch(url.href, {
      method: o.method,
      // A file that is packed on the way has another length than the one that is told.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'landline', ...o.headers },
      redirect: 'manual',
      signal: o.signal,
    })
  } catch (error) {
    if (isAbortError(error) || o.signal.aborted) throw error
    throw new HubError(`${url.host} does not answer: ${reasonOf(error)}`, { retryAfterMs: 0 })
  }
}

function nextUrl(response: Response, from: URL): URL | null {
  const location = response.headers.get('location')
  if (response.status < 300 || response.status > 399 || location === null) return null
  if (!URL.canParse(location, from.href)) throw new HubError(`${from.host} sends us on to nowhere`)
  return new URL(location, from)
}

/** What an answer that is no success means. */
export function refusal(response: Response, what: string): HubError {
  const { status } = response
  if (status === 404) return new HubError(`${what}: the hub has no such file`, { status })
  if (status === 401 || status === 403)
    return new HubError(`${what}: the hub does not give it without an account (${status})`, {
      status,
    })
  const wait = Number(response.headers.get('retry-after') ?? 0)
  const retry = status === 429 || status >= 500
  const retryAfterMs = retry ? Math.min(60, Number.isFinite(wait) ? wait : 0) * 1000 : null
  return new HubError(`${what}: the hub answered ${status}`, { status, retryAfterMs })
}
