/** Times as people and models write them, in the time zone of the account. */
import { parseTimestamp } from '../core/timestamp.ts'

/** The moment of `2026-03-21T14:00` on the clocks of `timezone`, or of a time with a zone of its own; null when it is none. */
export function momentOf(text: string, timezone: string): number | null {
  const trimmed = text.trim().replace(/^(\d{4}-\d{2}-\d{2}) +/, '$1T')
  const zoned = parseTimestamp(trimmed)
  if ('at' in zoned) return zoned.at
  if (zoned.problem !== 'no_zone') return null
  const local = parseTimestamp(`${trimmed}Z`)
  if (!('at' in local)) return null
  // The offset holds at the moment itself, which is known only with it: two steps settle all but a skipped hour.
  const guess = local.at - offsetAt(local.at, timezone)
  return local.at - offsetAt(guess, timezone)
}

/** How far the clocks of `timezone` are ahead of UTC at `at`, ms. */
function offsetAt(at: number, timezone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((each) => each.type === type)?.value ?? 0)
  const shown = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return shown - Math.floor(at / 1000) * 1000
}
