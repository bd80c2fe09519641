import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** What the fake does with one request for a file's bytes; what is left out does not happen. */
export interface Serving {
  /** Answers with this status and nothing else. */
  status?: number
  /** After so many bytes of the answer the connection is cut. */
  cutAfter?: number
  /** After so many bytes nothing comes any more. */
  stallAfter?: number
  /** Sends the whole file whatever range was asked for. */
  ignoresRange?: boolean
  /** Sends another part than was asked for. */
  wrongRange?: boolean
  /** Other bytes of the same length. */
  corrupt?: boolean
  /** Bytes more than there are. */
  tooMuch?: boolean
  /** Chunked: nobody knows where it ends. */
  noLength?: boolean
}

export interface FakeFile {
  content: Buffer
  /** Small files are answered by the hub itself, large ones by another host. */
  large: boolean
  /** For its requests of bytes, one after the other; then it is served as it should be. */
  servings?: Serving[]
  /** The hub tells neither size nor hash. */
  untold?: boolean
  /** The hub tells another hash. */
  saysSha256?: string
}

export interface FakeHub {
  url: string
  /** By `repo/path`. */
  files: Map<string, FakeFile>
  commit: string
  /** `GET hub /…` or `GET cdn /… bytes=5-`, in order. */
  readonly asked: string[]
  /** Where large files are: another host unless this says otherwise. */
  cdnUrl: string
  stop(): Promise<void>
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
const gitBlob = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/** Two hosts on this machine, as the hub has them: one that knows the files, one that has the large ones. */
export async function startFakeHub(
  o: { tls?: { cert: string; key: string } } = {},
): Promise<FakeHub> {
  const asked: string[] = []
  const note = (host: string, { method, url, headers }: IncomingMessage): void => {
    asked.push([method, host, url, headers.range].filter(Boolean).join(' '))
  }
  const listen = async (on: (q: IncomingMessage, r: ServerResponse) => void): Promise<Server> => {
    const server = o.tls ? createTlsServer(o.tls, on) : createServer(on)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return server as Server
  }
  const scheme = o.tls ? 'https' : 'http'
  const cdn = await listen((request, response) => {
    note('cdn', request)
    const name = decodeURIComponent((request.url ?? '').slice(1))
    const file = hub.files.get(name)
    if (file) serve(request, response, file)
    else response.writeHead(404).end()
  })
  const main = await listen((request, response) => {
    note('hub', request)
    const found = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/([^?]+)/.exec(
      decodeURIComponent(request.url ?? ''),
    )
    const file = hub.files.get(`${found?.[1]}/${found?.[3]}`)
    if (!found || !file) return void response.writeHead(404).end('Entry not found')
    answer(hub, request, response, { file, name: `${found[1]}/${found[3]}` })
  })
  const portOf = (server: Server): number => (server.address() as AddressInfo).port
  const hub: FakeHub = {
    url: `${scheme}://127.0.0.1:${portOf(main)}`,
    files: new Map(),
    commit: '0123456789abcdef0123456789abcdef01234567',
    asked,
    cdnUrl: `${scheme}://localhost:${portOf(cdn)}`,
    async stop() {
      for (const server of [main, cdn]) {
        server.closeAllConnections()
        await new Promise<void>((done) => server.close(() => done()))
      }
    },
  }
  return hub
}

function answer(
  hub: FakeHub,
  request: IncomingMessage,
  response: ServerResponse,
  { file, name }: { file: FakeFile; name: string },
): void {
  const { content, untold } = file
  const revision = /\/resolve\/([^/]+)/.exec(request.url ?? '')?.[1] ?? ''
  response.setHeader('x-repo-commit', /^[0-9a-f]{40}$/.test(revision) ? revision : hub.commit)
  if (file.large) {
    if (!untold) {
      response.setHeader('x-linked-size', String(content.length))
      response.setHeader('x-linked-etag', `"${file.saysSha256 ?? sha256(content)}"`)
    }
    response.setHeader('location', `${hub.cdnUrl}/${encodeURIComponent(name)}`)
    response.writeHead(302).end(request.method === 'HEAD' ? undefined : 'Found. Redirecting')
    return
  }
  // Small files come from a cache on the same host.
  if (!request.url?.includes('?cached')) {
    response.setHeader('location', `${request.url}?cached`)
    response.writeHead(307).end()
    return
  }
  if (!untold) response.setHeader('etag', `W/"${gitBlob(content)}"`)
  if (request.method === 'HEAD')
    response.writeHead(200, untold ? {} : { 'content-length': content.length }).end()
  else serve(request, response, file)
}

function serve(request: IncomingMessage, response: ServerResponse, file: FakeFile): void {
  const how = file.servings?.shift() ?? {}
  if (how.status !== undefined) return void response.writeHead(how.status).end('no')
  const whole = how.corrupt ? Buffer.from(file.content.map((byte) => byte ^ 1)) : file.content
  const asked = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const from = how.ignoresRange ? 0 : asked
  if (from > 0 && from >= whole.length)
    return void response.writeHead(416, { 'content-range': `bytes */${whole.length}` }).end()
  const at = how.wrongRange && from > 0 ? from - 1 : from
  const body = Buffer.concat([whole.subarray(at), Buffer.from(how.tooMuch ? 'and more' : '')])
  if (at > 0) response.setHeader('content-range', `bytes ${at}-${whole.length - 1}/${whole.length}`)
  if (!how.noLength) response.setHeader('content-length', body.length)
  response.writeHead(at > 0 ? 206 : 200)
  const stop = how.cutAfter ?? how.stallAfter
  if (stop === undefined) return void response.end(body)
  response.write(body.subarray(0, stop))
  // What was written has to leave before the cut.
  if (how.cutAfter !== undefined) setTimeout(() => response.destroy(), 20)
}
