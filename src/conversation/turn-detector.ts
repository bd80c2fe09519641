/**
 * Endpointing: how long a silence has to be before what was said counts as a turn, by its text, by what the agent asked
 * for, by how long this human pauses and, where there is one, by a model that hears how it was said.
 */
import type { Asked } from './asked.ts'
import { dictation } from './dictation.ts'
import { waitByPace } from './pace.ts'
import type { TurnWords } from './turn-words.ts'
import { leadsOn, turnWordsOf } from './unfinished.ts'

export type Completeness =
  | 'question'
  | 'complete'
  /** Over by its words, where no full stop tells. */
  | 'likely'
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
  likely: 600,
  unknown: 850,
  // Pauses of 900 ms are common, and a voice is heard to end before it does and to begin after.
  incomplete: 1200,
  dictating: 1500,
  thinking: 2500,
}
/** What is not recognised yet is taken to last so long. */
const UNHEARD_MS = 700
/** For each time that an answer came too early in this call. */
const CAUTION_MS = 150
const MAX_CAUTION = 3
/** What a model that hears the turn says beyond these counts. */
const SURE = 0.8
const SURELY_NOT = 0.3
/** Where nothing else tells, so many words are a sentence, and so many a question, more often than their beginning. */
const SENTENCE_WORDS = 8
const QUESTION_WORDS = 6

/** What is known of how this recogniser uses full stops. */
export type Stops =
  | 'unknown'
  /** It ended a turn with one: where there is none, no sentence ends. */
  | 'meant'
  /** It ended a turn without one. */
  | 'none'
  /** It has put one where no sentence ends: they say nothing. */
  | 'stray'

export interface TurnContext {
  /** What the agent's last words asked for. */
  asked: Asked
  stops: Stops
  /** How often the human went on although the turn was taken for finished. */
  hasty: number
  /** How long the human has paused within what they said, ms. */
  pauses: readonly number[]
  /** The recogniser guesses: where its text ends a sentence, the human may not. */
  unsure: boolean
  /** Chance that the turn is over, by how it sounded; null without such a model. */
  chance: number | null
}

export const NO_CONTEXT: TurnContext = {
  asked: 'decision',
  stops: 'unknown',
  hasty: 0,
  pauses: [],
  unsure: false,
  chance: null,
}

/** Whether `text` reads like a finished turn; null when there is no text yet. */
export function completeness(text: string | null, context: TurnContext = NO_CONTEXT): Completeness {
  const said = text?.trim().toLowerCase() ?? ''
  const list = wordsOf(said)
  if (list.length === 0) return 'unknown'
  if (context.unsure) return 'incomplete'
  const words = turnWordsOf(list)
  const last = list.at(-1) ?? ''
  const sentence = wordsOf(lastSentence(said))
  if (words.fillers.has(last) || words.moment.test(sentence.join(' '))) return 'thinking'
  const stopped = endsSentence(said) || asks(said)
  const dictated = dictation({ said, list, words, stopped, asked: context.asked })
  if (dictated) return dictated
  if (/(,|:|;|-|–|—|\.\.\.|…)$/.test(said) || words.never.has(last)) return 'incomplete'
  if (asks(said)) return 'question'
  const d: Text = { said, list, sentence, words, context }
  if (stopped && context.stops !== 'stray') return byItsStop(d)
  return tellsStops(text ?? '', context) ? byItsCapitals(d) : byItsWords(d)
}

/** A text in small letters, its words, those of its last sentence, and those of its language. */
interface Text {
  said: string
  list: readonly string[]
  sentence: readonly string[]
  words: TurnWords
  context: TurnContext
}

/** It ends with a full stop, which is believed unless the words speak against it. */
function byItsStop(d: Text): Completeness {
  const { said, list, sentence, words } = d
  const bare = sentence.join(' ')
  if (words.closing.test(bare)) return 'complete'
  if (words.objectMissing.test(bare)) return 'incomplete'
  if (words.seldom.has(list.at(-1) ?? '') && !words.endsAllTheSame.test(bare)) return 'unknown'
  return onlyOpens(d) || isOpenList(said) ? 'unknown' : 'complete'
}

/** Who writes capitals and commas would have written a full stop too, unless an answer is so short. */
function byItsCapitals(d: Text): Completeness {
  const bare = d.context.stops === 'unknown' && !/[.,?!]/.test(d.said)
  return bare && (isAnswer(d) || d.words.closing.test(d.sentence.join(' ')))
    ? 'unknown'
    : 'incomplete'
}

