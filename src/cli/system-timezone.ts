import { existsSync, readlinkSync } from 'node:fs'

/** Where a system says which time zone it is in. */
export interface TimezoneSource {
  /** The variable TZ. */
  tz: string | undefined
  /** What the link /etc/localtime points to; undefined when it is no link; null when there is none. */
  localtime: string | null | undefined
  /** Whether the system's database has a zone of this name. */
  has(zone: string): boolean
  /** The runtime's own answer: right, but it loads all of ICU, which costs a start-up more than the rest of it. */
  ask(): string
}

/** The system's time zone, such as `Europe/Paris`; UTC where the system names none. */
export function systemTimezone(source: TimezoneSource = readSource()): string {
  if (!source.tz && source.localtime === null) return 'UTC'
  const named = source.tz || /zoneinfo\/(.+)$/.exec(source.localtime ?? '')?.[1] || ''
  if (/^(Etc\/)?UTC$/.test(named)) return 'UTC'
  if (/^[A-Z][a-z]+\/[\w/-]+$/.test(named) && source.has(named)) return named
  return source.ask() || 'UTC'
}

function readSource(): TimezoneSource {
  return {
    tz: process.env.TZ,
    localtime: readLocaltime(),
    has: (zone) => existsSync(`/usr/share/zoneinfo/${zone}`),
    ask: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
}

function readLocaltime(): string | null | undefined {
  try {
    return readlinkSync('/etc/localtime')
  } catch {
    return existsSync('/etc/localtime') ? undefined : null
  }
}
