/**
 * Regular expressions before sip.js's grammar, which builds its whole parser anew for each header.
 * What they do not match goes to the grammar as before; what they match comes out the same.
 */
import { Grammar, NameAddrHeader, URI } from 'sip.js/lib/grammar/index.js'

const TOKEN = "[!%'*+\\-.0-9A-Z_`a-z~]+"
/** With the underscores that no host name may have and many a container has, and a dot at its end. */
const HOST = '[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\\.?|\\[[0-9A-Fa-f:.]{2,45}\\]'
const USER = "(?:[A-Za-z0-9\\-_.!~*'()&=+$,;?/#]|%[0-9A-Fa-f]{2})+"
const URI_PARAMS = `(?:;${TOKEN}(?:=[^;=?<>@"\\s,]+)?)*`
/** user, host, port, parameters; no password, no headers. */
const SIP_URI = `(sips?):(?:(${USER})@)?(${HOST})(?::(\\d{1,5}))?(${URI_PARAMS})`
const HEADER_PARAMS = `(?:[ \\t]*;[ \\t]*${TOKEN}(?:=(?:${TOKEN}|"[^"\\\\;]*"))?)*`
const DISPLAY = `(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}(?:[ \\t]+${TOKEN})*))?[ \\t]*`

const START_URI = new RegExp(`^([A-Z]{1,20}) ${SIP_URI} SIP/2\\.0$`)
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: ([\x20-\x7e]*))?$/
const CSEQ = /^(\d{1,10})[ \t]+([A-Z]{1,20})$/
const WORD = /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/
const MEDIA_TYPE = new RegExp(
  `^[A-Za-z0-9\\-.+]+/[A-Za-z0-9\\-.+]+(?:;${TOKEN}=(?:${TOKEN}|"[^"\\\\]*"))*$`,
)
const NAME_ADDR = new RegExp(`^${DISPLAY}<${SIP_URI}>(${HEADER_PARAMS})$`)
/** Without `<>` what follows the address are the header's own parameters (RFC 3261 §20). */
const BARE_ADDR = new RegExp(
  `^(sips?):(?:([A-Za-z0-9\\-_.!~*'()&=+$/#]+)@)?(${HOST})(?::(\\d{1,5}))?(${HEADER_PARAMS})$`,
)
/** The grammar knows no tel: carriers write it into From and To (RFC 3966). */
const TEL_ADDR = new RegExp(
  `^${DISPLAY}<tel:(\\+?[0-9\\-.()*#]{1,32})(?:;[^>]*)?>(${HEADER_PARAMS})$`,
)
const VIA = new RegExp(
  `^SIP/2\\.0/(UDP|TCP|TLS) (${HOST})(?::(\\d{1,5}))?((?:;${TOKEN}(?:=[A-Za-z0-9.\\-_:\\[\\]]+)?)*)$`,
)
/** One value of a list, up to its comma. */
const LIST_ITEM = /[ \t]*((?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+)(?:,|$)/y
const CHALLENGE = /^Digest[ \t]+(.*)$/i
const CHALLENGE_END = /[\s,]*$/y
/** Empty items of the list are passed over (RFC 7230 §7). */
const CHALLENGE_PARAM = /[\s,]*([A-Za-z0-9._-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^",\s]+)\s*(?:,|$)/y

/** Undefined: leave it to the grammar. */
type FastPath = (text: string) => unknown

const PATHS: Record<string, FastPath> = {
  Request_Response: parseStartLine,
  CSeq: parseCseq,
  Max_Forwards: parseNumber,
  Content_Length: parseNumber,
  Call_ID: (text) => (WORD.test(text) ? text : undefined),
  Content_Type: (text) => (MEDIA_TYPE.test(text) ? text : undefined),
  Via: parseViaHeader,
  From: parseNameAddr,
  To: parseNameAddr,
  Contact: parseAddresses,
  Record_Route: parseAddresses,
  WWW_Authenticate: parseChallenge,
  Proxy_Authenticate: parseChallenge,
}

/** Puts the fast paths before `Grammar.parse`. */
export function installFastGrammar(): void {
  const slow = Grammar.parse
  Object.assign(Grammar, {
    parse: (text: string, rule: string): unknown => PATHS[rule]?.(text) ?? slow(text, rule),
  })
}

/** What a fast path makes of `text`; undefined where it leaves it to the grammar. */
export function fastParse(text: string, rule: string): unknown {
  return PATHS[rule]?.(text)
}

function parseStartLine(text: string): unknown {
  const status = STATUS_LINE.exec(text)
  if (status)
    return {
      sip_version: 'SIP/2.0',
      status_code: Number(status[1]),
      reason_phrase: status[2] ?? '',
    }
  const request = START_URI.exec(text)
  if (!request) return undefined
  const uri = uriOf(request.slice(2))
  return uri && { method: request[1], uri, sip_version: 'SIP/2.0' }
}

function parseCseq(text: string): unknown {
  const match = CSEQ.exec(text)
  if (!match || Number(match[1]) > 2 ** 31 - 1) return undefined
  return { value: Number(match[1]), method: match[2] }
}

function parseNumber(text: string): unknown {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

function parseViaHeader(text: string): unknown {
  const match = VIA.exec(text)
  if (!match) return undefined
  const params = paramsOf(match[4] ?? '')
  return {
    protocol: 'SIP',
    transport: match[1],
    host: match[2],
    port: match[3] === undefined ? undefined : Number(match[3]),
    branch: params.branch ?? undefined,
    received: params.received ?? undefined,
    rport: params.rport ?? undefined,
    params: {},
  }
}

function parseNameAddr(text: string): NameAddrHeader | undefined {
  const match = NAME_ADDR.exec(text)
  if (match) return addressOf(match[1] ?? match[2], uriOf(match.slice(3)), match[8])
  const bare = BARE_ADDR.exec(text)
  if (bare) return addressOf(undefined, uriOf(bare.slice(1, 5)), bare[5])
  const tel = TEL_ADDR.exec(text)
  if (!tel) return undefined
  return addressOf(tel[1] ?? tel[2], telUri(tel[3] ?? ''), tel[4])
}

function addressOf(
  display: string | undefined,
  uri: URI | undefined,
  params: string | undefined,
): NameAddrHeader | undefined {
  if (!uri) return undefined
  // The type says string; for an address without a display name the grammar itself leaves it undefined.
  return new NameAddrHeader(uri, display as string, nonNull(paramsOf(params ?? '')))
}

/** sip.js writes `//` after every scheme that is not its own. */
function telUri(number: string): URI {
  const text = (): string => `tel:${number}`
  const clone = (): URI => telUri(number)
  return Object.assign(new URI('tel', '', number), { toString: text, toRaw: text, clone })
}

function parseAddresses(text: string): unknown {
  const items: { position: number; offset: number; parsed: NameAddrHeader }[] = []
  LIST_ITEM.lastIndex = 0
  while (LIST_ITEM.lastIndex < text.length) {
    const begin = LIST_ITEM.lastIndex
    const match = LIST_ITEM.exec(text)
    const item = match?.[1] ?? ''
    const parsed = parseNameAddr(item.trimEnd())
    if (!match || !parsed) return undefined
    // The grammar names the end `position` and the beginning `offset`.
    const offset = begin + match[0].indexOf(item)
    items.push({ position: offset + item.length, offset, parsed })
  }
  return items.length > 0 && !text.trimEnd().endsWith(',') ? items : undefined
}

function parseChallenge(text: string): unknown {
  const rest = CHALLENGE.exec(text)?.[1]
  if (rest === undefined) return undefined
  const challenge: Record<string, unknown> = {}
  CHALLENGE_PARAM.lastIndex = 0
  for (;;) {
    CHALLENGE_END.lastIndex = CHALLENGE_PARAM.lastIndex
    if (CHALLENGE_END.test(rest)) break
    const match = CHALLENGE_PARAM.exec(rest)
    if (!match) return undefined
    const value = (match[2] ?? '').replace(/^"([\s\S]*)"$/, '$1')
    const name = (match[1] ?? '').toLowerCase()
    if (name === 'qop') challenge.qop = qopOf(value)
    else if (name === 'stale') challenge.stale = value.toLowerCase() === 'true'
    else if (!(name in challenge)) challenge[name] = value
  }
  return challenge.realm === undefined || challenge.nonce === undefined ? undefined : challenge
}

/** An empty list is as good as none. */
function qopOf(value: string): string[] | undefined {
  const names = value.toLowerCase().split(',')
  const named = names.map((name) => name.trim()).filter((name) => name !== '')
  return named.length > 0 ? named : undefined
}

/** From the groups scheme, user, host, port, parameters. */
function uriOf(groups: readonly (string | undefined)[]): URI | undefined {
  const [scheme, user, host, port, params] = groups
  if (scheme === undefined || host === undefined) return undefined
  const plain = unescapedUser(user)
  if (plain === null) return undefined
  return new URI(
    scheme,
    plain as string,
    host,
    port === undefined ? undefined : Number(port),
    nonNull(paramsOf(params ?? '')),
  )
}

/** Null where the escapes are no text. */
function unescapedUser(user: string | undefined): string | undefined | null {
  if (user === undefined || !user.includes('%')) return user
  try {
    return decodeURIComponent(user)
  } catch {
    return null
  }
}

function paramsOf(text: string): Record<string, string | null> {
  const params: Record<string, string | null> = {}
  for (const part of text.split(';')) {
    const name = part.split('=', 1)[0]?.trim().toLowerCase()
    if (!name) continue
    const value = part.includes('=') ? part.slice(part.indexOf('=') + 1).trim() : null
    params[name] = value
  }
  return params
}

/** sip.js's types have no null, its grammar gives null for a parameter without a value. */
function nonNull(params: Record<string, string | null>): { [name: string]: string } {
  return params as { [name: string]: string }
}
