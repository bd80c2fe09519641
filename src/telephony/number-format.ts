/** Numbers as a trunk writes them, and wants them written. */
import { isPhoneNumber } from '../core/phone-number.ts'
import type { NumberFormat } from './trunk-options.ts'

/** Country codes of two digits; +1 and +7 have one, all others three (ITU-T E.164, list of assigned codes). */
const TWO_DIGITS = new Set(
  '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  ),
)
/** Countries that dial their own numbers with something else than a leading 0 (ITU-T E.164 national prefixes). */
const TRUNK_PREFIX: Record<string, string> = { '7': '8', '36': '06' }
const NO_TRUNK_PREFIX = new Set(
  '1 30 34 39 45 47 48 52 54 56 65 351 352 354 356 357 371 372 377 378 420 502 503 504 505 506 507 852 853'.split(
    ' ',
  ),
)
/** What goes before a foreign number; 00 elsewhere. */
const INTERNATIONAL_PREFIX: Record<string, string> = {
  '1': '011',
  '7': '810',
  '61': '0011',
  '81': '010',
  '65': '001',
  '852': '001',
}

/**
 * `number` (E.164 with `+`) in `format`. `national` is as one dials from the country of `home`, an own number of the
 * trunk; without one it is the digits alone.
 */
export function formatNumber(number: string, format: NumberFormat, home?: string): string {
  const digits = number.replace(/^\+/, '')
  if (format === '+e164') return `+${digits}`
  if (format === 'e164' || home === undefined) return digits
  const homeCode = countryCodeOf(home.replace(/^\+/, ''))
  if (countryCodeOf(digits) !== homeCode)
    return `${INTERNATIONAL_PREFIX[homeCode] ?? '00'}${digits}`
  return `${nationalPrefix(homeCode)}${digits.slice(homeCode.length)}`
}

/**
 * The number that `text` writes in `format`, E.164 with `+`; null when that cannot be told. `home` as for
 * `formatNumber`.
 */
export function readNumber(text: string, format: NumberFormat, home?: string): string | null {
  const said = text.replace(/[-.() ]/g, '')
  const known = (number: string): string | null => (isPhoneNumber(number) ? number : null)
  if (said.startsWith('+')) return known(said)
  if (!/^\d+$/.test(said)) return null
  if (format === 'e164') return known(`+${said}`)
  if (format !== 'national' || home === undefined) return null
  const homeCode = countryCodeOf(home.replace(/^\+/, ''))
  const international = INTERNATIONAL_PREFIX[homeCode] ?? '00'
  if (said.startsWith(international)) return known(`+${said.slice(international.length)}`)
  // In North America a long-distance call may be written with its 1, which is the country code too.
  if (homeCode === '1' && /^1\d{10}$/.test(said)) return known(`+${said}`)
  const prefix = nationalPrefix(homeCode)
  return said.startsWith(prefix) ? known(`+${homeCode}${said.slice(prefix.length)}`) : null
}

function nationalPrefix(homeCode: string): string {
  return TRUNK_PREFIX[homeCode] ?? (NO_TRUNK_PREFIX.has(homeCode) ? '' : '0')
}

function countryCodeOf(digits: string): string {
  if (digits.startsWith('1') || digits.startsWith('7')) return digits.slice(0, 1)
  const two = digits.slice(0, 2)
  return TWO_DIGITS.has(two) ? two : digits.slice(0, 3)
}
