/**
 * A voicemail answered: known by its greeting, or by its beep after somebody spoke for long. The call ends there, or,
 * where a message is to be left, the message is spoken after the beep and then the call ends.
 */
import { isVoicemailGreeting } from '../callee.ts'
import {
  BEEP_GAP_MS,
  GREETING_MS,
  GREETING_TURNS,
  GREETING_UNTIL_MS,
  LEAVE_WITHIN_MS,
  MESSAGE_MS,
  NO_BEEP_MS,
} from '../limits.ts'
import { type Action, become, changed, type Event, type Situation, type State } from '../state.ts'
import { dropDraft, hear, isGuess, said, spokenText } from '../utterance.ts'
import { giveUp } from './answering.ts'
import { dropAll, endWith } from './ending.ts'

/** The beeps of answering machines; faxes sound higher or lower, or before anybody spoke. */
const BEEP_HZ = { from: 390, to: 2060 }

export const voicemail: Situation = {
  decide(state, event, now) {
    if (state.voicemail) return waiting(state, event, now)
    if (event.type === 'recognised') return greeting(state, event, now)
    if (event.type === 'tone' && isBeep(event) && state.spokenMs >= GREETING_MS)
      return isEarly(state, now) ? answered(state, now, true) : null
    return null
  },
  due: (state) => {
    const { voicemail: v, utterance: u } = state
    if (!v) return Number.POSITIVE_INFINITY
    const commitAt = (u?.text == null ? null : u.commitAt) ?? Number.POSITIVE_INFINITY
    return Math.min(speakAt(state), commitAt)
  },
}

/** Only at the beginning: later on somebody who speaks of messages is a person. */
function isEarly({ answeredAt, humanTurns }: State, now: number): boolean {
  return humanTurns < GREETING_TURNS && now - answeredAt <= GREETING_UNTIL_MS
}

function isBeep({ hz }: { hz: number }): boolean {
  return hz >= BEEP_HZ.from && hz <= BEEP_HZ.to
}

function greeting(
  state: State,
  event: Extract<Event, { type: 'recognised' }>,
  now: number,
): Action[] | null {
  const u = state.utterance
  if (!u || u.draft !== event.id || !isEarly(state, now) || isGuess(event)) return null
  const text = spokenText(event.text)
  if (!isVoicemailGreeting(text) || state.onVoicemail === 'continue') return null
  if (state.onVoicemail === 'leave')
    return [...hear(state, event, false), ...prepare(state, now, false)]
  return [
    said(u, text),
    ...dropDraft(u),
    become({ utterance: null }),
    ...answered(state, now, false),
  ]
}

/** It is a voicemail, whoever or whatever told so. */
function answered(state: State, now: number, beeped: boolean): Action[] {
  if (state.onVoicemail === 'continue') return []
  if (state.onVoicemail === 'leave') return prepare(state, now, beeped)
  const { utterance: u } = state
  const last = u?.text ? [said(u, u.text), ...dropDraft(u), become({ utterance: null })] : []
  return [...last, ...endWith(state, now, { reason: 'voicemail', line: null, withinMs: 0 })]
}

/** Falls silent, and makes the message ready to be spoken. */
function prepare(state: State, now: number, beeped: boolean): Action[] {
  const id = state.nextId
  return [
    ...dropAll(state),
    { type: 'stop_mouth' },
    { type: 'arm', rule: null },
    become({
      nextId: id + 1,
      voicemail: { line: id, since: now, speakAt: beeped ? now + BEEP_GAP_MS : null },
    }),
    { type: 'leave_message', id },
  ]
}

/** When the message is spoken: after the beep; without one when nothing was said for long, and at the latest some time. */
function speakAt({ voicemail: v, utterance: u, quietSince }: State): number {
  if (!v) return Number.POSITIVE_INFINITY
  if (v.speakAt !== null) return v.speakAt
  const latest = v.since + LEAVE_WITHIN_MS
  if (u && u.to === null) return latest
  return Math.min(Math.max(u?.until ?? 0, quietSince, v.since) + NO_BEEP_MS, latest)
}

function waiting(state: State, event: Event, now: number): Action[] | null {
  const v = state.voicemail
  if (!v) return null
  switch (event.type) {
    case 'barge_in':
      return [{ type: 'resume_mouth' }]
    case 'speech_started':
    case 'speech_paused':
      return hear(state, event, false)
    case 'recognised':
      return hear(state, event, false)
    case 'tone':
      return isBeep(event) ? [become({ voicemail: { ...v, speakAt: now + BEEP_GAP_MS } })] : []
    case 'failed':
      return event.id === v.line ? giveUp(state, now) : forget(state, event.id)
    case 'due':
      return due(state, now)
    case 'finished':
    case 'sounding':
    case 'tool':
    case 'judged':
    case 'key':
      return []
    default:
      return null
  }
}

/** What could not be recognised is not written down. */
function forget(state: State, id: number): Action[] {
  const u = state.utterance
  return u?.draft === id ? [...dropDraft(u), become({ utterance: null })] : []
}

function due(state: State, now: number): Action[] | null {
  const { voicemail: v, utterance: u } = state
  if (!v) return null
  const heard: Action[] =
    u?.text != null && now >= (u.commitAt ?? 0)
      ? [said(u, u.text), ...dropDraft(u), become({ utterance: null, quietSince: now })]
      : []
  if (now < speakAt(state)) return heard.length > 0 ? heard : null
  const next = changed(state, heard)
  return [
    ...heard,
    become({
      voicemail: null,
      quietSince: next.quietSince,
      ending: {
        reason: 'voicemail',
        line: v.line,
        hangupAt: now + MESSAGE_MS,
        hungUp: false,
        over: false,
      },
    }),
    { type: 'release', id: v.line },
  ]
}
