/** What the model may do besides speaking, and the judgement of what it asked for. */
import type { Tool } from './ports.ts'

export interface ToolCall {
  name: string
  arguments: Record<string, unknown>
}

export const TOOLS: readonly Tool[] = [
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
]

/** Of the arguments as JSON. */
const MAX_ARGUMENTS = 2000

export type Verdict =
  | { tool: 'end_call' }
  | { tool: 'press_digits'; digits: string }
  /** One sentence for the model. */
  | { refused: string }

/** Whether a call may take effect. Models invent tools and arguments: nothing is believed. */
export function judgeTool(call: ToolCall): Verdict {
  if (JSON.stringify(call.arguments).length > MAX_ARGUMENTS)
    return { refused: 'the arguments are too long.' }
  if (call.name === 'end_call') return { tool: 'end_call' }
  if (call.name !== 'press_digits')
    return { refused: 'there is no such tool; there are end_call and press_digits.' }
  const { digits } = call.arguments
  const keys = typeof digits === 'number' ? String(digits) : digits
  if (typeof keys !== 'string' || !/^[0-9*#A-Dw]{1,32}$/.test(keys))
    return { refused: 'digits must be 1 to 32 of the keys 0-9, *, #, A-D and w.' }
  return { tool: 'press_digits', digits: keys }
}
