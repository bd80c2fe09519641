/** RFC 4733 §3.2 table 3: some gateways write the number of the event instead of the key. */
const KEYS = '0123456789*#ABCD'

/**
 * The key that an INFO of the old kind carries (RFC 6086 §2 lets it live on): `application/dtmf-relay` with a line
 * `Signal=5`, or `application/dtmf` with the key alone. Undefined for everything else.
 */
export function digitOfInfo(contentType: string | undefined, body: string): string | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  const text =
    type === 'application/dtmf-relay' ? /^\s*Signal\s*=\s*(\S+)/im.exec(body)?.[1] : body.trim()
  if (type !== 'application/dtmf-relay' && type !== 'application/dtmf') return undefined
  const written = text?.toUpperCase() ?? ''
  const key = /^1[0-5]$/.test(written) ? KEYS[Number(written)] : written
  return key !== undefined && key.length === 1 && KEYS.includes(key) ? key : undefined
}
