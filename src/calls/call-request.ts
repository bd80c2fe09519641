import { AppError } from '../core/errors.ts'
import { isPhoneNumber, longestPrefix } from '../core/phone-number.ts'
import { parseTimestamp } from '../core/timestamp.ts'
import type { Voicemail } from './call.ts'
import { type RetryRequest, readRetry } from './retry-request.ts'

/** What `POST /calls` asks for, read and judged. */
export interface CallRequest {
  phoneNumber: string
  instructions: string
  firstMessage: string | null
  name: string | null
  /** Milliseconds since the epoch; null: now. */
  callAt: number | null
  metadata: Record<string, string> | null
  /** Null: the setting's default. */
  maxDurationSeconds: number | null
  /** One of the trunks' numbers; null: the default caller. */
  fromNumber: string | null
  /** E.164; whom the agent may hand the person over to. Null: nobody. */
  transferTo: string | null
  /** What happens when a voicemail answers; null: as `hangup`. */
  voicemail: Voicemail | null
  /** Null: one attempt. */
  retry: RetryRequest | null
}

/** Which numbers may be called; an empty `allowedPrefixes` allows all that is not blocked. */
export interface DialPolicy {
  blockedPrefixes: readonly string[]
  allowedPrefixes: readonly string[]
}

export interface CallRules extends DialPolicy {
  now: number
  /** The trunks' own numbers, the default caller first; empty while no trunk is configured. */
  ownNumbers: readonly string[]
}

const KNOWN = [
  'phoneNumber',
  'instructions',
  'firstMessage',
  'callAt',
  'name',
  'metadata',
  'maxDuration',
  'fromNumber',
  'transferTo',
  'voicemail',
  'retry',
]
/** In the contract, but without behaviour yet: refused by name rather than accepted and ignored. */
const LATER = ['language', 'voice', 'record', 'resultSchema']

const MAX_INSTRUCTIONS = 5000
const MAX_FIRST_MESSAGE = 1000
const MAX_VOICEMAIL_MESSAGE = 1000
const MAX_NAME = 200
const MAX_METADATA_KEYS = 20
const MAX_METADATA_BYTES = 4096
/** Clocks differ: what is this little in the past means now. */
const PAST_TOLERANCE_MS = 60_000

export type Fields = Record<string, unknown>

/**
 * Judges the parsed JSON body of `POST /calls`. An optional field given as null counts as absent.
 * Throws `invalid_request`, `dial_policy` or `not_available_yet` with a sentence that names the field.
 */
export function parseCallRequest(body: unknown, rules: CallRules): CallRequest {
  const fields = readFields(body, { known: KNOWN, later: LATER })
  const phoneNumber = readPhoneNumber(fields)
  const fromNumber = readFromNumber(fields, rules.ownNumbers)
  const request: CallRequest = {
    phoneNumber,
    instructions: readInstructions(fields),
    firstMessage: readFirstMessage(fields),
    name: readName(fields),
    callAt: readCallAt(fields, rules.now),
    metadata: readMetadata(fields),
    maxDurationSeconds: readMaxDuration(fields),
    fromNumber,
    transferTo: readTransferTo(fields),
    voicemail: readVoicemail(fields.voicemail ?? null),
    retry: readRetry(fields.retry ?? null),
  }
  const caller = fromNumber ?? rules.ownNumbers[0]
  if (phoneNumber === caller)
    throw invalid(`phoneNumber is the caller's own number (${caller}): a call cannot ring itself.`)
  if (request.transferTo === phoneNumber)
    throw invalid(
      'transferTo is the number that is called: name whom the person is to be put through to.',
    )
  refuseByPolicy(request, rules)
  return request
}

function refuseByPolicy({ phoneNumber, transferTo }: CallRequest, rules: DialPolicy): void {
  const refusal = dialPolicyRefusal(phoneNumber, rules)
  if (refusal) throw new AppError('dial_policy', refusal)
  refuseTransfer(transferTo, rules)
}

/** Throws `dial_policy` when nobody may be handed over to that number. */
export function refuseTransfer(transferTo: string | null, rules: DialPolicy): void {
  const transfer = transferTo === null ? null : dialPolicyRefusal(transferTo, rules)
  if (transfer) throw new AppError('dial_policy', `transferTo: ${transfer}`)
}

/** Why this number may not be called, as a sentence that names the setting; null when it may. A block wins. */
export function dialPolicyRefusal(number: string, policy: DialPolicy): string | null {
  const blocked = longestPrefix(number, policy.blockedPrefixes)
  if (blocked !== undefined)
    return `Numbers that begin with ${blocked} are blocked by calls.blocked_prefixes.`
  if (policy.allowedPrefixes.length === 0) return null
  if (longestPrefix(number, policy.allowedPrefixes) !== undefined) return null
  return `Only numbers that begin with ${policy.allowedPrefixes.join(', ')} may be called (calls.allowed_prefixes).`
}

/** The fields of a body. Throws for one that is in neither list, and for one that is given of those that come later. */
export function readFields(
  body: unknown,
  o: { known: readonly string[]; later: readonly string[] },
): Fields {
  if (!isObject(body)) throw invalid(`The body must be a JSON object, not ${kindOf(body)}.`)
  for (const name of Object.keys(body)) {
    if (o.known.includes(name)) continue
    if (!o.later.includes(name))
      throw invalid(`Unknown field ${quote(name)}. Known fields: ${o.known.join(', ')}.`)
    if (body[name] !== null)
      throw new AppError(
        'not_available_yet',
        `The field ${name} is not available yet: leave it out.`,
      )
  }
  return body
}

