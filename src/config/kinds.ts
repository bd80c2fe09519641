import ipaddr from 'ipaddr.js'
import { isPhoneNumber } from '../core/phone-number.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** Why a value cannot be taken; the message completes `key = value: …`. */
export class WrongValue extends Error {}

/** How one kind of value is read from a TOML value or from the text of a variable or a flag. Both throw WrongValue. */
export interface Kind<T> {
  fromToml(value: unknown): T
  fromText(text: string): T
  /** The value as TOML would write it. */
  show(value: T): string
}

/** Says what is wrong with a value of the right type; undefined when nothing is. */
type Check = (value: string) => string | undefined

const toToml = (value: unknown): string => JSON.stringify(value)

export function text(check?: Check): Kind<string> {
  const read = (value: unknown): string => {
    if (typeof value !== 'string') throw new WrongValue('must be a string')
    if (value.trim() === '') throw new WrongValue('must not be blank')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break in a value would forge SIP and HTTP headers.
    if (/[\x00-\x1f\x7f]/.test(value)) throw new WrongValue('must not hold control characters')
    const wrong = check?.(value)
    if (wrong) throw new WrongValue(wrong)
    return value
  }
  return { fromToml: read, fromText: (given) => read(given.trim()), show: toToml }
}

export function number(o: { min: number; max: number; whole: boolean }): Kind<number> {
  const what = `must be a ${o.whole ? 'whole ' : ''}number from ${o.min} to ${o.max}`
  const read = (value: unknown): number => {
    if (typeof value !== 'number' || !(value >= o.min && value <= o.max)) throw new WrongValue(what)
    if (o.whole && !Number.isInteger(value)) throw new WrongValue(what)
    return value
  }
  return {
    fromToml: read,
    fromText: (given) => read(/^-?\d+(\.\d+)?$/.test(given.trim()) ? Number(given) : given),
    show: String,
  }
}

export const integer = (min: number, max: number): Kind<number> => number({ min, max, whole: true })

export function bool(): Kind<boolean> {
  const read = (value: unknown): boolean => {
    if (typeof value !== 'boolean') throw new WrongValue('must be true or false')
    return value
  }
  const words: Record<string, boolean> = { true: true, false: false }
  return { fromToml: read, fromText: (given) => read(words[given.trim()]), show: String }
}

/** A duration with its unit, in ms inside. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`
  const read = (value: unknown): number => {
    const ms = typeof value === 'string' ? parseDuration(value.trim()) : undefined
    if (ms === undefined)
      throw new WrongValue('must be a duration with its unit, such as "50ms", "10s" or "6h"')
    if (ms < minMs || ms > maxMs) throw new WrongValue(`must be a duration ${range}`)
    return ms
  }
  return { fromToml: read, fromText: read, show: (ms) => toToml(formatDuration(ms)) }
}

/** One of the words; those in `notYet` belong to the contract, but their behaviour has not landed. */
export function choice<const T extends string, const N extends string = never>(
  words: readonly T[],
  notYet: readonly N[] = [],
): Kind<T> {
  const list = words.map(toToml).join(', ')
  const read = (value: unknown): T => {
    const word = words.find((candidate) => candidate === value)
    if (word !== undefined) return word
    if (notYet.some((candidate) => candidate === value))
      throw new WrongValue(`is not available yet (available: ${list})`)
    throw new WrongValue(`must be ${words.length === 1 ? list : `one of ${list}`}`)
  }
  return { fromToml: read, fromText: (given) => read(given.trim()), show: toToml }
}

/** Strings (each taken by `item`); in a variable they are separated by commas, and nothing is the empty list. */
export function list<T extends string>(item: Kind<T>): Kind<T[]> {
  return {
    fromToml(value) {
      if (!Array.isArray(value)) throw new WrongValue('must be a list of strings')
      return value.map(item.fromToml)
    },
    fromText: (given) => splitCommas(given).map(item.fromText),
    show: (values) => `[${values.map(item.show).join(', ')}]`,
  }
}

export function splitCommas(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** Ports `from`–`to`, both counted. */
export interface PortRange {
  from: number
  to: number
}

export function portRange(): Kind<PortRange> {
  const read = (value: unknown): PortRange => {
    const match = typeof value === 'string' && /^(\d{1,5})-(\d{1,5})$/.exec(value.trim())
    const range = match && { from: Number(match[1]), to: Number(match[2]) }
    if (!range || range.from < 1024 || range.to > 65_535 || range.from > range.to)
      throw new WrongValue('must be two ports between 1024 and 65535, such as "20000-20199"')
    return range
  }
  return { fromToml: read, fromText: read, show: (range) => toToml(`${range.from}-${range.to}`) }
}

/** A host name or an address, without scheme, port or path. */
export function host(): Kind<string> {
  return text((value) => {
    if (isAddress(value)) return undefined
    if (/^[^:]+:\d+$/.test(value)) return 'must not hold a port: give it by its own key'
    return isHostName(value) ? undefined : 'must be a host name or an IP address'
  })
}

function isHostName(value: string): boolean {
  return value.length <= 253 && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_-]+)*\.?$/i.test(value)
}

/** The base of an HTTP server; a trailing `/` or `/v1` means the same and is left out. */
export function baseUrl(): Kind<string> {
  const base = text((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url || !/^https?:$/.test(url.protocol) || !url.hostname)
      return 'must be a URL that begins with http:// or https://'
    if (url.username || url.password) return 'must not hold a user or password: use api_key'
    if (url.search || url.hash) return 'must not hold a query or a fragment'
    return undefined
  })
  const trim = (value: string): string => value.replace(/\/+$/, '').replace(/\/v1$/, '')
  return {
    ...base,
    fromToml: (value) => trim(base.fromToml(value)),
    fromText: (given) => trim(base.fromText(given)),
  }
}

export function phoneNumber(): Kind<string> {
  return text((value) =>
    isPhoneNumber(value) ? undefined : 'must be a phone number in E.164, such as "+15551234567"',
  )
}

export function phonePrefix(): Kind<string> {
  return text((value) =>
    /^\+\d{1,15}$/.test(value) ? undefined : 'must be + and the first digits of a phone number',
  )
}

/** An address or a CIDR block, such as `192.0.2.0/24`. */
export function addressBlock(): Kind<string> {
  return text((value) =>
    isAddressBlock(value) ? undefined : 'must be an IP address or a block such as "192.0.2.0/24"',
  )
}

function isAddressBlock(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false
  if (!isAddress(address)) return false
  return bits === undefined || Number(bits) <= (address.includes(':') ? 128 : 32)
}

function isAddress(value: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(value) || ipaddr.IPv6.isValid(value)
}

/** A host name, an address or a CIDR block. */
export function allowedHost(): Kind<string> {
  return text((value) =>
    isAddressBlock(value) || isHostName(value)
      ? undefined
      : 'must be a host name, an IP address or a block such as "192.0.2.0/24"',
  )
}

export function timezone(): Kind<string> {
  return text((value) => {
    try {
      new Intl.DateTimeFormat('en', { timeZone: value })
      return undefined
    } catch {
      return 'must be a time zone such as "Europe/Paris"'
    }
  })
}

/** What the kind takes, or null when nothing was given. */
export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return {
    fromToml: kind.fromToml,
    fromText: kind.fromText,
    show: (value) => (value === null ? 'none' : kind.show(value)),
  }
}
