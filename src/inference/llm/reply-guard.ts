import type { Delta, Tool } from '../../conversation/ports.ts'
import type { Log } from '../../core/log.ts'

/** More characters than a token has in the languages people phone in; a reply beyond it runs away. */
const CHARS_PER_TOKEN = 8
const MAX_TOOL_CALLS = 8
const MAX_ARGUMENTS = 8192
const THOUGHT = { begin: '<think>', end: '</think>' } as const

/** Stands between a model server and the conversation: what passes is bounded and fit to be spoken or done. */
export class ReplyGuard {
  private readonly tools: readonly Tool[]
  private readonly log: Log
  private readonly maxChars: number
  private pending = ''
  private thinking = false
  private given = 0
  private toolCalls = 0

  constructor(o: { tools: readonly Tool[]; maxTokens: number; log: Log }) {
    this.tools = o.tools
    this.log = o.log
    this.maxChars = o.maxTokens * CHARS_PER_TOKEN
  }

  /** True when no more text passes: the stream can be closed. */
  get full(): boolean {
    return this.given >= this.maxChars
  }

  /** What of the next piece may be spoken: no thoughts between `<think>` tags, no more than the cap. */
  text(piece: string): Delta[] {
    this.pending += piece
    let spoken = ''
    for (;;) {
      const tag = this.thinking ? THOUGHT.end : THOUGHT.begin
      const at = this.pending.indexOf(tag)
      const end = at >= 0 ? at : this.pending.length - partOf(tag, this.pending)
      if (!this.thinking) spoken += this.pending.slice(0, end)
      this.pending = this.pending.slice(at >= 0 ? at + tag.length : end)
      if (at < 0) return this.pass(spoken)
      this.thinking = !this.thinking
    }
  }

  /** The rest of the text when the stream has ended. */
  flush(): Delta[] {
    const rest = this.thinking ? '' : this.pending
    this.pending = ''
    return this.pass(rest)
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

  private pass(text: string): Delta[] {
    const begun = this.given === 0 ? text.trimStart() : text
    const kept = begun.slice(0, this.maxChars - this.given)
    this.given += kept.length
    if (kept.length < begun.length) this.log.warn('reply cut: too long', { chars: this.given })
    return kept === '' ? [] : [{ type: 'text', text: kept }]
  }
}

/** How many characters at the end of `text` might be the beginning of `tag`. */
function partOf(tag: string, text: string): number {
  for (let n = Math.min(tag.length - 1, text.length); n > 0; n--)
    if (text.endsWith(tag.slice(0, n))) return n
  return 0
}

function toArguments(given: unknown): Record<string, unknown> | undefined {
  let value = given ?? {}
  if (typeof value === 'string') {
    if (value.length > MAX_ARGUMENTS) return undefined
    try {
      value = value.trim() === '' ? {} : JSON.parse(value)
    } catch {
      return undefined
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return value as Record<string, unknown>
}
