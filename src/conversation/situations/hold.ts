/** The other side has put us on hold: nothing is said into it, and what comes out of it is nobody's turn. */
import { HOLD_CHECK_MS } from '../limits.ts'
import { type Action, become, changed, type Event, type Situation, type State } from '../state.ts'
import { dropDraft, hear, said } from '../utterance.ts'
import { heldBack, takeUp } from './answering.ts'

/** Told to the model when it is to take up a reply that a hold cut off. */
const BACK_NOTE = '(You were on hold and are back with the person. Go on from where you were.)'

export const hold: Situation = {
  decide(state, event, now) {
    if (event.type === 'hold')
      return event.held ? onHold(state, event.position, now) : offHold(state, now)
    if (event.type === 'due' && now >= checkAt(state)) {
      // Looking is the runner's: it tells `hold` when it has changed.
      return [become({ checkedAt: now })]
    }
    if (!state.held) return null
    switch (event.type) {
      case 'barge_in':
        return [{ type: 'resume_mouth' }]
      case 'speech_started':
      case 'speech_paused':
        return []
      case 'recognised':
      case 'failed':
        return lastWords(state, event)
      default:
        return null
    }
  },
  due: checkAt,
}

/** Held, speaking or about to speak, or listening to somebody: then it matters soon whether we are held. */
function checkAt({ held, answer, aside, utterance, checkedAt }: State): number {
  const matters = held || answer !== null || aside !== null || utterance !== null
  return matters ? checkedAt + HOLD_CHECK_MS : Number.POSITIVE_INFINITY
}

function onHold(state: State, position: number, now: number): Action[] {
  const { answer, aside } = state
  const actions: Action[] = [become({ held: true, checkedAt: now, aside: null, pausedAt: null })]
  if (aside !== null) actions.push({ type: 'drop', id: aside })
  if (answer?.phase === 'sounding')
    actions.push({ type: 'drop', id: answer.id }, become({ answer: null, cutOff: true }))
  else actions.push(...heldBack(state))
  actions.push({ type: 'stop_mouth' })
  return [...actions, ...wordsBefore(changed(state, actions), position, now)]
}

/** What the human said up to the hold is theirs ("One moment, please"), and is not answered: nobody would hear it. */
function wordsBefore(state: State, position: number, now: number): Action[] {
  const { utterance: u } = state
  if (!u) return []
  if (u.text !== null) return [said(u, u.text), ...dropDraft(u), become({ utterance: null })]
  const to = Math.max(u.from, Math.min(u.to ?? position, position))
  const until = u.to === null ? now : u.until
  const paused: Event = { type: 'speech_paused', from: u.from, to, since: u.since, until }
  const heard = hear(state, paused, false)
  const { utterance } = changed(state, heard)
  return [...heard, become({ utterance: utterance && { ...utterance, fillerAt: null } })]
}

/** The text of what was said before the hold; of music nothing was asked. */
function lastWords(
  state: State,
  event: Extract<Event, { type: 'recognised' | 'failed' }>,
): Action[] | null {
  const u = state.utterance
  if (!u || u.draft !== event.id) return event.type === 'recognised' ? [] : null
  const gone = [...dropDraft(u), become({ utterance: null })]
  if (event.type === 'failed') return gone
  const heard = hear(state, event, false)
  const text = changed(state, heard).utterance?.text
  return text == null ? heard : [...heard, said(u, text), ...gone]
}

function offHold(state: State, now: number): Action[] {
  const off = become({ held: false, checkedAt: now, quietSince: now })
  return [off, ...takeUp({ ...state, held: false, quietSince: now }, now, BACK_NOTE)]
}
