/** What the model may do besides speaking, and the judgement of what it asked for. */
import type { Tool } from './ports.ts'

export interface ToolCall {
  name: string
  arguments: Record<string, unknown>
}

const TOOLS: readonly Tool[] = [
  {
    name: 'end_call',
    description:
      'Hang up. Say goodbye in the same reply, before the call of this tool. Use it once the purpose is reached, ' +
      'or cannot be, or the person wants to end the call.',
    parameters: { type: 'object', properties: {}, additionalProperties: false },
  },
  {
    name: 'press_digits',
    description: 'Press keys of the telephone, to choose in a phone menu or to enter a number.',
    parameters: {
      type: 'object',
      properties: {
        digits: {
          type: 'string',
          description: 'Keys 0-9, *, #, A-D in order; w waits half a second.',
          pattern: '^[0-9*#A-Dw]{1,32}$',
        },
      },
      required: ['digits'],
      additionalProperties: false,
    },
  },
  {
    name: 'wait',
    description:
      'Say nothing and listen on: when you are asked to wait, in a queue, while a recording plays or a menu still speaks, ' +
      'or when the person has turned away. What is said next is told to you.',
    parameters: {
      type: 'object',
      properties: {
        seconds: {
          type: 'integer',
          minimum: 1,
          maximum: 300,
          description: 'How long silence is fine; 60 if left out.',
        },
      },
      additionalProperties: false,
    },
  },
]

/** The number is not the model's to choose. */
const TRANSFER_CALL: Tool = {
  name: 'transfer_call',
  description:
    'Put the person through to a colleague, who takes the call over from you. Say so in the same reply, before the ' +
    'call of this tool. Use it when the task says so, or when the person asks for a human.',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
}

/** The number is the one that was called: it cannot be chosen. */
const SCHEDULE_CALLBACK: Tool = {
  name: 'schedule_callback',
  description:
    'Call this same number again later, with the same task: when the person asks you to, or agreed to it. ' +
    'Wait for the answer of this tool before you tell the person that you will call.',
  parameters: {
    type: 'object',
    properties: {
      when: {
        type: 'string',
        description:
          'Date and time by the clock of your time zone, as 2026-03-21T14:00. At most thirty days ahead.',
      },
    },
    required: ['when'],
    additionalProperties: false,
  },
}

/** What decides which tools a call has. */
export interface ToolOptions {
  /** The number that the person may be handed over to; null: nobody. */
  transferTo: string | null
  /** Whether another call may be scheduled. */
  callBacks: boolean
}

export function toolsFor(o: ToolOptions): readonly Tool[] {
  return [
    ...TOOLS,
    ...(o.callBacks ? [SCHEDULE_CALLBACK] : []),
    ...(o.transferTo === null ? [] : [TRANSFER_CALL]),
  ]
}

const WAIT_SECONDS = 60
const MAX_WHEN = 40
/** So many digits in an argument are meant as a telephone number. */
const MIN_NUMBER = 3
/** Of the arguments as JSON. */
const MAX_ARGUMENTS = 2000

export type Verdict =
  | { tool: 'end_call' }
  | { tool: 'press_digits'; digits: string }
  | { tool: 'wait'; seconds: number }
  | { tool: 'transfer_call'; number: string }
  | { tool: 'schedule_callback'; when: string }
  /** One sentence for the model. */
  | { refused: string }

/** Whether a call may take effect. Models invent tools and arguments: nothing is believed. */
export function judgeTool(call: ToolCall, o: ToolOptions): Verdict {
  if (JSON.stringify(call.arguments).length > MAX_ARGUMENTS)
    return { refused: 'the arguments are too long.' }
  if (call.name === 'end_call') return { tool: 'end_call' }
  if (call.name === 'transfer_call') return judgeTransfer(call, o.transferTo)
  if (call.name === 'wait') return { tool: 'wait', seconds: secondsOf(call.arguments.seconds) }
  if (call.name === 'schedule_callback') return judgeCallBack(call, o)
  if (call.name !== 'press_digits')
    return { refused: `there is no such tool; there are ${namesOf(toolsFor(o))}.` }
  const { digits } = call.arguments
  const keys = typeof digits === 'number' ? String(digits) : digits
  if (typeof keys !== 'string' || !/^[0-9*#A-Dw]{1,32}$/.test(keys))
    return { refused: 'digits must be 1 to 32 of the keys 0-9, *, #, A-D and w.' }
  return { tool: 'press_digits', digits: keys }
}

function namesOf(tools: readonly Tool[]): string {
  return tools.map(({ name }) => name).join(', ')
}

/** Whoever wants another number to be called gets no call at all. */
function judgeCallBack(call: ToolCall, o: ToolOptions): Verdict {
  if (!o.callBacks) return { refused: 'no call can be scheduled from here.' }
  const { when, ...rest } = call.arguments
  if (Object.keys(rest).length > 0)
    return { refused: 'only when can be chosen: it is this number that is called again.' }
  if (typeof when !== 'string' || when.length > MAX_WHEN)
    return { refused: 'when must be a date and time such as 2026-03-21T14:00.' }
  return { tool: 'schedule_callback', when }
}

/** Within bounds, whatever was asked for. */
function secondsOf(value: unknown): number {
  const seconds = Number(value ?? WAIT_SECONDS)
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.round(seconds), 1), 300) : WAIT_SECONDS
}

/** Only to the number of the call's own request: whoever talks the model into naming another gets none at all. */
function judgeTransfer(call: ToolCall, transferTo: string | null): Verdict {
  if (transferTo === null)
    return { refused: 'there is nobody that this call may be transferred to.' }
  const digitsOf = (value: unknown): string => String(value).replace(/\D/g, '')
  const named = Object.values(call.arguments).map(digitsOf)
  const wanted = digitsOf(transferTo)
  if (named.some((digits) => digits.length >= MIN_NUMBER && digits !== wanted))
    return { refused: 'the number cannot be chosen; call transfer_call without arguments.' }
  return { tool: 'transfer_call', number: transferTo }
}
