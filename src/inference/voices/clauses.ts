/** A run of words and the mark that ends it: what a phonemizer is given, and what it drops. */
export interface Clause {
  words: string
  /** One of `.,;:!?`, empty at the end of a text that has none. */
  mark: string
}

/** Cuts spoken text at its marks; those inside words and numbers (`1,200`, `it's`) do not count. */
export function toClauses(text: string): Clause[] {
  const clauses: Clause[] = []
  let from = 0
  for (const found of text.matchAll(/[.,;:!?]+(?=\s|$)/g)) {
    push(text.slice(from, found.index), found[0][0] ?? '')
    from = found.index + found[0].length
  }
  push(text.slice(from), '')
  return clauses

  function push(words: string, mark: string): void {
    const trimmed = words.trim()
    if (/[\p{L}\p{N}]/u.test(trimmed)) clauses.push({ words: trimmed, mark })
  }
}

/** Phonemes of a text: each clause's, its mark behind it. */
export function joinClauses(clauses: readonly Clause[], phonemes: readonly string[]): string {
  return clauses
    .map(({ mark }, i) => ({ mark, sound: phonemes[i]?.trim() ?? '' }))
    .filter(({ sound }) => sound !== '')
    .map(({ mark, sound }) => `${sound}${mark}`)
    .join(' ')
}
