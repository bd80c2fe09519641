/** Answers to what belongs to no call: made without keeping anything (RFC 3261 §8.2.7). */
import { createHmac } from 'node:crypto'
import { type Endpoint, protocolOf, type Source } from './transport.ts'
import {
  bodyOf,
  declaredLength,
  headerOf,
  headersOf,
  splitList,
  type Via,
  type WireMessage,
} from './wire-message.ts'

export interface Reply {
  status: number
  reason: string
  headers?: string[]
}

/** What a dialog of ours takes; REFER is understood and declined, so it is not offered. */
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, UPDATE, OPTIONS, INFO, NOTIFY, MESSAGE'
/** Extensions that a request may insist on (RFC 4028). */
const HONOURED = new Set(['timer'])

/** Methods that exist (RFC 3261 and its extensions) and are of no use to us outside a call. */
const KNOWN = new Set(
  'REGISTER SUBSCRIBE NOTIFY PUBLISH MESSAGE INFO REFER PRACK UPDATE'.split(' '),
)
/** RFC 3261 §20: these may occur once only. */
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type']
/** As far as its host can be told: an IPv6 address without brackets cannot be (RFC 5118 §4.2). */
const SIP_URI = /^sips?:(?:[^@]*@)?(?:\[[0-9a-f:.]+\]|[^:;?@[\]]+)(?::\d{0,5})?(?:[;?].*)?$/i
const ADDRESSES = ['from', 'to', 'contact']
/** Longer than any address that a trunk writes. */
const MAX_ADDRESS = 4_096
const LARGEST_CSEQ = 2 ** 31 - 1
/** What may be in an INVITE's body: a description, or several parts of which one is (RFC 5621). */
const DESCRIPTION = /^\s*(application\/sdp|multipart\/)/i
const ACCEPTED = 'Accept: application/sdp'

const UNKNOWN: Reply = { status: 481, reason: 'Call/Transaction Does Not Exist' }
const bad = (reason: string): Reply => ({ status: 400, reason })

/**
 * What is wrong with a request, whatever it asks: the reply for it, `drop` when none can be made, null when fine.
 * `stream`: it came over TCP or TLS.
 */
export function judgeRequest(
  message: WireMessage,
  o: { stream: boolean } = { stream: false },
): Reply | 'drop' | null {
  if (!message.via?.branch || !message.callId || !message.fromTag) return canReply(message)
  if (!headerOf(message, 'to')) return canReply(message)
  if (!/ SIP\/2\.0$/i.test(message.startLine.trimEnd()))
    return { status: 505, reason: 'Version Not Supported' }
  if (SINGLE.some((name) => headersOf(message, name).length > 1)) return bad('Repeated Header')
  const { cseq } = message
  if (!cseq || cseq.method !== message.method || cseq.number > LARGEST_CSEQ) return bad('Bad CSeq')
  const hops = headerOf(message, 'max-forwards')
  // RFC 3261 §20.22: 0 to 255; zeros before it are harmless (RFC 4475 §3.1.1.1).
  if (hops !== undefined && !(/^\d{1,10}$/.test(hops) && Number(hops) <= 255))
    return bad('Bad Max-Forwards')
  const length = declaredLength(message)
  // RFC 3261 §18.3: over a datagram a body that is shorter than it says is an error.
  if (Number.isNaN(length) || (length ?? 0) > message.body.length) return bad('Bad Content-Length')
  // RFC 3261 §20.14: over a stream it is what tells where the message ends.
  if (length === undefined && o.stream && message.method !== 'ACK')
    return bad('Missing Content-Length')
  if (!ADDRESSES.every((name) => headersOf(message, name).every(isAddressLike)))
    return bad('Bad Address')
  if (message.method === 'ACK' || message.method === 'CANCEL') return null
  return judgeDemands(message)
}

