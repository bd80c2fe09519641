/** The human presses keys of the telephone: they are written down, told to the model, and answered like words. */
import { KEYS_MS, MAX_KEYS } from '../limits.ts'
import { type Action, become, changed, type Situation, type State } from '../state.ts'
import { newAnswer, release } from './answering.ts'

export const keys: Situation = {
  decide(state, event, now) {
    if (event.type === 'key') {
      const { digits } = state.keys ?? { digits: '' }
      if (digits.length >= MAX_KEYS) return []
      return [become({ keys: { digits: digits + event.digit, dueAt: now + KEYS_MS } })]
    }
    if (event.type !== 'due' || now < dueAt(state)) return null
    return pressed(state, now)
  },
  due: dueAt,
}

/** What is said meanwhile comes first. */
function dueAt({ keys, utterance, held }: State): number {
  return keys === null || utterance !== null || held ? Number.POSITIVE_INFINITY : keys.dueAt
}

function pressed(state: State, now: number): Action[] {
  const { keys, answer, aside } = state
  if (!keys) return []
  const id = state.nextId
  const cut: Action[] = [{ type: 'stop_mouth' }]
  if (answer) cut.push({ type: 'drop', id: answer.id })
  if (aside !== null) cut.push({ type: 'drop', id: aside })
  const actions: Action[] = [
    ...cut,
    {
      type: 'human_said',
      text: `[pressed ${keys.digits}]`,
      at: now - KEYS_MS,
      until: now,
      id: null,
      continues: false,
    },
    become({
      nextId: id + 1,
      keys: null,
      answer: null,
      aside: null,
      pausedAt: null,
      openAt: null,
      waiting: null,
      asks: 0,
      resumes: 0,
      cutOff: false,
      lastSaid: null,
      quietSince: now,
    }),
    { type: 'reply', id, note: null },
  ]
  const next = newAnswer({ id, source: 'model', note: null })
  return [...actions, ...release(changed(state, actions), next, now)]
}
