/**
 * Endpointing: how long a silence has to be before what was said counts as a turn, by its text, by what the agent asked
 * for and, where there is one, by a model that hears how it was said.
 */
import type { Asked } from './asked.ts'

export type Completeness =
  | 'question'
  | 'complete'
  | 'unknown'
  | 'incomplete'
  /** Somebody spells, counts or gives an address. */
  | 'dictating'
  /** Somebody thinks, or asks for a moment. */
  | 'thinking'

/** Silence, in ms from the end of speech, after which a turn is committed. */
export const COMMIT_SILENCE_MS: Record<Completeness, number> = {
  question: 300,
  // A reply is seldom ready before: waiting so long costs nothing.
  complete: 320,
  unknown: 700,
  incomplete: 1000,
  dictating: 1500,
  thinking: 2500,
}
/** For each time that an answer came too early in this call. */
const CAUTION_MS = 150
const MAX_CAUTION = 3
/** What a model that hears the turn says beyond these counts. */
const SURE = 0.8
const SURELY_NOT = 0.3

export interface TurnContext {
  /** What the agent's last words asked for. */
  asked: Asked
  /** This recogniser ends every piece with a full stop: it says nothing about the sentence. */
  stopsMeanNothing: boolean
  /** How often the human went on although the turn was taken for finished. */
  hasty: number
  /** Chance that the turn is over, by how it sounded; null without such a model. */
  chance: number | null
}