function judgeDemands(message: WireMessage): Reply | null {
  if (/[\s<>"]/.test(message.requestUri)) return bad('Bad Request-URI')
  if (!/^sips?:/i.test(message.requestUri)) return { status: 416, reason: 'Unsupported URI Scheme' }
  if (!SIP_URI.test(message.requestUri)) return bad('Bad Request-URI')
  const required = headersOf(message, 'require').flatMap(splitList)
  const unknown = required.filter((tag) => !HONOURED.has(tag.toLowerCase()))
  if (unknown.length > 0) {
    const headers = [`Unsupported: ${unknown.join(', ')}`]
    return { status: 420, reason: 'Bad Extension', headers }
  }
  return message.method === 'INVITE' ? judgeDescription(message) : null
}

/** What an INVITE brings to describe sound with, and what it takes as an answer (RFC 3261 §8.2.3, §21.4.7). */
function judgeDescription(message: WireMessage): Reply | null {
  const type = headerOf(message, 'content-type')
  if (bodyOf(message).trim() !== '' && type !== undefined && !DESCRIPTION.test(type))
    return { status: 415, reason: 'Unsupported Media Type', headers: [ACCEPTED] }
  const accepts = headersOf(message, 'accept').flatMap(splitList)
  if (accepts.length > 0 && !accepts.some((range) => /^(\*|application\/(\*|sdp))/i.test(range)))
    return { status: 406, reason: 'Not Acceptable', headers: [ACCEPTED] }
  return null
}

/** Quotes and angle brackets that close, and no space in an address (RFC 3261 §25.1, as far as anybody relies on it). */
function isAddressLike(value: string): boolean {
  if (value.length > MAX_ADDRESS) return false
  const bare = value.replace(/"(?:[^"\\]|\\.)*"/g, '')
  if (bare.includes('"')) return false
  const open = bare.split('<').length
  if (open !== bare.split('>').length) return false
  return open > 1 ? !/<[^>\s<]*[\s<]/.test(bare) : !/^[^;,]*[^;,\s]\s+[^;,\s]/.test(bare)
}

/** A message without what a reply has to copy gets none. */
function canReply(message: WireMessage): Reply | 'drop' {
  return message.via && message.method !== 'ACK' ? bad('Missing Header') : 'drop'
}

/** The reply to a request outside every call; an INVITE that nobody takes rings nowhere. */
export function answerOutside(message: WireMessage): Reply | null {
  switch (message.method) {
    case 'ACK':
      return null
    case 'OPTIONS':
      return {
        status: 200,
        reason: 'OK',
        headers: [`Allow: ${ALLOW}`, ACCEPTED],
      }
    case 'INVITE':
      return message.toTag === undefined ? { status: 403, reason: 'Forbidden' } : UNKNOWN
    case 'BYE':
    case 'CANCEL':
      return UNKNOWN
  }
  if (message.toTag) return UNKNOWN
  if (KNOWN.has(message.method))
    return { status: 405, reason: 'Method Not Allowed', headers: [`Allow: ${ALLOW}`] }
  return { status: 501, reason: 'Not Implemented', headers: [`Allow: ${ALLOW}`] }
}

/** The reply as text; a header that the request lacks is left out, one that makes no sense goes back as it came. Its To tag follows from `secret` and the request: a retransmission gets the same one. */
export function renderReply(
  message: WireMessage,
  reply: Reply,
  o: { secret: string; source: Endpoint },
): string {
  const [top, ...otherVias] = headersOf(message, 'via').flatMap(splitList)
  const vias = [top === undefined ? '' : withSource(top, message.via, o.source), ...otherVias]
  const lines = [
    `SIP/2.0 ${reply.status} ${reply.reason}`,
    ...vias.map((via) => `Via: ${via}`),
    ...copied('From', headerOf(message, 'from')),
    ...copied('To', toWithTag(message, o.secret)),
    ...copied('Call-ID', message.callId),
    ...copied('CSeq', headerOf(message, 'cseq')),
    ...(reply.headers ?? []),
    'Content-Length: 0',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function copied(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${name}: ${value}`]
}

function toWithTag(message: WireMessage, secret: string): string | undefined {
  const to = headerOf(message, 'to')
  if (to === undefined || message.toTag) return to
  const mac = createHmac('sha256', secret).update(`${message.callId}\n${message.via?.branch}`)
  return `${to};tag=${mac.digest('hex').slice(0, 16)}`
}

/** The top Via with what we saw of its sender: `received` (RFC 3261 §18.2.1) and `rport` (RFC 3581 §4). */
export function withSource(value: string, via: Via | undefined, source: Endpoint): string {
  if (!via) return value
  const asksRport = /;\s*rport\s*(=|;|$)/i.test(via.params)
  const kept = via.params.replace(
    /;\s*(rport|received)\s*(=\s*("[^"]*"|[^;,\s]*))?\s*(?=;|$)/gi,
    '',
  )
  const rport = asksRport ? `;rport=${source.port}` : ''
  return `SIP/${via.version}/${via.transport} ${via.sentBy}${kept};received=${source.host}${rport}`
}

/**
 * Where a response goes: the address that the request came from, at the port RFC 3581 §4 and RFC 3261 §18.2.2 say.
 * Over a stream that is the connection; the port counts only once that is closed.
 */
export function replyTo(via: Via, source: Source): Source {
  if (protocolOf(source) !== 'UDP')
    return source.connection ? { ...source, port: viaPort(via) } : source
  if (/;\s*rport\s*(=|;|$)/i.test(via.params)) return source
  return { host: source.host, port: viaPort(via) }
}

function viaPort(via: Via): number {
  const port = /:(\d{1,5})$/.exec(via.sentBy)?.[1]
  return port === undefined ? 5060 : Number(port)
}
