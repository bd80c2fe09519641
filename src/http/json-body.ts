import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { invalid } from './errors.ts'

export const MAX_BODY_BYTES = 256 * 1024
/** From the headers to the last byte of the body. */
const BODY_DEADLINE_MS = 15_000
/** Deeper than any body of this API, and far from where the parser's stack ends. */
const MAX_DEPTH = 32

/** Refuses a body that is not declared as JSON; parameters and case do not matter, the text is UTF-8 (RFC 8259 §8.1). */
export function requireJson(request: Request): void {
  const type = (request.headers.get('content-type') ?? '').split(';')[0] ?? ''
  if (type.trim().toLowerCase() !== 'application/json')
    throw new AppError(
      'unsupported_media_type',
      'The body must be JSON: send the header Content-Type: application/json.',
    )
}

/** Refuses a body by its declared length, before any of it is read. */
export function refuseDeclaredLength(request: Request): void {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge()
}

/**
 * Reads the whole body: up to MAX_BODY_BYTES, whatever its length was said to be, and within 15 s.
 * Throws payload_too_large or request_timeout.
 */
export async function readBody(request: Request, clock: Clock): Promise<Uint8Array> {
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  let late = false
  const giveUp = (): void => void reader.cancel().catch(() => undefined)
  const forget = clock.after(BODY_DEADLINE_MS, () => {
    late = true
    giveUp()
  })
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.byteLength
      if (size > MAX_BODY_BYTES) throw tooLarge()
      chunks.push(next.value)
    }
  } catch (error) {
    giveUp()
    if (error instanceof AppError) throw error
    throw new AppError('invalid_request', 'The connection ended inside the body.', { cause: error })
  } finally {
    forget()
  }
  if (late)
    throw new AppError(
      'request_timeout',
      `The body did not arrive within ${BODY_DEADLINE_MS / 1000} seconds.`,
    )
  return Buffer.concat(chunks)
}

/**
 * The value of a JSON text in UTF-8; a byte order mark is skipped. Duplicate keys: the last one counts.
 * Throws invalid_request for what is no JSON, invalid UTF-8, deep nesting, NUL and lone surrogates in any string.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('The body is not valid UTF-8.')
  }
  if (text.trim() === '') throw invalid('The body is empty: it must be a JSON object.')
  refuseDepth(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('The body is not valid JSON.')
  }
  refuseBadText(value)
  return value
}

/** JSON with sorted keys and no blanks: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}

/** Counts brackets outside strings, so that the parser never sees a text that would exhaust its stack. */
function refuseDepth(text: string): void {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '{' || c === '[') {
      if (++depth > MAX_DEPTH) throw invalid(`The body is nested deeper than ${MAX_DEPTH} levels.`)
    } else if (c === '}' || c === ']') depth--
  }
}

function refuseBadText(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw invalid('A string in the body holds the character NUL.')
    if (!value.isWellFormed())
      throw invalid('A string in the body holds half of a surrogate pair: it is no valid Unicode.')
  } else if (Array.isArray(value)) for (const item of value) refuseBadText(item)
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) {
      refuseBadText(key)
      refuseBadText(item)
    }
}

function tooLarge(): AppError {
  return new AppError('payload_too_large', `The body may have up to ${MAX_BODY_BYTES / 1024} KiB.`)
}
