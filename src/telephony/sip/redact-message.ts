/**
 * A SIP message as it may be shown: what signs in, what a signature is made from and what decrypts sound is blanked.
 * Numbers and names stay. Nothing that cannot be read for certain is let through.
 */

export const BLANK = '[blanked]'

/**
 * RFC 3261 §20: the headers with credentials and challenges, in any case, wherever a line may begin. A value ends where
 * the header does (§7.3.1): at a line end that no white space follows.
 */
const SECRET_HEADERS =
  /^([ \t]*(?:proxy-authorization|authorization|proxy-authenticate|www-authenticate|proxy-authentication-info|authentication-info)[ \t]*:)[\s\S]*?(?=\r\n(?![ \t])|$(?![\s\S]))/gim

/** RFC 7616 §3.3 and §3.4: what says how one signs in, and nothing of who does. */
const SHOWN = new Set(['realm', 'algorithm', 'qop', 'stale', 'uri', 'domain', 'nc', 'charset'])
const HIDDEN = new Set([
  ...['nonce', 'cnonce', 'nextnonce', 'opaque', 'response', 'rspauth', 'username', 'username*'],
  ...['userhash', 'auts'],
])
const SCHEMES = new Set(['digest', 'basic', 'bearer', 'ntlm', 'negotiate', 'kerberos'])

const PARAMETER = /\s*([\w*-]+)\s*=\s*("(?:[^"\\]|\\[\s\S])*"|[^\s,"]+)\s*(?=,|$)/y
const SCHEME = /\s*([\w-]+)(?=\s)/y
const COMMA = /\s*,/y

/** RFC 4568 §9.1: the tag and the suite of a key are shown, the key and what belongs to it are not. */
const CRYPTO = /^([ \t]*a=crypto:)[ \t]*(?:(\d{1,9})[ \t]+(?:([\w-]+)[ \t])?)?[^\r\n]*/gim
/** RFC 4566 §5.12, RFC 4567, RFC 6189 §8, RFC 8839 §5.4. */
const OTHER_KEYS = /^([ \t]*(?:k=|a=key-mgmt:|a=zrtp-hash:|a=ice-pwd:))[^\r\n]*/gim
/** RFC 3261 §19.1.1: the password of a URI. */
const PASSWORD = /(sips?:[^@\s:<>"]{1,256}):[^@\s<>"]{1,256}@/gi

/** `text` is a whole message, or the beginning of one. Takes microseconds. */
export function redactMessage(text: string): string {
  return text
    .replace(
      SECRET_HEADERS,
      (whole, name: string) => `${name} ${blankValue(whole.slice(name.length))}`,
    )
    .replace(CRYPTO, (_, begin: string, tag = '', suite = '') =>
      [`${begin}${tag}`, suite, `inline:${BLANK}`].filter((part) => part !== '').join(' '),
    )
    .replace(OTHER_KEYS, `$1${BLANK}`)
    .replace(PASSWORD, `$1:${BLANK}@`)
}

/** One or several challenges, or credentials: schemes and known parameters, each by itself. */
function blankValue(value: string): string {
  const text = value.trim()
  let out = ''
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  while (at < text.length) {
    const comma = take(COMMA)
    if (comma) {
      out += ','
      continue
    }
    const parameter = take(PARAMETER)
    const shown = parameter ? showParameter(parameter) : showScheme(take(SCHEME))
    out += out === '' ? (shown ?? '') : ` ${shown ?? ''}`
    // Nobody knows what it is: no more of it is shown.
    if (shown === null) return `${out.trimEnd()}${out === '' ? '' : ' '}${BLANK}`
  }
  return out
}

function showParameter([, name = '', value = '']: RegExpExecArray): string | null {
  const known = name.toLowerCase()
  if (SHOWN.has(known)) return `${name}=${value.replace(/\s+/g, ' ')}`
  return HIDDEN.has(known) ? `${name}="${BLANK}"` : null
}

function showScheme(match: RegExpExecArray | null): string | null {
  const scheme = match?.[1]
  return scheme !== undefined && SCHEMES.has(scheme.toLowerCase()) ? scheme : null
}
