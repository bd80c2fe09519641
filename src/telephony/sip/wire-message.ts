/**
 * A SIP message as it is on the wire, read far enough to judge and to route it (RFC 3261 §7), in microseconds.
 * Text is latin1: one character is one byte, so that Content-Length counts what it means.
 */

export interface WireHeader {
  /** Lower case, long form. */
  name: string
  /** Unfolded and trimmed. */
  value: string
}

export interface Via {
  /** `2.0`, unless it is of another SIP. */
  version: string
  transport: string
  /** Host and, where given, `:port`. */
  sentBy: string
  branch: string | undefined
  /** What follows the sent-by, beginning with `;`. */
  params: string
}

export interface WireMessage {
  startLine: string
  headers: WireHeader[]
  /** Everything after the empty line. */
  body: string
  kind: 'request' | 'response'
  /** The request's method; a response's comes from its CSeq. Empty when there is none. */
  method: string
  /** 0 for requests. */
  status: number
  /** Empty for responses. */
  requestUri: string
  via: Via | undefined
  callId: string | undefined
  cseq: { number: number; method: string } | undefined
  fromTag: string | undefined
  toTag: string | undefined
}

const MAX_HEADERS = 128

/** RFC 3261 §7.3.3 and the registry of compact forms, as far as we read them. */
const COMPACT: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  k: 'supported',
  s: 'subject',
  r: 'refer-to',
  e: 'content-encoding',
  o: 'event',
  x: 'session-expires',
}

const REQUEST_LINE = /^([!%'*+\-.0-9A-Z_`a-z~]{1,64}) +(\S(?:.*\S)?) +SIP\/\d+\.\d+ *$/i
const STATUS_LINE = /^SIP\/\d+\.\d+ (\d{1,10})(?: |$)/i
const VIA =
  /^SIP\s*\/\s*(\d{1,3}\.\d{1,3})\s*\/\s*([^\s/;,]+)\s+(\[[^\]]*\]|[^\s;:,]+)(?:\s*:\s*(\d{1,5}))?\s*/i

/** Reads one datagram. Undefined when it does not look like SIP at all. */
export function readWire(datagram: string): WireMessage | undefined {
  // RFC 3261 §7.5: empty lines before the start line count for nothing.
  const text = datagram.startsWith('\r\n') ? datagram.replace(/^(?:\r\n)+/, '') : datagram
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const lines = text.slice(0, headEnd).split('\r\n')
  const startLine = lines[0] ?? ''
  const status = STATUS_LINE.exec(startLine)
  const request = status ? null : REQUEST_LINE.exec(startLine)
  if (!status && !request) return undefined
  const headers = readHeaders(lines)
  if (!headers) return undefined
  const cseq = readCseq(first(headers, 'cseq'))
  return {
    startLine,
    headers,
    body: text.slice(headEnd + 4),
    kind: status ? 'response' : 'request',
    method: request?.[1] ?? cseq?.method ?? '',
    status: status ? Number(status[1]) : 0,
    requestUri: request?.[2] ?? '',
    via: readVia(first(headers, 'via')),
    callId: first(headers, 'call-id'),
    cseq,
    fromTag: tagOf(first(headers, 'from')),
    toTag: tagOf(first(headers, 'to')),
  }
}

function readHeaders(lines: readonly string[]): WireHeader[] | undefined {
  const headers: WireHeader[] = []
  for (const line of lines.slice(1)) {
    const last = headers.at(-1)
    if (/^[ \t]/.test(line)) {
      if (!last) return undefined
      last.value = `${last.value} ${line.trim()}`.trim()
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1 || headers.length >= MAX_HEADERS) return undefined
    const name = line.slice(0, colon).trim().toLowerCase()
    headers.push({ name: COMPACT[name] ?? name, value: line.slice(colon + 1).trim() })
  }
  return headers
}

function first(headers: readonly WireHeader[], name: string): string | undefined {
  return headers.find((header) => header.name === name)?.value
}

function readCseq(value: string | undefined): { number: number; method: string } | undefined {
  const match = /^(\d{1,12})\s+(\S{1,64})$/.exec(value ?? '')
  return match ? { number: Number(match[1]), method: match[2] ?? '' } : undefined
}

/** The first value of a Via header. */
export function readVia(value: string | undefined): Via | undefined {
  const match = VIA.exec(value ?? '')
  if (!match || value === undefined) return undefined
  const rest = value.slice(match[0].length)
  const comma = rest.indexOf(',')
  const params = comma < 0 ? rest : rest.slice(0, comma)
  if (params !== '' && !params.startsWith(';')) return undefined
  return {
    version: match[1] ?? '',
    transport: match[2] ?? '',
    sentBy: match[4] === undefined ? (match[3] ?? '') : `${match[3]}:${match[4]}`,
    branch: paramOf(params, 'branch'),
    params,
  }
}

/** The value of `;name=value` in `text`; empty for a bare `;name`; undefined when it is not there. */
export function paramOf(text: string, name: string): string | undefined {
  const pattern = new RegExp(`;\\s*${name}\\s*(?:=\\s*("[^"]*"|[^;,\\s]*))?\\s*(?=;|,|$)`, 'i')
  const match = pattern.exec(text)
  return match ? (match[1] ?? '') : undefined
}

/** The tag of a From or To value: a parameter of the header, not of the URI inside `<>`. */
export function tagOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const params = value.slice(value.lastIndexOf('>') + 1)
  return paramOf(params, 'tag') || undefined
}

/** All values of a header, in order. */
export function headersOf(message: WireMessage, name: string): string[] {
  return message.headers.filter((header) => header.name === name).map((header) => header.value)
}

export function headerOf(message: WireMessage, name: string): string | undefined {
  return first(message.headers, name)
}

/** The body's length as the message tells it; undefined when it does not, NaN when it is no number. */
export function declaredLength(message: WireMessage): number | undefined {
  const value = first(message.headers, 'content-length')
  if (value === undefined) return undefined
  return /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
}

/** The message as text again: each header on one line, the body cut to its declared length (RFC 3261 §18.3). */
export function renderWire(message: WireMessage): string {
  const lines = message.headers.map((header) => `${header.name}: ${header.value}\r\n`)
  return `${message.startLine}\r\n${lines.join('')}\r\n${bodyOf(message)}`
}

export function bodyOf(message: WireMessage): string {
  const length = declaredLength(message)
  return length === undefined || Number.isNaN(length) ? message.body : message.body.slice(0, length)
}

/** Splits a header's list at its commas, leaving those inside quotes and `<>` alone. */
export function splitList(value: string): string[] {
  const parts = value.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** Text without control bytes, fit for a log line or an answer to a person; at most 200 characters. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 200)
}