/** Nothing but the words tells. */
function byItsWords(d: Text): Completeness {
  const { sentence, words, context } = d
  const bare = sentence.join(' ')
  const closes = words.closing.test(bare) && !words.verbMissing.test(bare)
  if (closes && sentence.length > 1) return 'complete'
  if (isAnswer(d)) return 'likely'
  if (context.asked === 'dictation' || onlyOpens(d)) return 'incomplete'
  if (leadsOn(sentence, words)) return 'incomplete'
  const enough = words.asking.has(sentence[0] ?? '') ? QUESTION_WORDS : SENTENCE_WORDS
  return sentence.length >= enough ? 'likely' : 'unknown'
}

/** Silence in ms after which a turn with this text (null: not recognised yet) is over. */
export function commitSilenceMs(text: string | null, context: TurnContext = NO_CONTEXT): number {
  if (text === null) return UNHEARD_MS
  const kind = completeness(text, context)
  const { chance, hasty } = context
  const caution = CAUTION_MS * Math.min(hasty, MAX_CAUTION)
  const byText = patienceWith(kind, context.pauses)
  if (chance === null) return byText < COMMIT_SILENCE_MS.incomplete ? byText + caution : byText
  if (chance < SURELY_NOT) return Math.max(byText, COMMIT_SILENCE_MS.incomplete)
  if (chance < SURE || kind === 'dictating' || kind === 'thinking') return byText
  return kind === 'incomplete' ? COMMIT_SILENCE_MS.unknown : COMMIT_SILENCE_MS.complete
}

function patienceWith(kind: Completeness, pauses: readonly number[]): number {
  const usual = COMMIT_SILENCE_MS[kind]
  if (kind === 'unknown') return waitByPace(pauses, usual)
  return kind === 'incomplete' ? Math.max(usual, waitByPace(pauses, usual)) : usual
}

/** Whether a full stop stands where no sentence ends: this recogniser puts one after every piece. */
export function isStrayStop(text: string): boolean {
  if (!endsSentence(text.trim())) return false
  const list = wordsOf(text.toLowerCase())
  return turnWordsOf(list).never.has(list.at(-1) ?? '')
}

/** Whether the full stop at the end of `before` was gone when more was said: `after` is the text of both. */
export function stopWasDropped(before: string, after: string): boolean {
  if (!endsSentence(before.trim())) return false
  const head = before.trim().replace(/[.!]+["')]*$/, '')
  const next = after.trim().slice(head.length).trimStart()
  return after.trim().toLowerCase().startsWith(head.toLowerCase()) && /^[\p{Ll}\p{N}]/u.test(next)
}

/** What is known of the recogniser's full stops after a turn with this text was over. */
export function stopsAfter(stops: Stops, text: string): Stops {
  if (stops === 'stray' || isStrayStop(text)) return 'stray'
  if (endsSentence(text.trim()) || asks(text.trim())) return 'meant'
  return stops === 'meant' || /[.,?!]/.test(text) ? stops : 'none'
}

function wordsOf(said: string): string[] {
  const plain = said.replace(/’/g, "'").replace(/[^\p{L}\p{N}']+/gu, ' ')
  return plain.split(' ').filter((word) => word !== '')
}

function lastSentence(said: string): string {
  return said.split(/(?<=[.!?])\s+/).at(-1) ?? ''
}

function endsSentence(said: string): boolean {
  return /[.!]["')]*$/.test(said) && !/\.\.$/.test(said)
}

function asks(said: string): boolean {
  return /[?]["')]*$/.test(said)
}

/** Whether the recogniser writes what it would have ended with a full stop. */
function tellsStops(text: string, { stops }: TurnContext): boolean {
  if (stops === 'meant') return true
  return stops === 'unknown' && (/\p{Lu}/u.test(text.trim()[0] ?? '') || /[.,?!]/.test(text))
}

/** "Yes", "no thanks": all that was asked for. */
function isAnswer({ list, words, context }: Text): boolean {
  return list.length <= 2 && words.answers.has(list.at(-1) ?? '') && context.asked === 'decision'
}

/** "Okay.", "Hello.": as a rule more follows, unless they are the answer. */
function onlyOpens({ list, words, context }: Text): boolean {
  return context.asked !== 'decision' && list.length <= 2 && list.every((w) => words.openers.has(w))
}

/** "Pepperoni, mushrooms, sausage." without an "and": more may follow. */
function isOpenList(said: string): boolean {
  return /(\p{L}+, ){2,}\p{L}+[.]$/u.test(said) && !/\b(and|or|und|oder|et|ou|y|o)\b/.test(said)
}
