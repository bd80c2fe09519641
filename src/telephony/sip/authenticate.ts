/**
 * Answers the challenges of one request (RFC 3261 §22): each realm on the way has its own, and of several for one
 * realm the strongest that we know is taken (RFC 8760 §2.4).
 */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Ids } from '../../core/ids.ts'
import { type Challenge, type Credentials, Digest, strengthOf } from './digest.ts'
import { fastParse } from './fast-grammar.ts'

/** Proxies on the way that may each ask; who names more is playing with us. */
const MAX_REALMS = 4
/** Challenges of one response that are looked at. */
const MAX_CHALLENGES = 8

export const CHALLENGE_HEADERS = ['www-authenticate', 'proxy-authenticate'] as const
const ANSWER_HEADER = {
  'www-authenticate': 'Authorization',
  'proxy-authenticate': 'Proxy-Authorization',
} as const
type ChallengeHeader = (typeof CHALLENGE_HEADERS)[number]

export class Authentication {
  private readonly credentials: Credentials
  private readonly ids: Ids
  private readonly realms = new Map<string, { header: ChallengeHeader; digest: Digest }>()
  private readonly values = new Map<string, string>()

  constructor(credentials: Credentials, ids: Ids) {
    this.credentials = credentials
    this.ids = ids
  }

  /**
   * The header lines, complete, that the request has to carry now: what earlier challenges asked for too. Null when
   * a challenge cannot be answered, or must not be: a realm that asks again has refused our password.
   */
  answer(
    challenges: (header: ChallengeHeader) => readonly string[],
    request: { method: string; uri: string; body: string },
  ): { name: string; values: string[] }[] | null {
    let answered = false
    for (const header of CHALLENGE_HEADERS)
      for (const [realm, challenge] of strongest(challenges(header))) {
        const key = `${header} ${realm}`
        const value = this.digestFor(key, header)?.answer(challenge, request) ?? null
        if (value === null) return null
        this.values.set(key, value)
        answered = true
      }
    return answered ? this.lines() : null
  }

  private digestFor(key: string, header: ChallengeHeader): Digest | undefined {
    const known = this.realms.get(key)
    if (known) return known.digest
    if (this.realms.size >= MAX_REALMS) return undefined
    const digest = new Digest(this.credentials, this.ids)
    this.realms.set(key, { header, digest })
    return digest
  }

  private lines(): { name: string; values: string[] }[] {
    return CHALLENGE_HEADERS.flatMap((header) => {
      const values = [...this.realms]
        .filter(([, realm]) => realm.header === header)
        .flatMap(([key]) => this.values.get(key) ?? [])
      return values.length > 0 ? [{ name: ANSWER_HEADER[header], values }] : []
    })
  }
}

/** By realm the challenge to answer; realms that only ask for what we do not know are left out. */
export function strongest(values: readonly string[]): Map<string, Challenge> {
  const best = new Map<string, Challenge>()
  const each = values.flatMap(splitChallenges)
  for (const value of each.slice(0, MAX_CHALLENGES)) {
    const challenge = fastParse(value, 'WWW_Authenticate') as Challenge | undefined
    if (!challenge || typeof challenge.realm !== 'string') continue
    const known = best.get(challenge.realm)
    const strength = strengthOf(challenge)
    if (strength > (known ? strengthOf(known) : 0)) best.set(challenge.realm, challenge)
  }
  return best
}

/** Each challenge has a header of its own (RFC 3261 §20.44); some write several into one, as HTTP does. */
function splitChallenges(value: string): string[] {
  const quoted = value.match(/"(?:[^"\\]|\\.)*"|[^"]+|"/g) ?? []
  const marked = quoted.map((piece) =>
    piece.startsWith('"') ? piece : piece.replace(/,\s*(?=[A-Za-z][\w-]*[ \t]+[\w-]+\s*=)/g, '\n'),
  )
  return marked.join('').split('\n')
}

/** What is used of sip.js's UserAgentClient, whose type hides half of it. */
interface Client {
  message: Core.OutgoingRequestMessage
  init(): void
}

const perRequest = new WeakMap<object, Authentication>()

/**
 * Stands in for sip.js's own answer to 401 and 407, which knows one challenge, one realm and MD5. False: the request
 * was sent again. `begin` makes what answers a request's challenges, undefined without credentials.
 */
export function authenticationGuard(
  client: Client,
  response: Core.IncomingResponseMessage,
  o: { dialog: Core.Dialog | undefined; begin: () => Authentication | undefined },
): boolean {
  if (response.statusCode !== 401 && response.statusCode !== 407) return true
  const authentication = perRequest.get(client) ?? o.begin()
  if (!authentication) return true
  perRequest.set(client, authentication)
  const { message } = client
  const lines = authentication.answer((header) => response.getHeaders(header), {
    method: message.method,
    uri: message.ruri.toRaw(),
    body: message.body?.body ?? '',
  })
  if (!lines) return true
  for (const { name, values } of lines) message.setHeader(name, values)
  message.cseq = nextSequence(message.cseq, o.dialog)
  message.setHeader('cseq', `${message.cseq} ${message.method}`)
  client.init()
  return false
}

/** Inside a dialog other requests may have counted on meanwhile. */
function nextSequence(current: number, dialog: Core.Dialog | undefined): number {
  if (!dialog?.localSequenceNumber) return current + 1
  dialog.incrementLocalSequenceNumber()
  return dialog.localSequenceNumber
}
