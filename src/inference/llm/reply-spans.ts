/** What models write between tags inside their text: never meant for the ear. */
const SPANS = [
  { kind: 'thought', begin: '<think>', end: '</think>' },
  // The form in which many models call tools where their server does not read it out of the text.
  { kind: 'call', begin: '<tool_call>', end: '</tool_call>' },
] as const
type Span = (typeof SPANS)[number]
/** More than this inside a call is none. */
const MAX_CALL = 8192

export type SpanPart =
  | { kind: 'text'; text: string }
  /** What stood between the tags of a call; null when its end never came. */
  | { kind: 'call'; text: string | null }

/** Splits a stream of text at its tags, however they are cut. Thoughts are left out. */
export class ReplySpans {
  private pending = ''
  private within: Span | null = null
  private call = ''

  push(piece: string): SpanPart[] {
    this.pending += piece
    const parts: SpanPart[] = []
    while (this.within ? this.leave(this.within, parts) : this.enter(parts)) {
      // The next tag may be here already.
    }
    return parts
  }

  /** The rest when the stream has ended. */
  flush(): SpanPart[] {
    const { pending, within } = this
    this.pending = ''
    this.within = null
    if (within) return within.kind === 'call' ? [{ kind: 'call', text: null }] : []
    return pending === '' ? [] : [{ kind: 'text', text: pending }]
  }

  /** Takes the text up to the next beginning of a span; false when there is none yet. */
  private enter(parts: SpanPart[]): boolean {
    const found = SPANS.map((span) => ({ span, at: this.pending.indexOf(span.begin) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0]
    const partial = Math.max(...SPANS.map(({ begin }) => partOf(begin, this.pending)))
    const end = found?.at ?? this.pending.length - partial
    if (end > 0) parts.push({ kind: 'text', text: this.pending.slice(0, end) })
    this.pending = this.pending.slice(found ? end + found.span.begin.length : end)
    this.within = found?.span ?? null
    this.call = ''
    return found !== undefined
  }

  private leave(span: Span, parts: SpanPart[]): boolean {
    const at = this.pending.indexOf(span.end)
    const end = at >= 0 ? at : this.pending.length - partOf(span.end, this.pending)
    // One too many, so that it is seen to be too long.
    this.call = (this.call + this.pending.slice(0, end)).slice(0, MAX_CALL + 1)
    this.pending = this.pending.slice(at >= 0 ? at + span.end.length : end)
    if (at < 0) return false
    this.within = null
    if (span.kind === 'call')
      parts.push({ kind: 'call', text: this.call.length > MAX_CALL ? null : this.call })
    return true
  }
}

/** How many characters at the end of `text` might be the beginning of `tag`. */
function partOf(tag: string, text: string): number {
  for (let n = Math.min(tag.length - 1, text.length); n > 0; n--)
    if (text.endsWith(tag.slice(0, n))) return n
  return 0
}
