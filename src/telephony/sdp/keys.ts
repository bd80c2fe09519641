/** Keys of encrypted sound in SDP: `a=crypto` (RFC 4568). Whoever can read the signalling can read them. */
import type { MediaDescription } from 'sdp-transform'
import type { Ids } from '../../core/ids.ts'
import type { SrtpSuite } from '../media/media.ts'

export type SrtpPolicy = 'off' | 'optional' | 'required'

/** A key as one `a=crypto` line names it. */
export interface SdesKey {
  /** Ties the line of an answer to one of the offer. */
  tag: number
  suite: SrtpSuite
  /** Base64 of 16 bytes of master key and 14 of master salt. */
  key: string
}

const KEY_BYTES = 30
/** In order of preference. */
const SUITES: readonly SrtpSuite[] = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32']
const MAX_LINES = 16

/** Our keys for one call, one for each suite; none where sound is not to be encrypted. */
export function makeKeys(ids: Ids, policy: SrtpPolicy): SdesKey[] {
  if (policy === 'off') return []
  return SUITES.map((suite, index) => ({
    tag: index + 1,
    suite,
    key: Buffer.from(ids.hex(KEY_BYTES), 'hex').toString('base64'),
  }))
}

/**
 * The key of theirs that we take: in an offer the first line that we can honour (RFC 4568 §5.1.2); in an answer the one
 * line, which must repeat tag and suite of a line of ours. Undefined where there is none.
 */
export function chooseKey(
  stream: MediaDescription,
  offered: readonly SdesKey[] | undefined,
): SdesKey | undefined {
  const lines = Array.isArray(stream.crypto) ? stream.crypto.slice(0, MAX_LINES) : []
  for (const line of lines) {
    const key = readLine(line)
    if (!key) continue
    if (!offered || offered.some(({ tag, suite }) => tag === key.tag && suite === key.suite))
      return key
  }
  return undefined
}

export function hasCrypto(stream: MediaDescription): boolean {
  return Array.isArray(stream.crypto) && stream.crypto.length > 0
}

type Line = NonNullable<MediaDescription['crypto']>[number]

function readLine({ id, suite, config, sessionConfig }: Line): SdesKey | undefined {
  const known = SUITES.find((name) => name === String(suite).toUpperCase())
  // One inline key, perhaps with a lifetime, without a key identifier (MKI), which would lengthen each packet.
  const match = /^inline:([A-Za-z0-9+/]{40})(\|(2\^)?\d{1,15})?$/i.exec(String(config ?? '').trim())
  const key = match?.[1]
  if (!known || key === undefined || !Number.isInteger(id) || id < 0) return undefined
  return understood(sessionConfig) ? { tag: id, suite: known, key } : undefined
}

/** RFC 4568 §6.3: a parameter that we do not honour spoils its line, unless it is a hint or marked optional. */
function understood(sessionConfig: string | undefined): boolean {
  const words = String(sessionConfig ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
  return words.every((word) => word.startsWith('-') || /^WSH=\d+$/i.test(word))
}
