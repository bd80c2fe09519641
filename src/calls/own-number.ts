/** How a call to one of our own numbers is answered: the fields of a call that the number gives to it. */
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import {
  type DialPolicy,
  readFields,
  readFirstMessage,
  readInstructions,
  readMaxDuration,
  readMetadata,
  readName,
  readTransferTo,
  refuseTransfer,
} from './call-request.ts'

/** What the agent is told when somebody calls the number; the limits are those of `POST /calls`. */
export interface NumberFields {
  instructions: string
  firstMessage: string | null
  /** Whose number it is: the person or business that is called. */
  name: string | null
  metadata: Record<string, string> | null
  /** Null: the setting's default. */
  maxDurationSeconds: number | null
  /** E.164; whom the agent may hand the caller over to. Null: nobody. */
  transferTo: string | null
}

/** Times are ms since the epoch. */
export interface OwnNumber extends NumberFields {
  /** E.164. */
  number: string
  createdAt: number
  updatedAt: number
}

/** Own numbers on disk. All methods are one transaction each. */
export interface NumberStore {
  /** Creates or replaces; `createdAt` is that of the first. Returns what is stored now. */
  put(number: string, o: { fields: NumberFields; now: number }): Promise<OwnNumber>
  get(number: string): Promise<OwnNumber | null>
  /** In the order of the numbers. */
  list(): Promise<OwnNumber[]>
  /** False when there was nothing. */
  remove(number: string): Promise<boolean>
}

export interface NumberRules extends DialPolicy {
  /** The trunks' own numbers: only these can be called. */
  ownNumbers: readonly string[]
}

const KNOWN = ['instructions', 'firstMessage', 'name', 'metadata', 'maxDuration', 'transferTo']
/** In the contract of a call, but without behaviour yet. */
const LATER = ['language', 'voice', 'record', 'resultSchema']

/**
 * Judges the parsed JSON body of `PUT /numbers/:number`. Throws `invalid_request`, `dial_policy` or `not_available_yet`
 * with a sentence that names the field.
 */
export function parseNumberFields(
  body: unknown,
  o: { number: string; rules: DialPolicy },
): NumberFields {
  const fields = readFields(body, { known: KNOWN, later: LATER })
  const parsed: NumberFields = {
    instructions: readInstructions(fields),
    firstMessage: readFirstMessage(fields),
    name: readName(fields),
    metadata: readMetadata(fields),
    maxDurationSeconds: readMaxDuration(fields),
    transferTo: readTransferTo(fields),
  }
  if (parsed.transferTo === o.number)
    throw new AppError(
      'invalid_request',
      'transferTo is the number that is called: name whom the caller is to be put through to.',
    )
  refuseTransfer(parsed.transferTo, o.rules)
  return parsed
}

/** A number as the API shows it. `defaultMaxDuration`: seconds, where the number names none. */
export function publicNumber(own: OwnNumber, defaultMaxDuration: number): Record<string, unknown> {
  return {
    number: own.number,
    instructions: own.instructions,
    firstMessage: own.firstMessage,
    name: own.name,
    metadata: own.metadata,
    maxDuration: own.maxDurationSeconds ?? defaultMaxDuration,
    transferTo: own.transferTo,
    createdAt: new Date(own.createdAt).toISOString(),
    updatedAt: new Date(own.updatedAt).toISOString(),
  }
}

/** What the API does with own numbers, each in E.164 form. `get` and `remove` throw not_found where nothing is set. */
export interface ManageNumbers {
  /** Throws not_found when the number is not one of the trunks' own. */
  requireOwn(number: string): void
  /** Judges a body for that number (`parseNumberFields`). */
  parse(number: string, body: unknown): NumberFields
  list(): Promise<{ data: object[] }>
  get(number: string): Promise<object>
  put(number: string, fields: NumberFields): Promise<object>
  remove(number: string): Promise<void>
}

export function createManageNumbers(d: {
  clock: Clock
  store: NumberStore
  rules(): NumberRules
  defaultMaxDurationSeconds: number
}): ManageNumbers {
  const shown = (own: OwnNumber): object => publicNumber(own, d.defaultMaxDurationSeconds)
  const unset = (number: string): AppError =>
    new AppError(
      'not_found',
      d.rules().ownNumbers.includes(number)
        ? `Calls to ${number} are not answered yet: PUT instructions for it.`
        : notOwn(number, d.rules().ownNumbers),
    )
  return {
    requireOwn(number) {
      const { ownNumbers } = d.rules()
      if (!ownNumbers.includes(number)) throw new AppError('not_found', notOwn(number, ownNumbers))
    },
    parse: (number, body) => parseNumberFields(body, { number, rules: d.rules() }),
    async list() {
      return { data: (await d.store.list()).map(shown) }
    },
    async get(number) {
      const own = await d.store.get(number)
      if (!own) throw unset(number)
      return shown(own)
    },
    async put(number, fields) {
      return shown(await d.store.put(number, { fields, now: d.clock.now() }))
    },
    async remove(number) {
      if (!(await d.store.remove(number))) throw unset(number)
    },
  }
}

function notOwn(number: string, ownNumbers: readonly string[]): string {
  return ownNumbers.length === 0
    ? `No trunk has the number ${number}: list yours as numbers of a trunk under [[sip.trunks]].`
    : `${number} is none of the trunks' numbers; these are: ${ownNumbers.join(', ')}.`
}
