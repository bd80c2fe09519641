import { describe, expect, it } from 'vitest'
import { systemTimezone } from './system-timezone.ts'

const ask = (): string => 'Asked/Zone'
const has = (zone: string): boolean => !zone.startsWith('Mars')

describe('systemTimezone', () => {
  it.each([
    [{ tz: 'Asia/Tokyo', localtime: '/usr/share/zoneinfo/Europe/Paris' }, 'Asia/Tokyo'],
    [{ tz: 'America/Argentina/Buenos_Aires', localtime: null }, 'America/Argentina/Buenos_Aires'],
    [{ tz: 'UTC', localtime: null }, 'UTC'],
    [{ tz: undefined, localtime: '/usr/share/zoneinfo/Europe/Paris' }, 'Europe/Paris'],
    [{ tz: '', localtime: '../usr/share/zoneinfo/America/New_York' }, 'America/New_York'],
    [{ tz: undefined, localtime: '/usr/share/zoneinfo/Etc/UTC' }, 'UTC'],
    [{ tz: undefined, localtime: '/usr/share/zoneinfo/UTC' }, 'UTC'],
    [{ tz: undefined, localtime: null }, 'UTC'],
  ])('reads %j as %s without asking the runtime', (source, zone) => {
    const refuse = (): string => {
      throw new Error('asked')
    }
    expect(systemTimezone({ ...source, has, ask: refuse })).toBe(zone)
  })

  it.each([
    [{ tz: 'CET-1CEST', localtime: null }],
    [{ tz: 'Mars/Base', localtime: null }],
    [{ tz: undefined, localtime: '/usr/share/zoneinfo/Mars/Base' }],
    [{ tz: undefined, localtime: undefined }],
    [{ tz: undefined, localtime: '/usr/share/zoneinfo/Japan' }],
  ])('asks the runtime about %j', (source) => {
    expect(systemTimezone({ ...source, has, ask })).toBe('Asked/Zone')
    expect(systemTimezone({ ...source, has, ask: () => '' })).toBe('UTC')
  })

  it('names a zone that exists on this machine', () => {
    expect(() => new Intl.DateTimeFormat('en', { timeZone: systemTimezone() })).not.toThrow()
  })
})
