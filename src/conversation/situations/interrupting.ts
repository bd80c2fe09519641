/**
 * The human speaks into our words, and the ring has paused them. A sign of listening ("mhm") lets them go on from the
 * same sample; anything else ends them.
 */
import { isBackchannel, isInterruption } from '../backchannel.ts'
import {
  BACKCHANNEL_MS,
  INTERRUPTION_MS,
  LONGEST_SIGNS_MS,
  RESUME_MS,
  UNDECIDED_MS,
} from '../limits.ts'
import { type Action, become, changed, type Event, type Situation, type State } from '../state.ts'
import { dropDraft, hear, said } from '../utterance.ts'
import { takeUp } from './answering.ts'
import { listening } from './listening.ts'

type Recognised = Extract<Event, { type: 'recognised' }>

export const interrupting: Situation = {
  decide(state, event, now) {
    switch (event.type) {
      case 'barge_in':
        if (!sounds(state)) return null
        return [...hear(state, event, true), become({ pausedAt: now })]
      case 'partial':
        return partial(state, event.text)
      case 'recognised':
        return recognised(state, event, now)
      case 'due':
        return now < dueAt(state) ? null : due(state)
      default:
        return null
    }
  },
  due: dueAt,
}

/** Whether what the human says decides, as it is said, about what is paused. */
export function wantsPartials({ pausedAt, utterance: u }: State): boolean {
  return pausedAt !== null && u !== null && u.to === null
}

/** Something of ours sounds, or did until it was paused. */
function sounds({ answer, aside }: State): boolean {
  return answer?.phase === 'sounding' || aside !== null
}

/** When what was said is judged without its text. */
function dueAt(state: State): number {
  const { pausedAt, utterance: u } = state
  if (pausedAt === null) return Number.POSITIVE_INFINITY
  if (!u || !sounds(state)) return pausedAt
  if (u.to === null) return u.since + (isRowOfSigns(u) ? LONGEST_SIGNS_MS : INTERRUPTION_MS)
  return u.until + (isShort(u) ? RESUME_MS : UNDECIDED_MS)
}

/** Of what goes on the last word may be half of one, or of a phrase. */
function isRowOfSigns({ soFar }: { soFar: string | null }): boolean {
  if (soFar === null || isInterruption(soFar)) return false
  return isBackchannel(soFar) || isBackchannel(soFar.replace(/\s+\S+\s*$/, ''))
}

function isShort({ since, until }: { since: number; until: number }): boolean {
  return until - since <= BACKCHANNEL_MS
}

function due(state: State): Action[] {
  const { utterance: u } = state
  if (!u || !sounds(state) || (u.to !== null && isShort(u))) return goOn(state)
  return interrupted(state)
}

function partial(state: State, text: string): Action[] {
  const { utterance: u } = state
  return u && wantsPartials(state) ? [become({ utterance: { ...u, soFar: text } })] : []
}

function recognised(state: State, event: Recognised, now: number): Action[] | null {
  const { utterance: u, pausedAt } = state
  // After it was taken for a backchannel by its length its text still counts.
  if (!u?.bargedIn || u.draft !== event.id || !sounds(state)) return null
  const heard = hear(state, event, true)
  const next = changed(state, heard)
  const text = next.utterance?.text
  if (text != null && !isSignOfListening(text, u)) {
    const cut = interrupted(state)
    return [...cut, ...(listening.decide(changed(state, cut), event, now) ?? [])]
  }
  const noted: Action[] =
    text == null || !next.utterance
      ? []
      : [said(next.utterance, text), ...dropDraft(next.utterance), become({ utterance: null })]
  const quiet = [...heard, ...noted]
  return pausedAt === null ? quiet : [...quiet, ...goOn(changed(state, quiet), now)]
}

function isSignOfListening(text: string, u: { since: number; until: number }): boolean {
  return isBackchannel(text) || (isShort(u) && !isInterruption(text))
}

/** What was paused goes on, and so does what waited behind it. */
function goOn(state: State, now?: number): Action[] {
  const actions: Action[] = [
    become({ pausedAt: null }),
    { type: 'arm', rule: state.rule },
    { type: 'resume_mouth' },
  ]
  return now === undefined ? actions : [...actions, ...takeUp(changed(state, actions), now)]
}

/** What was paused is over. */
function interrupted(state: State): Action[] {
  const { answer, aside } = state
  const actions: Action[] = [{ type: 'stop_mouth' }]
  if (aside !== null) actions.push({ type: 'drop', id: aside })
  if (answer?.phase === 'sounding')
    actions.push({ type: 'drop', id: answer.id }, become({ answer: null, cutOff: true }))
  return [...actions, become({ aside: null, pausedAt: null })]
}
