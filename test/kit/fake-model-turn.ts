import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Milliseconds, or a promise that the test settles. */
export type Wait = number | Promise<unknown>

/** What a fake model server does with one request for a reply. All that is left out does not happen. */
export interface FakeTurn {
  /** The reply, sent in pieces: an array as it is, a string word by word. */
  text?: string | readonly string[]
  /** After the text. `arguments` as a string goes out as it is, so that it can be garbled. */
  tools?: readonly { name: string; arguments: Record<string, unknown> | string }[]
  /** Before the status line. */
  headersAfter?: Wait
  /** Between the headers and the first piece. */
  firstTokenAfter?: Wait
  /** Between pieces. */
  tokenAfter?: Wait
  /** Answers with this status and `{"error": errorText}` at once. */
  status?: number
  errorText?: string
  /** After this many pieces comes an error object in the stream, and the end. */
  errorAfter?: number
  /** After this many pieces the connection is cut. */
  disconnectAfter?: number
  /** After this many pieces come lines that are no JSON, one pair or as many pairs as `malformed` says. */
  malformedAfter?: number
  malformed?: number
  /** After this many pieces the stream ends as if done, without saying so. */
  endAfter?: number
  /** Repeats the text until the client leaves. */
  endless?: boolean
  /** Fields of the last part: what the server tells of its own work. */
  account?: Record<string, number>
}

export type Script = FakeTurn | ((request: Record<string, unknown>) => FakeTurn)

/** How a protocol writes what a turn says. */
export interface Wire {
  contentType: string
  piece(text: string): string
  tool(index: number, name: string, given: Record<string, unknown> | string): string
  error(text: string): string
  end(account: Record<string, number>): string
}

export interface FakeServer {
  url: string
  /** Bodies of the requests for replies, in order. */
  requests: Record<string, unknown>[]
  /** Headers of all requests, in order. */
  headers: IncomingMessage['headers'][]
  /** How many replies the client left before their end. */
  readonly abandoned: number
  /** What replies say from now on. */
  script: Script
  stop(): Promise<void>
}

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => Promise<void> | void

/** Serves on a free loopback port. */
export async function serveFake(handler: Handler): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void Promise.resolve(handler(request, response, Buffer.concat(chunks))).catch(() =>
        response.destroy(),
      )
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise<void>((done) => server.close(() => done()))
    },
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

/** Plays one turn. Resolves with whether the client left before its end. */
export async function playTurn(
  response: ServerResponse,
  turn: FakeTurn,
  wire: Wire,
): Promise<boolean> {
  let left = false
  const leaving = new Promise<void>((done) => {
    response.on('close', () => {
      left = !response.writableFinished
      done()
    })
  })
  // A wait ends early when the client leaves, so that nothing outlives a test.
  const pause = async (wait: Wait | undefined): Promise<void> => {
    if (wait === undefined) return
    await Promise.race([typeof wait === 'number' ? Bun.sleep(wait) : wait, leaving])
  }
  await pause(turn.headersAfter)
  if (turn.status !== undefined) {
    sendJson(response, { error: turn.errorText ?? 'it went wrong' }, turn.status)
    return false
  }
  response.writeHead(200, { 'content-type': wire.contentType })
  response.flushHeaders()
  await pause(turn.firstTokenAfter)
  let sent = 0
  for (const piece of pieces(turn)) {
    if (left || (await breaksAt(response, turn, wire, sent))) return left
    response.write(wire.piece(piece))
    sent++
    // An endless turn must see that the client left.
    if (turn.endless) await new Promise((done) => setImmediate(done))
    await pause(turn.tokenAfter)
  }
  if (left || (await breaksAt(response, turn, wire, sent))) return left
  for (const [i, tool] of (turn.tools ?? []).entries())
    response.write(wire.tool(i, tool.name, tool.arguments))
  response.end(wire.end(turn.account ?? {}))
  return left
}

function* pieces({ text = [], endless }: FakeTurn): Generator<string> {
  const all = typeof text === 'string' ? (text.match(/\s*\S+/g) ?? []) : text
  do yield* all
  while (endless && all.length > 0)
}

/** Does what the turn plans after `sent` pieces; true when nothing follows it. */
async function breaksAt(
  response: ServerResponse,
  turn: FakeTurn,
  wire: Wire,
  sent: number,
): Promise<boolean> {
  if (turn.malformedAfter === sent)
    response.write('data: {"half": \n{"half": \n'.repeat(turn.malformed ?? 1))
  if (turn.errorAfter === sent) {
    response.end(wire.error(turn.errorText ?? 'it went wrong'))
    return true
  }
  if (turn.disconnectAfter === sent) {
    // What was written has to leave first, else nobody would see the pieces before the cut.
    await new Promise((done) => setImmediate(done))
    response.destroy()
    return true
  }
  if (turn.endAfter === sent) {
    response.end()
    return true
  }
  return false
}
