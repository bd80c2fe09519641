/** How GPT-2 splits text before it merges: contractions, words, numbers, the rest, each with a space before it. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu
/** Longer words are merged in parts of so many bytes: it costs the square of their length. */
const LONGEST_PART = 256

/**
 * Byte-level BPE: the letters of a word's bytes, merged pair by pair, the earliest merge of the list first. Letters
 * that the vocabulary lacks are left out.
 */
export function createBpe(
  vocab: ReadonlyMap<string, number>,
  merges: readonly [string, string][],
): (text: string) => number[] {
  const alphabet = byteAlphabet()
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]))
  const encodeWord = (word: string): number[] => {
    const letters = Array.from(new TextEncoder().encode(word), (byte) => alphabet[byte] as string)
    const pieces: string[] = []
    for (let at = 0; at < letters.length; at += LONGEST_PART)
      pieces.push(...mergeAll(letters.slice(at, at + LONGEST_PART), ranks))
    return pieces.flatMap((piece) => vocab.get(piece) ?? [])
  }
  return (text) => (text.match(WORDS) ?? []).flatMap(encodeWord)
}

function mergeAll(letters: readonly string[], ranks: ReadonlyMap<string, number>): string[] {
  const pieces = [...letters]
  for (;;) {
    let first = -1
    let lowest = Number.POSITIVE_INFINITY
    for (let at = 0; at + 1 < pieces.length; at++) {
      const rank = ranks.get(`${pieces[at]} ${pieces[at + 1]}`) ?? Number.POSITIVE_INFINITY
      if (rank < lowest) {
        lowest = rank
        first = at
      }
    }
    if (first < 0) return pieces
    pieces.splice(first, 2, `${pieces[first]}${pieces[first + 1]}`)
  }
}

/** GPT-2's letter for each byte: printable ones stand for themselves, the rest for letters from U+0100 on. */
export function byteAlphabet(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(isPrintable ? byte : next++)
  })
}
