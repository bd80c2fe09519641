/**
 * Keeps the agent from speaking what its instructions mark as confidential, whatever the model was talked into: codes,
 * numbers, names in capitals and quoted words of a sentence that says so. It compares letters and digits, so spelling
 * them out or grouping them otherwise is no way round; a paraphrase, a translation or a hint is.
 */

const MARKED =
  /\b(confidential(ly)?|secret|classified|vertraulich|geheim|confidentiel(le)?|confidencial|(do not|don't|never|must not|may not) (ever )?(say|tell|reveal|mention|share|disclose|speak|read|repeat|give (out|away)))\b/i
/** A sentence that announces what follows it: "The following is confidential:" */
const ANNOUNCES = /:\s*$|\b(following|below|next)\b[^.!?\n]*$/i
/** Emphasis, not secrets. */
const CAPITALS = new Set(
  'NEVER DONT NOT CONFIDENTIAL SECRET CLASSIFIED IMPORTANT WARNING NOTE ALWAYS MUST ONLY THIS THAT WITH FROM YOUR'.split(
    ' ',
  ),
)
const MIN_CHARS = 4
const MIN_DIGITS = 3
const MAX_SECRETS = 100
/** A secret may be spread over pieces of speech: so much of what came before is looked at too. */
const TAIL = 200

const DIGITS: Readonly<Record<string, string>> = {
  ...{ zero: '0', oh: '0', one: '1', two: '2', three: '3', four: '4', five: '5' },
  ...{ six: '6', seven: '7', eight: '8', nine: '9' },
}

/** What is said in the place of a secret. */
export const WITHHELD = "I'm sorry, I can't tell you that."

/** What the instructions keep confidential, as letters and digits without anything between. */
export function secretsOf(instructions: string): readonly string[] {
  const found = new Set<string>()
  let announced = false
  for (const sentence of instructions.split(/(?<=[.!?])\s+|\n+/)) {
    const marked = MARKED.test(sentence)
    if (marked || announced) for (const secret of secretsIn(sentence)) found.add(secret)
    announced = marked && ANNOUNCES.test(sentence)
  }
  return [...found].slice(0, MAX_SECRETS)
}

/** Judges the pieces of one reply in their order: gives each back, or what is said instead of it. */
export function createGuard(secrets: readonly string[]): (piece: string) => string {
  let tail = ''
  return (piece) => {
    const spoken = tail + bare(piece)
    if (secrets.some((secret) => spoken.includes(secret))) {
      tail = ''
      return WITHHELD
    }
    tail = spoken.slice(-TAIL)
    return piece
  }
}

function secretsIn(sentence: string): string[] {
  const quoted = [...sentence.matchAll(/["“”«]([^"“”«»]{3,200})["“”»]/g)].map(
    (match) => match[1] ?? '',
  )
  const tokens = (sentence.match(/[\p{L}\p{N}][\p{L}\p{N}@._+-]*/gu) ?? []).filter(isTelling)
  const digits = sentence.match(/\d[\d ().-]{2,}\d|\d{3,}/g) ?? []
  return [...quoted, ...tokens, ...digits].map(bare).filter((secret) => secret.length >= MIN_DIGITS)
}

/** A code, an address, a word in capitals: what no sentence says by chance. */
function isTelling(token: string): boolean {
  const letters = token.replace(/[^\p{L}]/gu, '')
  const digits = token.replace(/\D/g, '')
  if (token.includes('@')) return true
  if (digits.length >= MIN_DIGITS) return true
  if (token.length < MIN_CHARS) return false
  if (digits.length > 0 && letters.length > 0) return true
  return letters === letters.toUpperCase() && letters.length >= MIN_CHARS && !CAPITALS.has(letters)
}

/** Letters and digits alone, digits that were written out as digits. */
function bare(text: string): string {
  return text
    .toLowerCase()
    .replace(/\p{L}+/gu, (word) => DIGITS[word] ?? word)
    .replace(/[^\p{L}\p{N}]/gu, '')
}
