import { describe, expect, it } from 'vitest'
import { momentOf } from './local-time.ts'

const iso = (text: string, zone: string): string | null => {
  const at = momentOf(text, zone)
  return at === null ? null : new Date(at).toISOString()
}

describe('a time on the clocks of a time zone', () => {
  it.each([
    ['2026-03-21T14:00', 'Europe/Berlin', '2026-03-21T13:00:00.000Z'],
    ['2026-07-21 14:00', 'Europe/Berlin', '2026-07-21T12:00:00.000Z'],
    ['2026-03-29T03:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T12:00', 'Europe/Berlin', '2026-10-25T11:00:00.000Z'],
    ['2026-03-21T14:00:30', 'America/New_York', '2026-03-21T18:00:30.000Z'],
    ['2026-03-21T23:00', 'Asia/Kolkata', '2026-03-21T17:30:00.000Z'],
    ['2026-03-21T14:00', 'UTC', '2026-03-21T14:00:00.000Z'],
    ['2026-03-21T14:00+05:00', 'Europe/Berlin', '2026-03-21T09:00:00.000Z'],
  ])('%s in %s is %s', (text, zone, expected) => {
    expect(iso(text, zone)).toBe(expected)
  })

  it.each(['tomorrow', '2026-02-30T10:00', '14:00', '', '2026-03-21'])('%j is none', (text) => {
    expect(momentOf(text, 'Europe/Berlin')).toBeNull()
  })
})
