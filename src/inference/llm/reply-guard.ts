import type { Delta, Tool } from '../../conversation/ports.ts'
import type { Log } from '../../core/log.ts'
import { ReplySpans, type SpanPart } from './reply-spans.ts'

/** More characters than a token has in the languages people phone in; a reply beyond it runs away. */
const CHARS_PER_TOKEN = 8
const MAX_TOOL_CALLS = 8
const MAX_ARGUMENTS = 8192
/** Thoughts may be longer than what is said, but not without end. */
const UNSPOKEN_PER_SPOKEN = 8

/** Stands between a model server and the conversation: what passes is bounded and fit to be spoken or done. */
export class ReplyGuard {
  private readonly tools: readonly Tool[]
  private readonly log: Log
  private readonly maxChars: number
  private readonly spans = new ReplySpans()
  private taken = 0
  private given = 0
  private toolCalls = 0

  constructor(o: { tools: readonly Tool[]; maxTokens: number; log: Log }) {
    this.tools = o.tools
    this.log = o.log
    this.maxChars = o.maxTokens * CHARS_PER_TOKEN
  }

  /** True when no more text passes: the stream can be closed. */
  get full(): boolean {
    return this.given >= this.maxChars || this.taken >= this.maxChars * UNSPOKEN_PER_SPOKEN
  }

  /** What of the next piece may be spoken or done: no thoughts, no call written out, no more than the cap. */
  text(piece: string): Delta[] {
    this.taken += piece.length
    return this.spans.push(piece).flatMap((part) => this.passPart(part))
  }

  /** The rest of the text when the stream has ended. */
  flush(): Delta[] {
    return this.spans.flush().flatMap((part) => this.passPart(part))
  }

  /** A tool call, when it names a tool that was offered and its arguments are an object (or JSON of one). */
  tool(name: unknown, given: unknown): Delta[] {
    const refuse = (reason: string): Delta[] => {
      this.log.warn('tool call ignored', { tool: String(name).slice(0, 64), reason })
      return []
    }
    if (typeof name !== 'string' || !this.tools.some((tool) => tool.name === name))
      return refuse('not offered')
    if (++this.toolCalls > MAX_TOOL_CALLS) return refuse('too many in one reply')
    const parsed = toArguments(given)
    return parsed ? [{ type: 'tool', name, arguments: parsed }] : refuse('arguments not understood')
  }

  private passPart(part: SpanPart): Delta[] {
    if (part.kind === 'text') return this.pass(part.text)
    const call = part.text === null ? undefined : toObject(part.text)
    if (call) return this.tool(call.name, call.arguments)
    this.log.warn('tool call ignored', { tool: '', reason: 'half a call in the text' })
    return []
  }

  private pass(text: string): Delta[] {
    const begun = this.given === 0 ? text.trimStart() : text
    const kept = begun.slice(0, this.maxChars - this.given)
    this.given += kept.length
    if (kept.length < begun.length) this.log.warn('reply cut: too long', { chars: this.given })
    return kept === '' ? [] : [{ type: 'text', text: kept }]
  }
}

function toArguments(given: unknown): Record<string, unknown> | undefined {
  if (typeof given !== 'string')
    return isObject(given ?? {}) ? ((given ?? {}) as Fields) : undefined
  if (given.length > MAX_ARGUMENTS) return undefined
  return given.trim() === '' ? {} : toObject(given)
}

type Fields = Record<string, unknown>

/** The object that a text is as JSON; undefined when it is none. */
function toObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