function readPhoneNumber(fields: Fields): string {
  const value = fields.phoneNumber ?? null
  if (value === null) throw invalid('phoneNumber is required, for example "+15551234567".')
  if (typeof value !== 'string')
    throw invalid(`phoneNumber must be a string such as "+15551234567", not ${kindOf(value)}.`)
  if (!isPhoneNumber(value))
    throw invalid(
      'phoneNumber must be in E.164 form: "+", the country code and the number, 7 to 15 digits and nothing else, for example "+15551234567".',
    )
  return value
}

function readFromNumber(fields: Fields, ownNumbers: readonly string[]): string | null {
  const value = fields.fromNumber ?? null
  if (value === null) return null
  if (typeof value !== 'string' || !isPhoneNumber(value))
    throw invalid('fromNumber must be a number in E.164 form, for example "+15551234567".')
  // Without any trunk the call itself is refused, by a sentence that says more.
  if (ownNumbers.length > 0 && !ownNumbers.includes(value))
    throw invalid(`fromNumber must be one of the trunks' numbers: ${ownNumbers.join(', ')}.`)
  return value
}

export function readTransferTo(fields: Fields): string | null {
  const value = fields.transferTo ?? null
  if (value === null) return null
  if (typeof value !== 'string' || !isPhoneNumber(value))
    throw invalid('transferTo must be a number in E.164 form, for example "+15559876543".')
  return value
}

function readVoicemail(value: unknown): Voicemail | null {
  if (value === null || value === 'hangup' || value === 'continue') return value
  if (!isObject(value) || Object.keys(value).join() !== 'leaveMessage')
    throw invalid('voicemail must be "hangup", "continue", or {"leaveMessage": "…"}.')
  const { leaveMessage } = value
  const text = checkText(leaveMessage, 'voicemail.leaveMessage', MAX_VOICEMAIL_MESSAGE)
  if (text.trim() === '')
    throw invalid('voicemail.leaveMessage must not be blank: say what is to be left.')
  return { leaveMessage: text }
}

export function readInstructions(fields: Fields): string {
  const value = fields.instructions ?? null
  if (value === null)
    throw invalid('instructions is required: say what the agent should accomplish on the call.')
  const text = checkText(value, 'instructions', MAX_INSTRUCTIONS)
  if (text.trim() === '')
    throw invalid('instructions must not be blank: say what the agent should accomplish.')
  return text
}

export function readFirstMessage(fields: Fields): string | null {
  return readText(fields, 'firstMessage', MAX_FIRST_MESSAGE)
}

export function readName(fields: Fields): string | null {
  return readText(fields, 'name', MAX_NAME)
}

/** An optional text; blank counts as absent. */
function readText(fields: Fields, name: string, max: number): string | null {
  const value = fields[name] ?? null
  if (value === null) return null
  const text = checkText(value, name, max)
  return text.trim() === '' ? null : text
}

function checkText(value: unknown, name: string, max: number): string {
  if (typeof value !== 'string') throw invalid(`${name} must be a string, not ${kindOf(value)}.`)
  const count = countCodePoints(value)
  if (count > max) throw invalid(`${name} may have up to ${max} characters; this one has ${count}.`)
  return value
}

function readCallAt(fields: Fields, now: number): number | null {
  const value = fields.callAt ?? null
  if (value === null) return null
  const example = 'for example "2026-03-21T14:00:00Z" or "2026-03-21T14:00:00+02:00"'
  if (typeof value !== 'string')
    throw invalid(`callAt must be a string in ISO 8601 form, ${example}.`)
  const parsed = parseTimestamp(value)
  if ('problem' in parsed) {
    const why = {
      format: 'callAt is not an ISO 8601 date and time',
      no_zone: 'callAt has no time zone: end it with Z or an offset',
      impossible: 'callAt is a date or time that does not exist',
    }[parsed.problem]
    throw invalid(`${why}, ${example}.`)
  }
  if (parsed.at < now - PAST_TOLERANCE_MS)
    throw invalid('callAt is in the past: leave it out to call now.')
  if (parsed.at > yearAfter(now)) throw invalid('callAt is more than a year ahead.')
  return parsed.at <= now ? null : parsed.at
}

export function readMetadata(fields: Fields): Record<string, string> | null {
  const value = fields.metadata ?? null
  if (value === null) return null
  if (!isObject(value))
    throw invalid(`metadata must be an object of strings, not ${kindOf(value)}.`)
  const entries = Object.entries(value)
  if (entries.length > MAX_METADATA_KEYS)
    throw invalid(
      `metadata may have up to ${MAX_METADATA_KEYS} keys; this one has ${entries.length}.`,
    )
  for (const [key, item] of entries)
    if (typeof item !== 'string')
      throw invalid(`metadata must hold strings only: ${quote(key)} is ${kindOf(item)}.`)
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes > MAX_METADATA_BYTES)
    throw invalid(`metadata may have up to 4 KiB as JSON; this one has ${bytes} bytes.`)
  return value as Record<string, string>
}

export function readMaxDuration(fields: Fields): number | null {
  const value = fields.maxDuration ?? null
  if (value === null) return null
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 10 || value > 7200)
    throw invalid('maxDuration must be a whole number of seconds from 10 to 7200.')
  return value
}

/** The same date and time a calendar year later. */
function yearAfter(now: number): number {
  const date = new Date(now)
  return date.setUTCFullYear(date.getUTCFullYear() + 1)
}

/** Characters are Unicode code points: an emoji is one, not two UTF-16 units. */
function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A name from outside, short enough to be shown. */
function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
