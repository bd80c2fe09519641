/** The first phrase ends at a comma once it has this many words: short enough to come soon, long enough to sound. */
const FIRST_CLAUSE_WORDS = 4
/** A comma this near to the sentence's end is not worth a phrase. */
const REST_WORDS = 2
/** A longer phrase is cut: it would hold the voice, and everybody else's, for too long. */
const MAX_PHRASE = 240
/** A period after these ends no sentence. */
const TITLES = /\b(?:mr|mrs|ms|dr|prof|vs)\.$/i
/** After these, or a single letter, it does only when a capital follows. */
const SHORT_FORMS = /\b(?:st|ave|rd|apt|inc|ltd|co|jr|sr|etc|no|[a-z])\.$/i

/** Cuts speakable text where a voice would breathe: the first clause alone, then sentence by sentence. */
export function toPhrases(text: string, longest = MAX_PHRASE): string[] {
  const [first, ...others] = toSentences(text)
  if (first === undefined) return []
  return [...splitFirst(first), ...others].flatMap((phrase) => shorten(phrase, longest))
}

function toSentences(text: string): string[] {
  const sentences: string[] = []
  let begun = ''
  for (const piece of text.trim().split(/(?<=[.!?])\s+/)) {
    const endsHere =
      !TITLES.test(begun) && (!SHORT_FORMS.test(begun) || /^[A-Z]/.test(piece)) && begun !== ''
    if (endsHere) sentences.push(begun)
    begun = endsHere || begun === '' ? piece : `${begun} ${piece}`
  }
  return begun === '' ? sentences : [...sentences, begun]
}

function splitFirst(sentence: string): string[] {
  for (const mark of sentence.matchAll(/[,;:]\s+/g)) {
    const end = mark.index + 1
    const rest = sentence.slice(end).trim()
    if (countWords(rest) < REST_WORDS) break
    if (countWords(sentence.slice(0, end)) >= FIRST_CLAUSE_WORDS)
      return [sentence.slice(0, end), rest]
  }
  return [sentence]
}

/** Pieces of at most `longest` characters, cut at the last comma, else the last space, else anywhere. */
function shorten(phrase: string, longest: number): string[] {
  const pieces: string[] = []
  let left = phrase
  while (left.length > longest) {
    const head = left.slice(0, longest)
    const comma = Math.max(head.lastIndexOf(', '), head.lastIndexOf('; ')) + 1
    const end = comma > 0 ? comma : Math.max(head.lastIndexOf(' '), 0) || longest
    pieces.push(left.slice(0, end).trim())
    left = left.slice(end).trim()
  }
  return left === '' ? pieces : [...pieces, left]
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => /\w/.test(word)).length
}
