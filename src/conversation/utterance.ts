/** Hearing: how speech and its text make an utterance, whatever is then done about it. Pure. */
import { isMenu } from './callee.ts'
import { FILLER_MS, JOIN_MS, MENU_MS, STALL_MS } from './limits.ts'
import { withPause } from './pace.ts'
import type { Recognition } from './ports.ts'
import { type Action, become, type Event, type State, type Utterance } from './state.ts'
import { commitSilenceMs, isStrayStop, stopWasDropped } from './turn-detector.ts'

/** Below this mean log probability of its words a recogniser guesses: speech that it knows lies above, that it does not, below. */
const UNSURE = -0.6
/** Above this chance that nobody spoke, a recogniser's text is its own invention. */
const NO_SPEECH = 0.6
const MAX_TEXT = 4000
/** A shorter silence may lie within a word. */
const REAL_PAUSE_MS = 250

type Heard = Extract<
  Event,
  { type: 'speech_started' | 'barge_in' | 'speech_paused' | 'recognised' }
>

/**
 * What speech and text change in the utterance. Speech that goes on throws away what was drafted for the pause;
 * a pause has it recognised at once, and answered when `answers`; an utterance without a word is none.
 */
export function hear(state: State, event: Heard, answers: boolean): Action[] {
  const u = state.utterance
  switch (event.type) {
    case 'speech_started':
      return u ? goOn(state, u, event.since) : begin(state, event)
    case 'barge_in':
      return [become({ utterance: { ...(u ?? newUtterance(event, state)), bargedIn: true } })]
    case 'speech_paused': {
      const paused = pausedAt(u ?? newUtterance(event, state), event)
      const spokenMs = Math.max(state.spokenMs, paused.until - paused.since)
      return [become({ spokenMs }), ...draft(state, paused, answers)]
    }
    case 'recognised':
      return u && u.draft === event.id ? recognised(state, u, event) : []
  }
}

/** Asks for the text of an utterance (and the reply to it), in place of what was asked for it before. */
export function draft(state: State, utterance: Utterance, answers: boolean): Action[] {
  const id = state.nextId
  return [
    ...dropDraft(utterance),
    {
      type: 'draft',
      id,
      from: utterance.from,
      to: utterance.to ?? Number.MAX_SAFE_INTEGER,
      answers,
      continues: utterance.continues,
    },
    become({
      nextId: id + 1,
      utterance: { ...utterance, draft: id, answers, broken: false, text: null, chance: null },
    }),
  ]
}

export function dropDraft(utterance: Utterance): Action[] {
  return utterance.draft === null ? [] : [{ type: 'drop', id: utterance.draft }]
}

/** The utterance as the human's turn. */
export function said(utterance: Utterance, text: string): Action {
  const { since, until, draft, continues } = utterance
  return { type: 'human_said', text, at: since, id: draft, until, continues }
}

/** What is left of a stalled utterance: its speech goes on. */
export function rest(utterance: Utterance): Utterance | null {
  if (!utterance.stalled || utterance.to === null) return null
  return newUtterance({ from: utterance.to, since: utterance.until }, { lastSaid: null })
}

/** Speech after a turn that was taken for finished tells how long this human pauses, as a pause within one does. */
function begin(state: State, event: { from: number; since: number }): Action[] {
  const utterance = newUtterance(event, state)
  const { lastSaid } = state
  if (!utterance.continues || !lastSaid) return [become({ utterance })]
  return [become({ utterance, pauses: withPause(state.pauses, event.since - lastSaid.until) })]
}

function newUtterance(
  { from, since }: { from: number; since: number },
  { lastSaid }: Pick<State, 'lastSaid'>,
): Utterance {
  return {
    from,
    to: null,
    since,
    until: since,
    bargedIn: false,
    soFar: null,
    draft: null,
    answers: false,
    broken: false,
    continues: lastSaid !== null && since - lastSaid.until <= JOIN_MS,
    text: null,
    textBefore: null,
    unsure: false,
    chance: null,
    commitAt: null,
    fillerAt: null,
    stallAt: since + STALL_MS,
    stalled: false,
  }
}

function goOn(state: State, u: Utterance, since: number): Action[] {
  const paused = since - u.until
  const real = u.to !== null && paused >= REAL_PAUSE_MS
  // What is heard of a word cut in two says nothing about how the recogniser ends a sentence.
  const text = real ? u.text : null
  const utterance: Utterance = {
    ...u,
    to: null,
    draft: null,
    text: null,
    textBefore: text ?? u.textBefore,
    chance: null,
    commitAt: null,
    fillerAt: null,
    stalled: false,
  }
  const stray = text !== null && isStrayStop(text)
  const habit = stray ? [become({ stops: 'stray' })] : []
  const pace = real ? [become({ pauses: withPause(state.pauses, paused) })] : []
  return [...dropDraft(u), ...habit, ...pace, become({ utterance })]
}

function pausedAt(u: Utterance, event: { to: number; until: number }): Utterance {
  const unknownUntil = event.until + commitSilenceMs(null)
  return {
    ...u,
    to: event.to,
    until: event.until,
    stalled: false,
    commitAt: unknownUntil,
    fillerAt: unknownUntil + FILLER_MS,
  }
}

function recognised(state: State, u: Utterance, event: Recognition): Action[] {
  const text = event.noSpeech > NO_SPEECH ? '' : spokenText(event.text)
  const heard = become({ recogniserFailures: 0 })
  if (text === '') return [heard, ...dropDraft(u), become({ utterance: rest(u) })]
  const unsure = isGuess(event)
  const dropped = !unsure && u.textBefore !== null && stopWasDropped(u.textBefore, text)
  const stops = dropped ? 'stray' : state.stops
  const utterance = { ...u, text, unsure, fillerAt: null }
  const commitAt = commitTime({ ...state, stops }, utterance)
  return [heard, become({ stops, utterance: { ...utterance, commitAt } })]
}

/** When the utterance becomes a turn, by what is known of it and what was said before. */
export function commitTime(state: State, u: Utterance): number {
  if (u.stalled) return u.until
  const { asked, stops, hasty, pauses, lastSaid } = state
  const text = u.text !== null && u.continues && lastSaid ? `${lastSaid.text} ${u.text}` : u.text
  if (text !== null && !u.unsure && isMenu(text)) return u.until + MENU_MS
  const { unsure, chance } = u
  return u.until + commitSilenceMs(text, { asked, stops, hasty, pauses, unsure, chance })
}

/** Whether the recogniser is so unsure of its text that nothing may follow from how it reads. */
export function isGuess({ logProbability }: Recognition): boolean {
  return (logProbability ?? 0) < UNSURE
}

/** Without a recogniser's remarks about noises; empty when no word is left. */
export function spokenText(text: string): string {
  const plain = text
    .replace(/\[[^\]]*\]|\([^)]*\)|[♪♫]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return /[\p{L}\p{N}]/u.test(plain) ? plain.slice(0, MAX_TEXT) : ''
}
