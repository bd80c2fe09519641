import { field, messageIn } from './server-error.ts'

/** A longer reply-in-pieces of a tool's arguments is no call of ours. */
const MAX_ARGUMENTS = 8192
const MAX_CALLS = 16

export type ChatEvent =
  /** A piece of the reply. */
  | { type: 'text'; text: string }
  /** The server says that the reply has ended: `[DONE]`, or a finish reason. */
  | { type: 'finish' }
  /** The server gave up. */
  | { type: 'error'; reason: string }
  /** A line that is no event. */
  | { type: 'malformed' }

/** A tool call, as far as its pieces have come. */
export interface RawToolCall {
  name: string
  arguments: string
}

/** Reads the lines of a chat completion stream (server-sent events) and puts tool calls together. Never throws. */
export class ChatStream {
  private readonly calls = new Map<number, RawToolCall>()

  get toolCalls(): readonly RawToolCall[] {
    return [...this.calls.values()]
  }

  /** What one line says; comments and fields other than `data` say nothing. */
  read(line: string): ChatEvent[] {
    if (!line.startsWith('data:')) return []
    const data = line.slice('data:'.length).trim()
    if (data === '[DONE]') return [{ type: 'finish' }]
    let event: unknown
    try {
      event = JSON.parse(data)
    } catch {
      return [{ type: 'malformed' }]
    }
    if (typeof event !== 'object' || event === null) return [{ type: 'malformed' }]
    if (field(event, 'error')) return [{ type: 'error', reason: messageIn(data) }]
    return this.readChoice(event)
  }

  private readChoice(event: object): ChatEvent[] {
    const choices = field(event, 'choices')
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
    const delta = field(choice, 'delta')
    const pieces = field(delta, 'tool_calls')
    if (Array.isArray(pieces)) for (const piece of pieces) this.addPiece(piece)
    const events: ChatEvent[] = []
    const text = field(delta, 'content')
    if (typeof text === 'string' && text !== '') events.push({ type: 'text', text })
    if (typeof field(choice, 'finish_reason') === 'string') events.push({ type: 'finish' })
    return events
  }

  private addPiece(piece: unknown): void {
    const index = field(piece, 'index')
    const at = typeof index === 'number' ? index : this.calls.size
    const name = field(field(piece, 'function'), 'name')
    const given = field(field(piece, 'function'), 'arguments')
    const call = this.calls.get(at) ?? { name: '', arguments: '' }
    if (this.calls.size >= MAX_CALLS && !this.calls.has(at)) return
    if (typeof name === 'string') call.name = (call.name + name).slice(0, 64)
    if (typeof given === 'string')
      call.arguments = (call.arguments + given).slice(0, MAX_ARGUMENTS + 1)
    else if (typeof given === 'object' && given !== null) call.arguments = JSON.stringify(given)
    this.calls.set(at, call)
  }
}
