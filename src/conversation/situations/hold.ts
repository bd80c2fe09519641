/** The other side has put us on hold: nothing is said into it, and what comes out of it is nobody's turn. */
import { HOLD_CHECK_MS } from '../limits.ts'
import { type Action, become, type Situation, type State } from '../state.ts'
import { dropDraft } from '../utterance.ts'
import { heldBack, takeUp } from './answering.ts'

export const hold: Situation = {
  decide(state, event, now) {
    if (event.type === 'hold') return event.held ? onHold(state, now) : offHold(state, now)
    if (event.type === 'due' && now >= checkAt(state)) {
      // Looking is the runner's: it tells `hold` when it has changed.
      return [become({ checkedAt: now })]
    }
    if (!state.held) return null
    const ofTheHuman =
      event.type === 'speech_started' ||
      event.type === 'barge_in' ||
      event.type === 'speech_paused' ||
      event.type === 'recognised'
    return ofTheHuman ? [] : null
  },
  due: checkAt,
}

/** Held, speaking or about to speak: then it matters soon whether we are held. */
function checkAt(state: State): number {
  const matters = state.held || state.answer !== null || state.aside !== null
  return matters ? state.checkedAt + HOLD_CHECK_MS : Number.POSITIVE_INFINITY
}

function onHold(state: State, now: number): Action[] {
  const { answer, aside, utterance } = state
  const actions: Action[] = [become({ held: true, checkedAt: now, utterance: null, aside: null })]
  if (utterance) actions.push(...dropDraft(utterance))
  if (aside !== null) actions.push({ type: 'drop', id: aside })
  if (answer?.phase === 'sounding')
    actions.push({ type: 'drop', id: answer.id }, become({ answer: null, cutOff: true }))
  else actions.push(...heldBack(state))
  return [...actions, { type: 'stop_mouth' }]
}

function offHold(state: State, now: number): Action[] {
  const off = become({ held: false, checkedAt: now, quietSince: now })
  return [off, ...takeUp({ ...state, held: false, quietSince: now }, now)]
}
