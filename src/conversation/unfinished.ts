/** How the words of a text end: whether more has to follow, by the kinds of words of its language. Pure. */
import type { TurnWords } from './turn-words.ts'
import { GERMAN } from './turn-words-de.ts'
import { ENGLISH } from './turn-words-en.ts'
import { SPANISH } from './turn-words-es.ts'
import { FRENCH } from './turn-words-fr.ts'

/** A longer sentence that begins with "if" has its other half, as a rule. */
const CONDITION_WORDS = 8
const OTHERS = [GERMAN, FRENCH, SPANISH]

/** The words of the language that `list` is most likely of; English when nothing tells. */
export function turnWordsOf(list: readonly string[]): TurnWords {
  const common = (of: TurnWords): number =>
    list.filter((word) => setsOf(of).some((set) => set.has(word))).length
  let best: TurnWords = ENGLISH
  for (const other of OTHERS) if (common(other) > common(best)) best = other
  return best
}

const setsOf = (of: TurnWords): readonly ReadonlySet<string>[] => [
  of.never,
  of.seldom,
  of.awaiting,
  of.answers,
  of.fillers,
  of.common,
  of.numbers,
]

/**
 * Whether the words themselves want more, where no full stop tells: they end on a word that leads on, on an adjective
 * whose noun is missing, or are a condition without what follows from it.
 */
export function leadsOn(list: readonly string[], words: TurnWords): boolean {
  const last = list.at(-1) ?? ''
  const bare = list.join(' ')
  if (words.never.has(last) || words.awaiting.has(last) || last.endsWith("'")) return true
  if (words.seldom.has(last)) return true
  if (words.verbMissing.test(bare) || words.objectMissing.test(bare)) return true
  if (nounMissing(list, words)) return true
  return list.length <= CONDITION_WORDS && words.conditions.has(list[0] ?? '')
}

/** "a very large", "my new": a determiner and adjectives alone. */
function nounMissing(list: readonly string[], { adjectives, determiners }: TurnWords): boolean {
  const before = list.findLastIndex((word) => !adjectives.has(word))
  return before < list.length - 1 && determiners.has(list[before] ?? '')
}
