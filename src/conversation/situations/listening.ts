/** The human's turn: an utterance is drafted at each pause and committed when the pause has lasted long enough. */
import { isMenu, waitAsked } from '../callee.ts'
import { type Action, become, changed, type Event, type Situation, type State } from '../state.ts'
import { stopsAfter } from '../turn-detector.ts'
import { commitTime, draft, dropDraft, hear, rest, said } from '../utterance.ts'
import { giveUp, hasTheWord, heldBack, newAnswer, release, sayFiller, takeUp } from './answering.ts'
import { askOrLeave } from './silence.ts'

/** So many failures of the recogniser in a row end the call. */
const MAX_FAILURES = 2

export const listening: Situation = {
  decide(state, event, now) {
    switch (event.type) {
      case 'speech_started':
        return speechStarted(state, event)
      case 'barge_in':
        return bargedIn(state, event)
      case 'speech_paused':
        return hear(state, event, !hasTheWord(state))
      case 'recognised':
        return recognised(state, event, now)
      case 'judged':
        return judged(state, event, now)
      case 'failed':
        return draftFailed(state, event, now)
      case 'due':
        return due(state, event.position, now)
      default:
        return null
    }
  },
  due: ({ utterance: u }) => {
    if (!u) return Number.POSITIVE_INFINITY
    if (u.stalled) return u.text === null ? Number.POSITIVE_INFINITY : (u.commitAt ?? 0)
    if (u.to === null) return u.stallAt
    return (u.text === null ? u.fillerAt : u.commitAt) ?? Number.POSITIVE_INFINITY
  },
}

function speechStarted(state: State, event: Extract<Event, { type: 'speech_started' }>): Action[] {
  const waits = state.answer?.source === 'model' ? heldBack(state) : []
  return [...waits, ...hear(state, event, true)]
}

/** It would have paused our sound, but nothing of ours sounds: what is about to is not to wait. */
function bargedIn(state: State, event: Extract<Event, { type: 'barge_in' }>): Action[] {
  const actions: Action[] = [{ type: 'stop_mouth' }, ...hear(state, event, true)]
  return [...actions, ...heldBack(state)]
}

function recognised(
  state: State,
  event: Extract<Event, { type: 'recognised' }>,
  now: number,
): Action[] | null {
  const u = state.utterance
  if (!u || u.draft !== event.id) return null
  const heard = hear(state, event, true)
  const next = changed(state, heard)
  if (next.utterance?.text == null) {
    // Music, or noise without a pause: quiet, as far as a conversation goes.
    if (u.stalled && !next.answer && next.aside === null && now >= (next.waiting ?? 0))
      return [...heard, ...askOrLeave(next, now, false)]
    return [...heard, ...takeUp(next, now)]
  }
  // What was prepared before the human went on answers only half of it.
  const { answer } = next
  if (answer?.phase === 'held' && answer.source === 'model')
    heard.push({ type: 'drop', id: answer.id }, become({ answer: null, openAt: null }))
  const ready = changed(state, heard)
  return now >= (next.utterance.commitAt ?? 0) ? [...heard, ...commit(ready, now)] : heard
}

/** How it sounded shortens or lengthens the wait. */
function judged(
  state: State,
  event: Extract<Event, { type: 'judged' }>,
  now: number,
): Action[] | null {
  const u = state.utterance
  if (!u || u.draft !== event.id) return null
  const heard = { ...u, chance: event.chance }
  if (u.text === null) return [become({ utterance: heard })]
  const commitAt = commitTime(state, heard)
  const actions = [become({ utterance: { ...heard, commitAt } })]
  return now >= commitAt ? [...actions, ...commit(changed(state, actions), now)] : actions
}

/** The turn is the human's no more: its text counts, and what was prepared is let go. */
function commit(state: State, now: number): Action[] {
  const u = state.utterance
  if (u?.text == null) return []
  const turn = said(u, u.text)
  const { lastSaid } = state
  const text = u.continues && lastSaid ? `${lastSaid.text} ${u.text}` : u.text
  const committed = become({
    utterance: rest(u),
    openAt: null,
    asks: 0,
    resumes: 0,
    cutOff: false,
    lastSaid: hasTheWord(state) ? null : { text, until: u.until },
    waiting: u.unsure ? null : waitUntil(u.text, now),
    humanTurns: state.humanTurns + (u.continues ? 0 : 1),
    stops: stopsAfter(state.stops, u.text),
    hasty: state.hasty + (u.continues ? 1 : 0),
    quietSince: now,
  })
  const next = changed(state, [committed])
  if (hasTheWord(state)) return [turn, ...dropDraft(u), committed, ...firstMessageWaits(next, now)]
  if (u.answers && !u.broken && u.draft !== null) {
    const answer = newAnswer({
      id: u.draft,
      source: 'model',
      note: null,
      guarded: u.stalled,
      ...quietAt(u.text),
    })
    return [turn, committed, ...release(next, answer, now)]
  }
  const id = state.nextId
  const answer = newAnswer({
    id,
    source: 'model',
    note: null,
    retried: u.broken,
    ...quietAt(u.text),
  })
  const asked: Action[] = [committed, become({ nextId: id + 1 }), { type: 'reply', id, note: null }]
  return [turn, ...dropDraft(u), ...asked, ...release(changed(state, asked), answer, now)]
}

/** A menu is not told that there will be an answer in a moment. */
function quietAt(text: string): { fillersLeft?: number } {
  return isMenu(text) ? { fillersLeft: 0 } : {}
}

function waitUntil(text: string, now: number): number | null {
  const ms = waitAsked(text)
  return ms === 0 ? null : now + ms
}

/** A first message that could not sound before the human spoke is the answer to it. */
function firstMessageWaits(state: State, now: number): Action[] {
  const { answer } = state
  return answer?.phase === 'held' ? release(state, answer, now) : []
}

function draftFailed(
  state: State,
  event: Extract<Event, { type: 'failed' }>,
  now: number,
): Action[] | null {
  const u = state.utterance
  if (!u || u.draft !== event.id) return null
  if (event.stage !== 'recogniser') return [become({ utterance: { ...u, broken: true } })]
  const recogniserFailures = state.recogniserFailures + 1
  if (recogniserFailures >= MAX_FAILURES) return giveUp(state, now)
  const counted = become({ recogniserFailures })
  return [counted, ...draft(changed(state, [counted]), u, u.answers)]
}

function due(state: State, position: number, now: number): Action[] | null {
  const u = state.utterance
  if (!u) return null
  if (u.to === null) {
    if (now < u.stallAt) return null
    // The watchdog by the wall clock: without a pause no turn would ever end.
    const stalled = { ...u, to: position, until: now, commitAt: now, stalled: true }
    return draft(state, stalled, !hasTheWord(state))
  }
  if (u.text !== null) return now >= (u.commitAt ?? 0) ? commit(state, now) : null
  if (u.fillerAt === null || now < u.fillerAt) return null
  const waiting = become({ utterance: { ...u, fillerAt: null } })
  const quiet = state.aside === null && !state.answer
  return quiet ? [waiting, ...sayFiller(changed(state, [waiting]))] : [waiting]
}
