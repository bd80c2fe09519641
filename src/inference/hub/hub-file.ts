import { type Hash, hashOfEtag } from './file-hash.ts'
import { fileUrl, type Hub, refusal, request } from './hub-request.ts'

/** What the hub says of a file before it is taken. */
export interface HubFile {
  path: string
  url: string
  /** Bytes; null where the hub does not tell. */
  size: number | null
  hash: Hash | null
  /** The commit that the revision means now; null where the hub does not tell. */
  commit: string | null
}

/**
 * Asks the hub about a file. The hub sends large files on to another host: what it says of them (`X-Linked-Etag`: their
 * SHA-256, `X-Linked-Size`) is in that answer, so a redirect to another host is not followed here. Throws HubError,
 * with status 404 for a file that is not there.
 */
export async function askHub(
  hub: Hub,
  o: { repo: string; revision: string; path: string; signal: AbortSignal },
): Promise<HubFile> {
  const url = fileUrl(hub, o)
  const { host } = new URL(url)
  const { response, before } = await request(hub, {
    url,
    method: 'HEAD',
    signal: o.signal,
    stop: (answer, next) => next.host !== host || answer.headers.has('x-linked-etag'),
  })
  if (response.status >= 400) throw refusal(response, o.path)
  const all = [...before, response.headers]
  const told = (name: string): string | null =>
    all.map((headers) => headers.get(name)).find((value) => value !== null) ?? null
  const own = response.status < 300 ? response.headers : undefined
  const commit = told('x-repo-commit')
  return {
    path: o.path,
    url,
    size: toSize(told('x-linked-size') ?? own?.get('content-length') ?? null),
    hash: hashOfEtag(told('x-linked-etag') ?? own?.get('etag') ?? null),
    commit: commit !== null && /^[0-9a-f]{40}$/.test(commit) ? commit : null,
  }
}

function toSize(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}
