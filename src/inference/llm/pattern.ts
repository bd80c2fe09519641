/** A text that matched: what its named groups caught. */
export type Captures = Readonly<Record<string, string>>

/** Tells whether a line of the conversation matches; null when not. */
export type Pattern = (line: string) => Captures | null

/** A longer line is matched by its beginning. */
const MAX_LINE = 2000

/**
 * Reads a pattern: alternatives between `|`, each either words, all of which must occur in this order (`thank*`
 * stands for every word that begins so), or a regular expression between slashes. Case and punctuation do not
 * count for words. Throws an Error that says what is wrong.
 */
export function parsePattern(source: string): Pattern {
  const alternatives = splitAlternatives(source).map(parseAlternative)
  if (alternatives.length === 0) throw new Error(`"${source}" holds no word`)
  return (line) => {
    const text = line.slice(0, MAX_LINE)
    for (const matches of alternatives) {
      const captures = matches(text)
      if (captures) return captures
    }
    return null
  }
}

/** The words of a line, as patterns compare them: lower case, without punctuation; `p.m.` is pm. */
export function toWords(line: string): string[] {
  return line
    .toLowerCase()
    .replace(/[’']/g, '')
    .replace(/\b([ap])\.\s?m\b\.?/g, '$1m')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

/** Cuts at `|`, but not within slashes. */
function splitAlternatives(source: string): string[] {
  const parts = source.match(/\s*\/(?:\\.|[^/\\])*\/\s*|[^|]+|(?<=\|)(?=\|)/g) ?? []
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

function parseAlternative(source: string): Pattern {
  if (source.startsWith('/')) return parseExpression(source)
  const wanted = source
    .split(/\s+/)
    .map((word) => ({ word: toWords(word).join(''), open: word.endsWith('*') }))
    .filter(({ word }) => word !== '')
  if (wanted.length === 0) throw new Error(`"${source}" holds no word`)
  return (line) => {
    const words = toWords(line)
    let at = 0
    for (const { word, open } of wanted) {
      while (at < words.length && !(open ? words[at]?.startsWith(word) : words[at] === word)) at++
      if (at++ >= words.length) return null
    }
    return {}
  }
}

function parseExpression(source: string): Pattern {
  if (source.length < 3 || !source.endsWith('/'))
    throw new Error(`"${source}" is no regular expression between slashes`)
  let expression: RegExp
  try {
    expression = new RegExp(source.slice(1, -1), 'iu')
  } catch {
    throw new Error(`"${source}" is not a valid regular expression`)
  }
  return (line) => {
    const found = expression.exec(line)
    if (!found) return null
    const groups = Object.entries(found.groups ?? {})
    return Object.fromEntries(groups.map(([name, value]) => [name, value ?? '']))
  }
}
