/** Answers to digest challenges: RFC 2617 and 7616, with and without qop. */
import { createHash } from 'node:crypto'
import type { Ids } from '../../core/ids.ts'

/** RFC 7616 §3.3; a challenge without an algorithm means MD5. */
const ALGORITHMS: Record<string, { hash: string; strength: number }> = {
  MD5: { hash: 'md5', strength: 1 },
  'SHA-256': { hash: 'sha256', strength: 2 },
  'SHA-512-256': { hash: 'sha512-256', strength: 3 },
}
/** Nonces that one request may answer: the first, and one that replaces a stale one. */
const MAX_ANSWERS = 2

export interface Challenge {
  realm?: unknown
  nonce?: unknown
  algorithm?: unknown
  opaque?: unknown
  qop?: unknown
  stale?: unknown
}

export interface Credentials {
  username: string
  password: string
}

export interface DigestRequest {
  method: string
  /** The request-URI as it is on the wire. */
  uri: string
  body: string
}

/** The answers of one request. A nonce is answered once: a second challenge with it means a wrong password. */
export class Digest {
  private readonly credentials: Credentials
  private readonly ids: Ids
  private readonly answered = new Set<string>()

  constructor(credentials: Credentials, ids: Ids) {
    this.credentials = credentials
    this.ids = ids
  }

  /** The value of (Proxy-)Authorization, or null when the challenge cannot or must not be answered. */
  answer(challenge: Challenge, request: DigestRequest): string | null {
    const { realm, nonce } = challenge
    if (typeof realm !== 'string' || typeof nonce !== 'string') return null
    if (this.answered.has(nonce) || this.answered.size >= MAX_ANSWERS) return null
    if (this.answered.size > 0 && challenge.stale !== true) return null
    const qop = chooseQop(challenge.qop)
    const name = typeof challenge.algorithm === 'string' ? challenge.algorithm : 'MD5'
    const session = /-sess$/i.test(name)
    const algorithm = algorithmOf(challenge)?.hash
    if (!algorithm || qop === null) return null
    this.answered.add(nonce)
    const hash = (text: string): string =>
      createHash(algorithm).update(Buffer.from(text, 'latin1')).digest('hex')
    const cnonce = this.ids.hex(8)
    const count = '00000001'
    const ha1 = this.secretHash({ hash, realm, nonce, cnonce, session })
    const bodyPart = qop === 'auth-int' ? `:${hash(request.body)}` : ''
    const ha2 = hash(`${request.method}:${request.uri}${bodyPart}`)
    const response = qop
      ? hash(`${ha1}:${nonce}:${count}:${cnonce}:${qop}:${ha2}`)
      : hash(`${ha1}:${nonce}:${ha2}`)
    const parts = [
      `username=${quote(byteString(this.credentials.username))}`,
      // realm and nonce come from inside quotes and go back as they were, escapes and all.
      `realm="${realm}"`,
      `nonce="${nonce}"`,
      `uri="${request.uri}"`,
      `response="${response}"`,
    ]
    if (typeof challenge.algorithm === 'string') parts.push(`algorithm=${name}`)
    if (typeof challenge.opaque === 'string') parts.push(`opaque="${challenge.opaque}"`)
    if (qop) parts.push(`qop=${qop}`, `nc=${count}`)
    if (qop || session) parts.push(`cnonce="${cnonce}"`)
    return `Digest ${parts.join(', ')}`
  }

  private secretHash(o: {
    hash(text: string): string
    realm: string
    nonce: string
    cnonce: string
    session: boolean
  }): string {
    const { username, password } = this.credentials
    const plain = o.hash(`${byteString(username)}:${o.realm}:${byteString(password)}`)
    return o.session ? o.hash(`${plain}:${o.nonce}:${o.cnonce}`) : plain
  }
}

/** How much the answer to a challenge is worth; 0: it asks for what we do not know. */
export function strengthOf(challenge: Challenge): number {
  if (chooseQop(challenge.qop) === null) return 0
  return algorithmOf(challenge)?.strength ?? 0
}

function algorithmOf(challenge: Challenge): { hash: string; strength: number } | undefined {
  const name = typeof challenge.algorithm === 'string' ? challenge.algorithm : 'MD5'
  return ALGORITHMS[name.toUpperCase().replace(/-SESS$/, '')]
}

/** Undefined: the challenge names none (RFC 2069); null: it names only what we do not know. */
function chooseQop(offered: unknown): 'auth' | 'auth-int' | undefined | null {
  if (offered === undefined) return undefined
  const names = Array.isArray(offered) ? offered : [offered]
  if (names.includes('auth')) return 'auth'
  return names.includes('auth-int') ? 'auth-int' : null
}

function quote(text: string): string {
  return `"${text.replace(/(["\\])/g, '\\$1')}"`
}

/** Our own text as the bytes that the wire carries: UTF-8, one character a byte. */
export function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
