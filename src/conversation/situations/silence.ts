/** Nobody says anything: the agent asks, asks again, and says goodbye. */
import { LAST_WORDS_MS, SILENCE_ASKS, SILENCE_MS } from '../limits.ts'
import { type Action, become, type Situation, type State } from '../state.ts'
import { endWith } from './ending.ts'

export const silence: Situation = {
  decide(state, event, now) {
    if (event.type !== 'due' || now < dueAt(state)) return null
    return askOrLeave(state, now, true)
  },
  due: dueAt,
}

/** Asks whether somebody is there, or leaves when that was asked often enough. */
export function askOrLeave(state: State, now: number, interruptible: boolean): Action[] {
  if (state.asks >= SILENCE_ASKS)
    return endWith(state, now, {
      reason: 'silence',
      line: 'silence_goodbye',
      withinMs: LAST_WORDS_MS,
    })
  const id = state.nextId
  return [
    become({ nextId: id + 1, aside: id, asks: state.asks + 1, checkedAt: now }),
    { type: 'arm', rule: interruptible ? state.rule : null },
    { type: 'say', id, line: state.asks === 0 ? 'ask' : 'ask_again' },
  ]
}

function dueAt(state: State): number {
  const quiet =
    !state.utterance &&
    !state.answer &&
    !state.handover &&
    state.aside === null &&
    !state.held &&
    state.openAt === null &&
    state.voicemail === null &&
    state.keys === null
  if (!quiet) return Number.POSITIVE_INFINITY
  return Math.max(state.quietSince + SILENCE_MS, state.waiting ?? 0)
}
