/** What a log may hold: no secret ever, nothing personal at `info` and above, numbers masked, no control bytes. */
import { maskNumber } from '../core/phone-number.ts'

/** Field names in lower case, without `-` and `_`. Never shown, at no level. */
const SECRET_FIELDS = new Set([
  'key',
  'apikey',
  'xapikey',
  'secret',
  'previoussecret',
  'password',
  'passphrase',
  'authorization',
  'proxyauthorization',
  'credentials',
  'token',
  'cookie',
  'setcookie',
  'signature',
  'privatekey',
])

/** What was said or asked: shown at `debug` only. */
const PERSONAL_FIELDS = new Set([
  'instructions',
  'firstmessage',
  'transcript',
  'turns',
  'text',
  'summary',
  'prompt',
  'messages',
  'content',
  'arguments',
  'body',
  'metadata',
  'responseexcerpt',
  'displayname',
  'digits',
])

/** Hold phone numbers, with or without the `+`. */
const NUMBER_FIELDS = new Set([
  'number',
  'phonenumber',
  'tonumber',
  'fromnumber',
  'transferto',
  'to',
  'from',
  'caller',
  'callee',
])

const SECRET_TEXT: readonly [RegExp, string][] = [
  [/\bsk_live_[\w-]+/g, 'sk_live_[redacted]'],
  [/\bwhsec_[\w+/=-]+/g, 'whsec_[redacted]'],
  [/\b(bearer|basic|digest)\s+[^\s,;"]\S*/gi, '$1 [redacted]'],
  [/\b((?:proxy-)?authorization|x-api-key)(["']?\s*[:=]\s*)[^\r\n]*/gi, '$1$2[redacted]'],
  [
    /\b(password|passwd|api_?key|secret|token)(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
    '$1$2[redacted]',
  ],
  [/(\w+:\/\/)[^\s/@]+@/g, '$1[redacted]@'],
]

/** E.164 in running text, and the user part of a telephone's SIP or tel URI. */
const NUMBER_TEXT = /\+[1-9]\d{6,14}\b|(?<=\b(?:sips?|tel):)\d{7,15}\b/g

const LONGEST_TEXT = 2000
const MOST_ENTRIES = 50
const DEEPEST = 5
const LONGEST_STACK = 12

/** The fields as a log may hold them. `personal`: this line may show what was said. Never throws. */
export function redact(
  fields: Record<string, unknown>,
  o: { personal: boolean },
): Record<string, unknown> {
  return redactEntries(fields, o, 0)
}

/** A text without secrets, with numbers masked and control bytes escaped. */
export function redactText(text: string): string {
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
  let safe = cut
  for (const [pattern, replacement] of SECRET_TEXT) safe = safe.replace(pattern, replacement)
  return escapeControl(safe.replace(NUMBER_TEXT, maskNumber))
}

/** Bytes that would steer a terminal, split a line or turn the reading direction become their escapes. */
export function escapeControl(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
    /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function redactEntries(
  fields: object,
  o: { personal: boolean },
  depth: number,
): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const name of Object.keys(fields).slice(0, MOST_ENTRIES)) {
    try {
      safe[escapeControl(name.slice(0, 100))] = redactField(
        name,
        (fields as Record<string, unknown>)[name],
        o,
        depth,
      )
    } catch {
      safe[escapeControl(name.slice(0, 100))] = '[unreadable]'
    }
  }
  return safe
}

function redactField(
  name: string,
  value: unknown,
  o: { personal: boolean },
  depth: number,
): unknown {
  const plain = name.toLowerCase().replace(/[-_]/g, '')
  if (SECRET_FIELDS.has(plain)) return value === null || value === undefined ? value : '[redacted]'
  if (PERSONAL_FIELDS.has(plain) && !o.personal)
    return value === null || value === undefined ? value : '[withheld]'
  if (NUMBER_FIELDS.has(plain)) return maskNumbers(value, o, depth)
  return redactValue(value, o, depth)
}

function maskNumbers(value: unknown, o: { personal: boolean }, depth: number): unknown {
  if (typeof value !== 'string') return redactValue(value, o, depth)
  return redactText(value.replace(/\+?\d{7,}/g, maskNumber))
}

function redactValue(value: unknown, o: { personal: boolean }, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint' || typeof value === 'symbol') return redactText(String(value))
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return redactError(value, o, depth)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${value.byteLength} bytes]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (depth >= DEEPEST) return '[…]'
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`
  if (Array.isArray(value))
    return value.slice(0, MOST_ENTRIES).map((item) => redactValue(item, o, depth + 1))
  return redactEntries(value, o, depth + 1)
}

function redactError(error: Error, o: { personal: boolean }, depth: number): unknown {
  const { code } = error as { code?: unknown }
  return {
    name: redactText(String(error.name)),
    message: redactText(String(error.message)),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    // A list, so that each line is escaped by itself; its first line is the message again.
    stack: framesOf(error),
    ...(error.cause === undefined || depth >= DEEPEST
      ? {}
      : { cause: redactValue(error.cause, o, depth + 1) }),
  }
}

function framesOf(error: Error): string[] {
  return String(error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, LONGEST_STACK)
    .map((line) => redactText(line.trim()))
}