export const NO_CONTEXT: TurnContext = {
  asked: 'answer',
  stopsMeanNothing: false,
  hasty: 0,
  chance: null,
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Nobody ends a turn on these: something follows. */
const LEADING_ON = words(
  'and or but so because if when while that which who whose than then as to of for from with without at in on by into ' +
    'onto about until till since between near under over per via the a an my your his her our their its is are was ' +
    "were be been am will would could should can might must i we they he she this these those maybe i'm i'll i've i'd " +
    "we're we'll we've we'd you're you'll they're it's that's there's here's let's gonna wanna some any very another " +
    'every each also just only even not plus called named und oder aber weil dass der die das ein eine mein mit für ' +
    'von zu et ou mais que le la un une de y o pero el los',
)
const FILLERS = words('um uh uhm er erm ehm hmm hm mm eh well äh ähm euh este')
const NUMBERS = words(
  'zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand double triple',
)
/** Whole answers, also where the recogniser writes no full stop. */
const ANSWERS = words(
  'yes yeah yep yup no nope okay ok sure right correct exactly hello hi hey bye goodbye thanks alright fine great perfect ' +
    'ja nein oui non sí no claro',
)
const CLOSINGS =
  /\b(thank you( very much| so much)?|thanks|you're welcome|good ?bye|bye ?bye|that's (it|all)|that is all|of course|no problem|how can i help( you)?)$/
const QUESTIONS = words('what who where when why how which can could would will do does did is are')
/** "Yes, it is.", "No, we don't have to." end on what otherwise leads on. */
const SHORT_FORM =
  /^(yes|yeah|yep|no|nope|sure|of course|i think|i'm sure)\b.*\b(i|we|it|you|they|he|she|that|there) (is|are|am|was|were|do|does|did|can|could|will|would|should|have|has)( not)?$/
/** "Help you with that.", "I am afraid not.", "Let him in.": with a full stop they end on what otherwise leads on. */
const ENDS_ALL_THE_SAME =
  /\b(with|of|about|for|like|after|before|do|did|done|know|understand|hear|appreciate|confirm|arrange) (this|that)$|\b(afraid|hope|guess|why|probably|certainly|or) not$|\b(let|come|came|check|checked) (\w+ ){0,2}in$/
const OBJECT_MISSING =
  /\b(i|we|they)('d| would| do| really)? (want|need|like|prefer|guess|mean|say|am|have|got)$|\b(number|name|address|email|code|problem|thing|question) is$/
const A_MOMENT =
  /\b(let me (just |quickly )?(see|think|check|look|find|get|grab|write)\b.*|(hold|hang) on( (a|one|for a) (second|sec|moment|minute))?|(just |give me )?(a|one) (second|sec|moment|minute)( please)?|bear with me|einen moment( bitte)?|un momento|un instant)$/
/** Not asked for, a number by itself is a time or an amount as a rule. */
const DICTATION_WORD = /\b(number|code|zip|address|account|reference|spell)\b/

/** Whether `text` reads like a finished turn; null when there is no text yet. */
export function completeness(text: string | null, context: TurnContext = NO_CONTEXT): Completeness {
  const said = text?.trim().toLowerCase() ?? ''
  const bare = plain(said)
  const list = bare.split(/\s+/)
  const last = list.at(-1) ?? ''
  if (bare === '') return 'unknown'
  if (FILLERS.has(last) || A_MOMENT.test(plain(lastSentence(said)))) return 'thinking'
  const dictated = dictation(said, list, context)
  if (dictated) return dictated
  if (/(,|:|;|-|–|—|\.\.\.|…)$/.test(said)) return 'incomplete'
  if (/[?]["')]*$/.test(said)) return 'question'
  if (CLOSINGS.test(bare)) return 'complete'
  if (SHORT_FORM.test(bare) && endsSentence(said)) return 'complete'
  if (LEADING_ON.has(last) && !(endsSentence(said) && ENDS_ALL_THE_SAME.test(bare)))
    return 'incomplete'
  // Who writes capitals and commas would have written a full stop too.
  const written = isWritten(text ?? '')
  if (!written && list.length >= 4 && QUESTIONS.has(list[0] ?? '')) return 'complete'
  if (OBJECT_MISSING.test(bare)) return 'incomplete'
  if (list.length <= 2 && ANSWERS.has(last))
    return context.asked === 'nothing' ? 'unknown' : 'complete'
  if (!endsSentence(said)) return written ? 'incomplete' : 'unknown'
  return context.stopsMeanNothing || isOpenList(said) ? 'unknown' : 'complete'
}

/** Silence in ms after which a turn with this text (null: not recognised yet) is over. */
export function commitSilenceMs(text: string | null, context: TurnContext = NO_CONTEXT): number {
  const kind = completeness(text, context)
  const { chance, hasty } = context
  const caution = CAUTION_MS * Math.min(hasty, MAX_CAUTION)
  const byText = COMMIT_SILENCE_MS[kind]
  if (chance === null) return byText < COMMIT_SILENCE_MS.incomplete ? byText + caution : byText
  if (chance < SURELY_NOT) return Math.max(byText, COMMIT_SILENCE_MS.incomplete)
  if (chance < SURE || kind === 'dictating' || kind === 'thinking') return byText
  return kind === 'incomplete' ? COMMIT_SILENCE_MS.unknown : COMMIT_SILENCE_MS.complete
}

/** Whether a full stop stands where the sentence cannot end: this recogniser puts one after every piece. */
export function isStrayStop(text: string): boolean {
  if (!endsSentence(text.trim())) return false
  const bare = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]+/gu, ' ')
    .trim()
  return (
    LEADING_ON.has(bare.split(/\s+/).at(-1) ?? '') &&
    !SHORT_FORM.test(bare) &&
    !ENDS_ALL_THE_SAME.test(bare)
  )
}

/** Whether the full stop at the end of `before` was gone when more was said: `after` is the text of both. */
export function stopWasDropped(before: string, after: string): boolean {
  if (!endsSentence(before.trim())) return false
  const head = before.trim().replace(/[.!]+["')]*$/, '')
  const next = after.trim().slice(head.length).trimStart()
  return after.trim().toLowerCase().startsWith(head.toLowerCase()) && /^[\p{Ll}\p{N}]/u.test(next)
}

function plain(said: string): string {
  return said
    .replace(/’/g, "'")
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .trim()
}

function lastSentence(said: string): string {
  return said.split(/(?<=[.!?])\s+/).at(-1) ?? ''
}

function endsSentence(said: string): boolean {
  return /[.!]["')]*$/.test(said) && !/\.\.$/.test(said)
}

function isWritten(text: string): boolean {
  return /\p{Lu}/u.test(text.trim()[0] ?? '') || /[.,?!]/.test(text)
}

/** "Pepperoni, mushrooms, sausage." without an "and": more may follow. */
function isOpenList(said: string): boolean {
  return /(\p{L}+, ){2,}\p{L}+[.]$/u.test(said) && !/\b(and|or|und|oder|et|ou|y|o)\b/.test(said)
}

const isNumber = (word: string): boolean => NUMBERS.has(word) || /^\d+$/.test(word)

/** So many are more than a time or an amount. */
const MIN_DIGITS = 3

/** Digits said so far, each number word counted as one. */
function digitCount(list: readonly string[]): number {
  return list.reduce(
    (sum, word) => sum + (/^\d+$/.test(word) ? word.length : NUMBERS.has(word) ? 1 : 0),
    0,
  )
}

/** Null when nobody dictates. */
function dictation(
  said: string,
  list: readonly string[],
  { asked }: TurnContext,
): Completeness | null {
  const last = list.at(-1) ?? ''
  const before = list.at(-2) ?? ''
  // Alone, "a" and "one" are words like others.
  const spelt = /^\p{L}$/u.test(last) && (!/^[ai]$/.test(last) || /^\p{L}$/u.test(before))
  const counted = isNumber(last) && (!/^(one|oh)$/.test(last) || isNumber(before))
  const digits = digitCount(list)
  if (asked === 'dictation') {
    if (/(@\S+|\bat\b.*)(\.| dot )(\p{L}{2,})\W*$/u.test(said)) return 'complete'
    if (spelt || list.every((word) => ANSWERS.has(word))) return 'dictating'
    if (digits === 0) return null
    if (!counted) return digits >= MIN_DIGITS ? 'unknown' : null
    return digits >= 10 ? 'unknown' : digits >= 7 ? 'incomplete' : 'dictating'
  }
  if (spelt) return 'dictating'
  if (!counted) return null
  if (digits >= MIN_DIGITS || DICTATION_WORD.test(said))
    return digits >= 10 ? 'unknown' : 'dictating'
  return endsSentence(said) || said.endsWith('?') ? null : 'incomplete'
}
