/** Somebody spells, counts or gives an address: in pieces, with long pauses between them. Pure. */
import type { Asked } from './asked.ts'
import type { Completeness } from './turn-detector.ts'
import type { TurnWords } from './turn-words.ts'

/** Not asked for, a number by itself is a time or an amount as a rule. */
const DICTATION_WORD = /\b(number|code|zip|address|account|reference|spell|nummer|numéro|número)\b/
const MAIL_ADDRESS =
  /(@\S+|\b(at|arroba|arobase)\b.*)(\.| dot | punkt | point | punto )(\p{L}{2,})\W*$/u
/** So many digits are more than a time or an amount … */
const MIN_DIGITS = 3
/** … so many nearly a telephone number … */
const MANY_DIGITS = 7
/** … and so many a whole one. */
const ALL_DIGITS = 10

interface Dictated {
  /** In small letters, as it is written. */
  said: string
  list: readonly string[]
  words: TurnWords
  asked: Asked
  /** The text ends with a mark that ends sentences. */
  stopped: boolean
}

/** How complete what is dictated is; null when nobody dictates. */
export function dictation(d: Dictated): Completeness | null {
  const { said, list, words, asked, stopped } = d
  const last = list.at(-1) ?? ''
  const before = list.at(-2) ?? ''
  const isNumber = (word: string): boolean => words.numbers.has(word) || /^\d+$/.test(word)
  // Alone, "a" and "one" are words like others.
  const spelt = isLetter(last) && (!/^[aiyeou]$/.test(last) || isLetter(before))
  const counted = isNumber(last) && (!/^(one|oh|un|uno|una)$/.test(last) || isNumber(before))
  const digits = digitCount(list, words)
  if (asked === 'dictation') {
    if (MAIL_ADDRESS.test(said)) return 'complete'
    if (spelt || list.every((word) => words.answers.has(word))) return 'dictating'
    if (digits === 0) return null
    if (!counted) return digits >= MIN_DIGITS ? (stopped ? 'likely' : 'incomplete') : null
    if (digits >= ALL_DIGITS) return stopped ? 'likely' : 'unknown'
    return digits >= MANY_DIGITS ? 'incomplete' : 'dictating'
  }
  if (spelt) return 'dictating'
  if (!counted) return null
  if (digits >= MIN_DIGITS || DICTATION_WORD.test(said))
    return digits >= ALL_DIGITS ? 'likely' : 'dictating'
  return stopped ? null : 'incomplete'
}

const isLetter = (word: string): boolean => /^\p{L}$/u.test(word)

/** Digits said so far, each number word counted as one. */
function digitCount(list: readonly string[], { numbers }: TurnWords): number {
  const digitsOf = (word: string): number =>
    /^\d+$/.test(word) ? word.length : numbers.has(word) ? 1 : 0
  return list.reduce((sum, word) => sum + digitsOf(word), 0)
}
