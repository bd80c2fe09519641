/** The call is ending: the last sentence, the hang-up, and the text of what was said meanwhile. */
import type { LegEnd, StopReason } from '../../calls/ports.ts'
import { FAREWELL_MS, HANGUP_MS, LAST_TEXT_MS } from '../limits.ts'
import {
  type Action,
  become,
  changed,
  type Ending,
  type EndingReason,
  type Situation,
  type State,
} from '../state.ts'
import type { LineName } from '../stock-lines.ts'
import { dropDraft, hear, said } from '../utterance.ts'

export const ending: Situation = {
  decide(state, event, now) {
    if (event.type === 'leg_ended') return legEnded(state, event.end, now)
    const current = state.ending
    if (!current) return null
    switch (event.type) {
      case 'barge_in':
        // Raised just before it was forbidden: the last words are not to wait for it.
        return [{ type: 'resume_mouth' }, ...hear(state, event, false)]
      case 'speech_started':
      case 'speech_paused':
        return current.over ? [] : hear(state, event, false)
      case 'recognised':
      case 'failed':
        return lastText(state, current, event, now)
      case 'finished':
        return event.id === current.line && !current.hungUp
          ? hangUp(state, current.reason, now)
          : []
      case 'transferred':
        return event.outcome.ok && !current.hungUp ? handOver(state, now) : []
      case 'stop':
        return current.hungUp ? [] : hurry(state, current, event.reason, now)
      case 'due':
        return due(state, current, now)
      default:
        return []
    }
  },
  due: ({ ending, utterance, endAt }) => {
    if (!ending) return Number.POSITIVE_INFINITY
    const commitAt = utterance?.text == null ? null : utterance.commitAt
    const hangupAt = ending.hungUp ? ending.hangupAt : Math.min(ending.hangupAt, endAt)
    return Math.min(hangupAt, commitAt ?? Number.POSITIVE_INFINITY)
  },
}

/** Drops all that was about to be said, says `line` (null: nothing), hangs up within `ms`. */
export function endWith(
  state: State,
  now: number,
  o: { reason: EndingReason; line: LineName | null; withinMs: number },
): Action[] {
  const silent = o.line === null || state.held
  const id = state.nextId
  const actions: Action[] = [
    ...dropAll(state),
    { type: 'stop_mouth' },
    { type: 'arm', rule: null },
    become({
      nextId: id + 1,
      ending: {
        reason: o.reason,
        line: id,
        hangupAt: now + o.withinMs,
        hungUp: false,
        over: false,
      },
    }),
  ]
  if (silent || o.line === null)
    return [...actions, ...hangUp(changed(state, actions), o.reason, now)]
  return [...actions, { type: 'say', id, line: o.line }]
}

/** All that sounds or is about to. */
export function dropAll(state: State): Action[] {
  const actions: Action[] = []
  if (state.answer) actions.push({ type: 'drop', id: state.answer.id })
  if (state.aside !== null) actions.push({ type: 'drop', id: state.aside })
  return [...actions, become({ answer: null, aside: null, pausedAt: null, openAt: null })]
}

function hangUp(state: State, reason: EndingReason, now: number): Action[] {
  return [
    become({
      ending: {
        line: state.ending?.line ?? null,
        reason,
        hangupAt: now + HANGUP_MS,
        hungUp: true,
        over: false,
      },
    }),
    { type: 'hang_up' },
  ]
}

/** The human is somebody else's from now on: no word more, and that is how the call ended. */
export function handOver(state: State, now: number): Action[] {
  const ended = endWith(state, now, { reason: 'transferred', line: null, withinMs: 0 })
  return [...ended, { type: 'handed_over' }]
}

/** Asked to end while the last sentence is said, be it the agent's own: that may last no longer than ours would. */
function hurry(state: State, current: Ending, why: StopReason, now: number): Action[] {
  if (why === 'canceled') return hangUp(state, current.reason, now)
  const hangupAt = Math.min(current.hangupAt, now + FAREWELL_MS)
  return [become({ ending: { ...current, hangupAt } })]
}

function due(state: State, current: Ending, now: number): Action[] {
  if (current.over)
    return now >= current.hangupAt ? [{ type: 'close', reason: current.reason }] : []
  if (current.hungUp && now >= current.hangupAt) return [{ type: 'close', reason: current.reason }]
  if (!current.hungUp && now >= Math.min(current.hangupAt, state.endAt))
    return hangUp(state, current.reason, now)
  const u = state.utterance
  if (u?.text != null && u.commitAt !== null && now >= u.commitAt)
    return [said(u, u.text), ...dropDraft(u), become({ utterance: null })]
  return []
}

/** The text of an utterance that came while the call ends; the leg's end is an utterance's end too. */
function lastText(
  state: State,
  current: Ending,
  event:
    | { type: 'recognised'; id: number; text: string; noSpeech: number }
    | { type: 'failed'; id: number },
  now: number,
): Action[] {
  if (event.type === 'failed' && event.id === current.line && !current.hungUp)
    return hangUp(state, current.reason, now)
  const u = state.utterance
  if (!u || u.draft !== event.id) return []
  const heard =
    event.type === 'recognised'
      ? hear(state, event, false)
      : [...dropDraft(u), become({ utterance: null })]
  return current.over ? wrapUp(changed(state, heard), heard, current.reason) : heard
}

/** Commits what is known and closes. */
function wrapUp(state: State, before: Action[], reason: EndingReason): Action[] {
  const u = state.utterance
  const last = u?.text ? [said(u, u.text), ...dropDraft(u)] : []
  return [...before, ...last, become({ utterance: null }), { type: 'close', reason }]
}

function legEnded(state: State, end: LegEnd, now: number): Action[] {
  if (state.ending?.over) return []
  const reason = reasonOfEnd(end, state.ending)
  const actions: Action[] = [
    ...dropAll(state),
    become({
      ending: { reason, line: null, hangupAt: now + LAST_TEXT_MS, hungUp: true, over: true },
    }),
  ]
  const u = state.utterance
  if (!u || u.text !== null) return wrapUp(changed(state, actions), actions, reason)
  if (u.draft !== null) return actions
  // Cut off in the middle of a word: what was said up to there counts.
  const id = state.nextId
  return [
    ...actions,
    {
      type: 'draft',
      id,
      from: u.from,
      to: Number.MAX_SAFE_INTEGER,
      answers: false,
      continues: u.continues,
    },
    become({ nextId: id + 1, utterance: { ...u, draft: id, answers: false, to: u.from } }),
  ]
}

function reasonOfEnd(end: LegEnd, current: Ending | null): EndingReason {
  // Who has been handed over is gone, whoever hangs up first.
  if (current?.reason === 'transferred') return 'transferred'
  switch (end.by) {
    case 'human':
      return 'human_hangup'
    case 'rtp_timeout':
      return 'rtp_timeout'
    case 'trunk_error':
      return current?.hungUp ? current.reason : 'trunk_error'
    case 'us':
      // Without our asking only the call's hard deadline hangs up.
      return current?.reason ?? 'max_duration'
  }
}
