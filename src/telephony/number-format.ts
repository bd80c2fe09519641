/** Numbers as a trunk wants them written. */
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
  const prefix = TRUNK_PREFIX[homeCode] ?? (NO_TRUNK_PREFIX.has(homeCode) ? '' : '0')
  return `${prefix}${digits.slice(homeCode.length)}`
}

function countryCodeOf(digits: string): string {
  if (digits.startsWith('1') || digits.startsWith('7')) return digits.slice(0, 1)
  const two = digits.slice(0, 2)
  return TWO_DIGITS.has(two) ? two : digits.slice(0, 3)
}
