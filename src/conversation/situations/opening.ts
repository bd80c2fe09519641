/**
 * The answer: the first message at once, or, without one, a moment for the human to speak first; who calls us waits for us
 * to speak.
 */
import { OPENING_WAIT_MS } from '../limits.ts'
import { become, type Situation } from '../state.ts'
import { newAnswer, release } from './answering.ts'

/** Told to the model when nobody spoke first. */
export const OPENING_NOTE =
  '(The call was answered and nobody has spoken yet. Open the conversation.)'

export const opening: Situation = {
  decide(state, event, now) {
    if (event.type === 'answered') {
      const id = state.nextId
      const next = { ...state, nextId: id + 1 }
      if (state.hasFirstMessage) {
        const answer = newAnswer({ id, source: 'first_message', note: null })
        const actions = state.held ? [become({ answer })] : release(next, answer, now)
        return [become({ nextId: id + 1 }), { type: 'first_message', id }, ...actions]
      }
      // Prepared while the human may still speak first; dropped when they do.
      const answer = newAnswer({ id, source: 'model', note: OPENING_NOTE })
      return [
        become({ nextId: id + 1, answer, openAt: now + (state.weAnswer ? 0 : OPENING_WAIT_MS) }),
        { type: 'reply', id, note: OPENING_NOTE },
      ]
    }
    const { openAt, answer, utterance } = state
    if (event.type !== 'due' || openAt === null || now < openAt || utterance || state.held)
      return null
    const opened = become({ openAt: null })
    return answer ? [opened, ...release(state, answer, now)] : [opened]
  },
  due: ({ openAt, utterance, held }) =>
    openAt === null || utterance || held ? Number.POSITIVE_INFINITY : openAt,
}
