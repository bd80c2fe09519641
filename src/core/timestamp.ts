/** Why a text is no usable timestamp: not the form at all, no zone, or a moment that does not exist. */
export type TimestampProblem = 'format' | 'no_zone' | 'impossible'

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,32}))?)?([Zz]|[+-]\d{2}:\d{2})?$/

/**
 * Reads RFC 3339 (§5.6) with `Z` or an explicit offset; seconds and their fraction may be left out. Milliseconds since
 * the Unix epoch; digits past the third of the fraction are cut. `Date` is not asked, since it takes 30 February for
 * 2 March and a time without a zone for local time. 24:00 and second 60 are refused.
 */
export function parseTimestamp(text: string): { at: number } | { problem: TimestampProblem } {
  const match = FORM.exec(text)
  if (!match) return { problem: 'format' }
  const zone = match[8]
  if (zone === undefined) return { problem: 'no_zone' }
  const part = (i: number): number => Number(match[i] ?? 0)
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offset = offsetMinutes(zone)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return IMPOSSIBLE
  if (hour > 23 || minute > 59 || second > 59 || offset === null) return IMPOSSIBLE
  // Date.UTC takes the years 0 to 99 for 1900 to 1999, setUTCFullYear does not.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const ms = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  date.setUTCHours(hour, minute, second, ms)
  return { at: date.getTime() - offset * 60_000 }
}

/** ISO 8601 in UTC with milliseconds, as the API tells every time: `2026-03-20T18:30:00.000Z`. */
export function formatTimestamp(at: number): string {
  return new Date(at).toISOString()
}

const IMPOSSIBLE = { problem: 'impossible' } as const

function offsetMinutes(zone: string): number | null {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 23 || minutes > 59) return null
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
