/** The agent's turn on its way: prepared, released, sounding, over; fillers, failures, tools. */
import { askedFor } from '../asked.ts'
import { FILLER_MS, LAST_WORDS_MS, MAX_RESUMES, SECOND_FILLER_MS } from '../limits.ts'
import {
  type Action,
  type Answer,
  become,
  changed,
  type Event,
  type Situation,
  type State,
} from '../state.ts'
import { fillerLine } from '../stock-lines.ts'
import { endWith } from './ending.ts'
import { useTool } from './using-tools.ts'

/** Told to the model when it is to take up a reply that a noise, not a word, cut off. */
export const RESUME_NOTE = '(A noise cut you off, nobody said anything. Go on from where you were.)'
/** So many failed replies in a row end the call. */
const MAX_FAILURES = 2

export const answering: Situation = {
  decide(state, event, now) {
    switch (event.type) {
      case 'sounding':
        return sounding(state, event.id)
      case 'finished':
        return finished(state, event, now)
      case 'failed':
        return failed(state, event, now)
      case 'tool':
        return useTool(state, event, now)
      case 'due':
        return due(state, now)
      default:
        return null
    }
  },
  due: ({ answer, utterance }) => {
    const never = Number.POSITIVE_INFINITY
    // While the human speaks nothing covers our silence.
    if (!answer || (utterance && utterance.to === null)) return answer?.giveUpAt ?? never
    return Math.min(answer.fillerAt ?? never, answer.giveUpAt ?? never)
  },
}

export function newAnswer(
  o: Pick<Answer, 'id' | 'source' | 'note'> &
    Partial<Pick<Answer, 'retried' | 'guarded' | 'fillersLeft'>>,
): Answer {
  return {
    guarded: false,
    retried: false,
    fillersLeft: o.source === 'model' ? 2 : 0,
    ...o,
    phase: 'held',
    fillerAt: null,
    giveUpAt: null,
  }
}

/** Lets a prepared answer sound. */
export function release(state: State, answer: Answer, now: number): Action[] {
  return [
    become({
      checkedAt: now,
      answer: {
        ...answer,
        phase: 'released',
        fillerAt: answer.fillersLeft > 0 ? now + FILLER_MS : null,
        giveUpAt: now + state.llmTimeoutMs,
      },
    }),
    { type: 'arm', rule: answer.guarded ? null : state.rule },
    { type: 'release', id: answer.id },
  ]
}

/** Takes a released answer back before it sounds. */
export function heldBack(state: State): Action[] {
  const { answer } = state
  if (answer?.phase !== 'released') return []
  return [
    become({ answer: { ...answer, phase: 'held', fillerAt: null, giveUpAt: null } }),
    { type: 'hold_back', id: answer.id },
  ]
}

/** True while the agent speaks its turn, or is to speak its first message whatever the human says. */
export function hasTheWord({ answer, pausedAt }: State): boolean {
  if (pausedAt !== null) return false
  return answer?.phase === 'sounding' || answer?.source === 'first_message'
}

/** Nothing was said after all: goes on with what waits, or, as `note` says, with what was cut off. */
export function takeUp(state: State, now: number, note = RESUME_NOTE): Action[] {
  const { answer, cutOff, resumes, openAt } = state
  if (state.held || openAt !== null) return []
  if (answer?.phase === 'held') return release(state, answer, now)
  if (answer || !cutOff || resumes >= MAX_RESUMES) return []
  const id = state.nextId
  const actions: Action[] = [
    become({ nextId: id + 1, resumes: resumes + 1, cutOff: false }),
    { type: 'reply', id, note },
  ]
  const again = newAnswer({ id, source: 'model', note })
  return [...actions, ...release(changed(state, actions), again, now)]
}

function sounding(state: State, id: number): Action[] | null {
  const { answer } = state
  const heard: Partial<State> = { lastSaid: null }
  if (answer?.id !== id) return [become(heard)]
  const sounds: Answer = { ...answer, phase: 'sounding', fillerAt: null, giveUpAt: null }
  return [become({ ...heard, answer: sounds })]
}

