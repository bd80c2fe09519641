/** Cuts a model's stream of text into pieces that can be spoken: first a clause, for speed, then whole sentences. */

export interface Clauses {
  /** Takes more text, gives the pieces that are complete by it. */
  push(text: string): string[]
  /** The rest, when the stream has ended. */
  flush(): string[]
}

const ABBREVIATION = /(^|[\s(])(mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|a\.m|p\.m|[a-z])\.$/i
/** The first piece may end at a comma once it has this many words … */
const FIRST_MIN_WORDS = 2
/** … and without any comma after this many. */
const FIRST_MAX_WORDS = 12
/** A piece without an end is cut here, at a space. */
const MAX_CHARS = 220

export function createClauses(): Clauses {
  let pending = ''
  let first = true
  function take(): string[] {
    const out: string[] = []
    for (let end = endOf(pending, first); end > 0; end = endOf(pending, first)) {
      const piece = speakable(pending.slice(0, end))
      pending = pending.slice(end).trimStart()
      if (piece === '') continue
      out.push(piece)
      first = false
    }
    return out
  }
  return {
    push(text) {
      pending = (pending + text).trimStart()
      return take()
    },
    flush() {
      const out = take()
      const rest = speakable(pending)
      pending = ''
      return rest === '' ? out : [...out, rest]
    },
  }
}

/** Text cut whole, as `firstMessage` is. */
export function clausesOf(text: string): string[] {
  const clauses = createClauses()
  return [...clauses.push(text), ...clauses.flush()]
}

/** Where the first piece of `text` ends, 0 when it goes on. */
function endOf(text: string, first: boolean): number {
  for (const match of text.matchAll(/([.!?…]+["')\]*_]*|[,;:]|\s[–—-])(?=\s)|\n+/g)) {
    const end = match.index + match[0].length
    const head = text.slice(0, end)
    const mark = match[0].trim()[0] ?? '\n'
    if (mark === '.' && ABBREVIATION.test(head)) continue
    if ('.!?…\n'.includes(mark)) return end
    if (first && wordCount(head) >= FIRST_MIN_WORDS) return end
  }
  const cut = first ? afterWords(text, FIRST_MAX_WORDS) : 0
  if (cut > 0) return cut
  if (text.length <= MAX_CHARS) return 0
  const space = text.lastIndexOf(' ', MAX_CHARS)
  return space > 0 ? space : MAX_CHARS
}

/** Just past the first `count` words when more follow, else 0. */
function afterWords(text: string, count: number): number {
  const spaces = [...text.matchAll(/\S(?=\s+\S)/g)]
  const at = spaces[count - 1]
  return at ? at.index + 1 : 0
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

/** Without what a voice cannot say: Markdown, stage directions, emoji, a mark that the prompt uses. Empty when nothing is left. */
function speakable(text: string): string {
  const plain = text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/^\s*(#{1,6}|[-*•]|\d+[.)])\s+/gm, '')
    .replace(/[*_`#~<>|\\]+/g, '')
    .replace(/\p{Extended_Pictographic}|\u200d|\ufe0f/gu, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return /[\p{L}\p{N}]/u.test(plain) ? plain : ''
}
