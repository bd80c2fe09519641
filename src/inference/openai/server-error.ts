import { abortError, isAbortError } from '../../core/abort.ts'
import { reasonOf } from '../../core/errors.ts'

/** An answer's body is shown up to here. */
const SHOWN = 200
const MAX_ERROR_BODY = 4096

/** What a failed connection is called, by the error codes of fetch. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'it closed the connection',
  ConnectionClosed: 'it closed the connection',
  ENOTFOUND: 'its name does not resolve',
  DNSResolveFailed: 'its name does not resolve',
  FailedToOpenSocket: 'it cannot be reached',
  EHOSTUNREACH: 'it cannot be reached',
  ENETUNREACH: 'it cannot be reached',
  ETIMEDOUT: 'it timed out',
}

/** An engine's server answered, and said no. */
export class ServerRefusal extends Error {
  readonly status: number
  /** Its words, as far as they are shown. */
  readonly said: string
  constructor(server: string, status: number, said: string) {
    super(`${server} answered ${status}${said === '' ? '' : `: ${said}`}`)
    this.name = 'ServerRefusal'
    this.status = status
    this.said = said
  }
}

/** What to throw for `error`: AbortError when the caller aborted, else one sentence that begins with `server`. */
export function toServerError(server: string, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted || isAbortError(error)) return abortError()
  if (error instanceof ServerRefusal) return error
  const code = codeOf(error)
  const cause = code === undefined ? undefined : CAUSES[code]
  if (cause) return new Error(`${server} does not answer: ${cause}`, { cause: error })
  return new Error(`${server} failed: ${reasonOf(error).slice(0, SHOWN)}`, { cause: error })
}

/** Turns a response that is no success into a ServerRefusal with what its body says. */
export async function toRefusal(server: string, response: Response): Promise<ServerRefusal> {
  const body = await readBounded(response, MAX_ERROR_BODY).catch(() => '')
  return new ServerRefusal(server, response.status, messageIn(body))
}

/** The error's text in `{"error": "…"}`, `{"error": {"message": "…"}}` or `{"message": "…"}`, else the body itself. */
export function messageIn(body: string): string {
  let said: unknown = body
  try {
    const parsed: unknown = JSON.parse(body)
    const error = field(parsed, 'error')
    said = field(error, 'message') ?? error ?? field(parsed, 'message') ?? body
  } catch {
    // No JSON: a proxy's page, or plain text.
  }
  const text = typeof said === 'string' ? said : body
  // Control bytes have no place in a log line.
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, SHOWN)
    .trim()
}

/** Reads a body as text; what lies beyond `maxBytes` is not read. */
export async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk.subarray(0, maxBytes - size), { stream: true })
    size += chunk.length
    if (size >= maxBytes) break
  }
  return text
}

/** `value[name]` of whatever `value` is. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function codeOf(error: unknown): string | undefined {
  const code = field(error, 'code') ?? field(field(error, 'cause'), 'code')
  return typeof code === 'string' ? code : undefined
}