function finished(
  state: State,
  event: { id: number; whole: boolean; text: string },
  now: number,
): Action[] | null {
  const { answer, aside } = state
  if (event.id === aside) {
    const disarm: Action[] = answer ? [] : [{ type: 'arm', rule: null }]
    return [{ type: 'drop', id: aside }, become({ aside: null, quietSince: now }), ...disarm]
  }
  // One that was interrupted has been let go of already, but its words were heard.
  if (event.id !== answer?.id)
    return event.text === '' ? null : [become({ asked: askedFor(event.text) })]
  const patch: Partial<State> = {
    answer: null,
    pausedAt: null,
    quietSince: now,
    asked: event.text === '' ? state.asked : askedFor(event.text),
    cutOff: !event.whole,
  }
  const disarm: Action[] = aside === null ? [{ type: 'arm', rule: null }] : []
  return [
    { type: 'drop', id: event.id },
    become(event.whole ? { ...patch, answerFailures: 0, resumes: 0 } : patch),
    ...disarm,
  ]
}

function failed(
  state: State,
  event: Extract<Event, { type: 'failed' }>,
  now: number,
): Action[] | null {
  const { answer, aside } = state
  if (event.id === aside) return [become({ aside: null, quietSince: now })]
  if (event.id !== answer?.id) return null
  // What sounds is heard to its end; the human goes on from there.
  if (answer.phase === 'sounding')
    return countFailure(state, now) ?? [become({ answerFailures: state.answerFailures + 1 })]
  const dropped: Action[] = [{ type: 'drop', id: answer.id }, become({ answer: null })]
  if (!answer.retried) return [...dropped, ...askAgain(changed(state, dropped), answer, now)]
  if (event.stage !== 'empty') return giveUp(state, now)
  return nothingToSay(state, answer, dropped, now)
}

/** The same request once more; its time limit goes on. */
function askAgain(state: State, answer: Answer, now: number): Action[] {
  const id = state.nextId
  const request: Action =
    answer.source === 'first_message'
      ? { type: 'first_message', id }
      : { type: 'reply', id, note: answer.note }
  const again: Answer = { ...answer, id, retried: true }
  const actions: Action[] = [become({ nextId: id + 1, answer: again }), request]
  if (answer.phase === 'held') return actions
  const { fillerAt, giveUpAt } = answer
  return [
    ...actions,
    ...release(state, again, now),
    become({ answer: { ...again, phase: 'released', fillerAt, giveUpAt } }),
  ]
}

/** The model has twice given nothing: the human is asked to say it again, not hung up on at once. */
function nothingToSay(state: State, answer: Answer, dropped: Action[], now: number): Action[] {
  const tooOften = countFailure(state, now)
  if (tooOften) return tooOften
  const counted = become({ answerFailures: state.answerFailures + 1, quietSince: now })
  if (answer.note !== null || answer.phase === 'held') return [...dropped, counted]
  const id = state.nextId
  return [
    ...dropped,
    counted,
    become({ nextId: id + 1, aside: id }),
    { type: 'say', id, line: 'repeat' },
  ]
}

function countFailure(state: State, now: number): Action[] | null {
  return state.answerFailures + 1 >= MAX_FAILURES ? giveUp(state, now) : null
}

/** An engine is away: an apology, and the end. */
export function giveUp(state: State, now: number): Action[] {
  return endWith(state, now, {
    reason: 'engine_error',
    line: 'apology',
    withinMs: LAST_WORDS_MS,
  })
}

function due(state: State, now: number): Action[] | null {
  const { answer, utterance } = state
  if (answer?.giveUpAt != null && now >= answer.giveUpAt) return giveUp(state, now)
  if (answer?.fillerAt == null || now < answer.fillerAt || utterance?.to === null) return null
  const left = answer.fillersLeft - 1
  const next = left > 0 ? answer.fillerAt + SECOND_FILLER_MS - FILLER_MS : null
  const waiting = become({ answer: { ...answer, fillersLeft: left, fillerAt: next } })
  return [waiting, ...sayFiller(changed(state, [waiting]))]
}

/** A short sentence that says we are still there. */
export function sayFiller(state: State): Action[] {
  if (state.aside !== null) return []
  const id = state.nextId
  return [
    become({ nextId: id + 1, aside: id, fillers: state.fillers + 1 }),
    { type: 'arm', rule: state.rule },
    { type: 'say', id, line: fillerLine(state.fillers) },
  ]
}
