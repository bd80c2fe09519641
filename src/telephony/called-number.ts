/** Which of our numbers an INVITE calls, and who calls. Pure; what a trunk writes may be anything. */
import { formatNumber, readNumber } from './number-format.ts'
import { headerOf, headersOf, printable, splitList, type WireMessage } from './sip/wire-message.ts'
import type { NumberFormat, TrunkOptions } from './trunk-options.ts'

export const ANONYMOUS = 'anonymous'
/** RFC 3323 §4.1, RFC 3325 §9.1: the caller asked for it, and those who do not sign say so in the user part. */
const WITHHELD = /^(anonymous|unavailable|unknown|restricted|private|withheld)$/i
const PRIVACY = new Set(['id', 'user', 'header'])
const FORMATS: readonly NumberFormat[] = ['+e164', 'e164', 'national']
/** Longer than any number or account name. */
const MAX_CALLER = 64

/**
 * The number of `trunk` that is called, E.164; null when it is none of them. A request-URI that names our registration
 * (`contactUser`) says nothing of the number: then the To header does, or a trunk that has only one.
 */
export function calledNumber(
  invite: WireMessage,
  trunk: Pick<TrunkOptions, 'numbers'>,
  contactUser: string,
): string | null {
  const user = userOf(invite.requestUri)
  const find = (said: string): string | undefined =>
    trunk.numbers.find((number) => isWritten(said, number))
  if (user !== contactUser) return find(user) ?? null
  const only = trunk.numbers.length === 1 ? trunk.numbers[0] : undefined
  return find(userOf(headerOf(invite, 'to') ?? '')) ?? find(user) ?? only ?? null
}

/**
 * Who calls: what the trunk asserts (RFC 3325) before what the caller says. E.164 where the trunk's number format tells
 * it, else as it came; `anonymous` where it is withheld.
 */
export function callerNumber(
  invite: WireMessage,
  trunk: Pick<TrunkOptions, 'numbers' | 'numberFormat'>,
): string {
  const privacy = (headerOf(invite, 'privacy') ?? '').toLowerCase().split(/[;,\s]+/)
  if (privacy.some((wish) => PRIVACY.has(wish))) return ANONYMOUS
  const asserted = headersOf(invite, 'p-asserted-identity').flatMap(splitList)
  const users = [...asserted, headerOf(invite, 'from') ?? '']
    .map(userOf)
    .filter((user) => user !== '')
  const [user] = users
  if (user === undefined || WITHHELD.test(user)) return ANONYMOUS
  for (const each of users.slice(0, asserted.length || 1)) {
    const number = readNumber(each, trunk.numberFormat, trunk.numbers[0])
    if (number !== null) return number
  }
  return printable(user).slice(0, MAX_CALLER).trim() || ANONYMOUS
}

/** The user part of a SIP URI or the number of a `tel` one, bare or in `<>`; empty when there is none. */
export function userOf(value: string): string {
  const unquoted = value.replace(/"(?:[^"\\]|\\.)*"/g, '')
  const uri = /<([^>]*)>/.exec(unquoted)?.[1] ?? unquoted
  const user = /^\s*(?:sips?:([^@;:>]*)[^@>]*@|tel:([^;>\s]*))/i.exec(uri)
  const text = user?.[1] ?? user?.[2] ?? ''
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether a trunk may write one of our numbers so, whichever format it keeps to. */
function isWritten(text: string, number: string): boolean {
  const said = text.replace(/[-.() ]/g, '')
  const international = `00${number.slice(1)}`
  return (
    said === international ||
    FORMATS.some((format) => formatNumber(number, format, number) === said)
  )
}
