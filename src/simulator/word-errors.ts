/** How many words were heard wrong: the least substitutions, insertions and deletions that turn one text into another. */
export function wordErrors(said: string, heard: string): { wrong: number; of: number } {
  const [from, to] = [wordsOf(said), wordsOf(heard)]
  let row = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (const [i, word] of from.entries()) {
    const next = [i + 1]
    for (const [j, other] of to.entries())
      next.push(
        Math.min(
          (row[j] ?? 0) + (word === other ? 0 : 1),
          (row[j + 1] ?? 0) + 1,
          (next[j] ?? 0) + 1,
        ),
      )
    row = next
  }
  return { wrong: row.at(-1) ?? 0, of: from.length }
}

/** Case and punctuation do not count. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[’']/g, '')
    .replace(/\b([ap])\.\s?m\b\.?/g, '$1m')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}
