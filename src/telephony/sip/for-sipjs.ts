/**
 * Messages made fit for sip.js's parser, which drops a whole message for one header that it cannot read, and which
 * knows nothing of bodies in several parts. What nothing hangs on may be as wrong as it likes.
 */
import { Grammar } from 'sip.js/lib/grammar/index.js'
import { CHALLENGE_HEADERS } from './authenticate.ts'
import { bracket, type Endpoint, protocolOf } from './transport.ts'
import { bodyOf, headerOf, splitList, type WireHeader, type WireMessage } from './wire-message.ts'

/** Lists of addresses that the parser reads, by the name of the rule that it reads them with. */
const ADDRESS_LISTS: Record<string, string> = { contact: 'Contact', 'record-route': 'Record_Route' }
/** Other headers that it reads, and that nothing asks it for. */
const UNUSED: readonly string[] = [...CHALLENGE_HEADERS, 'refer-to', 'max-forwards']
const MAX_PARTS = 16
/** Requests whose body, and that of their responses, is a description where they do not say what it is. */
const DESCRIBING = new Set(['INVITE', 'ACK', 'PRACK', 'UPDATE'])

/**
 * A response to a request of ours. Returns the headers that were taken out: they are to be added to what the parser
 * makes of the rest. A 2xx to an INVITE keeps its Record-Route whatever it is: without it the dialog would go astray.
 */
export function fitResponse(message: WireMessage, source: Endpoint): WireHeader[] {
  const invited = message.method === 'INVITE'
  const isAnswer = invited && message.status >= 200 && message.status < 300
  message.startLine = message.startLine
    .replace(/^SIP\/\d+\.\d+/i, 'SIP/2.0')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is removed
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
  const taken = takeOut(message, isAnswer ? ['contact'] : ['contact', 'record-route'])
  fitBody(message)
  if (invited && message.status < 300 && !headerOf(message, 'contact'))
    // The dialog goes on with whoever answered.
    message.headers.push({ name: 'contact', value: `<${uriOf(source)}>` })
  // An address that the dialog cannot have is none of its business.
  return invited && message.status < 300
    ? taken.filter(({ name }) => !(name in ADDRESS_LISTS))
    : taken
}

/**
 * A request for a call of ours, or one that begins a call. `target`: where the other side of its dialog is; who does not
 * say anew is still there.
 */
export function fitRequest(message: WireMessage, target: string | undefined): void {
  takeOut(message, message.toTag === undefined ? [] : ['contact', 'record-route'])
  if (target !== undefined && message.method === 'INVITE' && !headerOf(message, 'contact'))
    message.headers.push({ name: 'contact', value: `<${target}>` })
  spreadVias(message)
  fitBody(message)
}

/** Takes out of `lists` each value that cannot be read, and what nobody asks the parser for. */
function takeOut(message: WireMessage, lists: readonly string[]): WireHeader[] {
  const taken: WireHeader[] = []
  message.headers = message.headers.flatMap((header) => {
    const rule = lists.includes(header.name) ? ADDRESS_LISTS[header.name] : undefined
    if (UNUSED.includes(header.name)) {
      taken.push(header)
      return []
    }
    if (rule === undefined || isReadable(header.value, rule)) return [header]
    const values = splitList(header.value).map((value) => ({ name: header.name, value }))
    const good = values.filter(({ value }) => isReadable(value, rule))
    taken.push(...values.filter((value) => !good.includes(value)))
    return good
  })
  return taken
}

function isReadable(value: string, rule: string): boolean {
  try {
    return Array.isArray(Grammar.parse(value, rule))
  } catch {
    return false
  }
}

/** One Via a line, in order: what is written into the topmost must not touch the others. */
function spreadVias(message: WireMessage): void {
  message.headers = message.headers.flatMap((header) =>
    header.name === 'via'
      ? splitList(header.value).map((value) => ({ name: 'via', value }))
      : [header],
  )
}

/** The description alone, where it is one of several parts, and a Content-Type that says so; it may be missing. */
function fitBody(message: WireMessage): void {
  const body = bodyOf(message)
  const type = message.headers.find(({ name }) => name === 'content-type')
  if (body === '') {
    message.headers = message.headers.filter((header) => header !== type)
    return
  }
  if (!type) {
    const describes = DESCRIBING.has(message.method)
    if (describes) message.headers.push({ name: 'content-type', value: 'application/sdp' })
    return
  }
  const part = partOf(type.value, body)
  if (part !== undefined) {
    message.body = part
    type.value = 'application/sdp'
    const length = message.headers.find(({ name }) => name === 'content-length')
    if (length) length.value = String(part.length)
  } else type.value = /^[\w.+!#$&^-]+\/[\w.+!#$&^-]+/.exec(type.value)?.[0] ?? 'unknown/unknown'
}

/** The body of the part that describes sound (RFC 2046 §5.1.1). */
function partOf(type: string, body: string): string | undefined {
  const quoted = /^\s*multipart\/.*;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    type,
  )
  const boundary = quoted?.[1] ?? quoted?.[2]
  if (boundary === undefined) return undefined
  const parts = `\r\n${body}`.split(`\r\n--${boundary}`).slice(1, 1 + MAX_PARTS)
  for (const part of parts) {
    const end = part.indexOf('\r\n\r\n')
    if (end >= 0 && /\r\n(?:Content-Type|c)\s*:\s*application\/sdp\b/i.test(part.slice(0, end)))
      return part.slice(end + 4)
  }
  return undefined
}

/** The SIP URI of an address. */
export function uriOf(endpoint: Endpoint): string {
  const protocol = protocolOf(endpoint)
  const transport = protocol === 'UDP' ? '' : `;transport=${protocol.toLowerCase()}`
  return `sip:${bracket(endpoint.host)}:${endpoint.port}${transport}`
}
