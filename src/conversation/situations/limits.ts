/** What ends a conversation from outside it: the longest duration, and being asked to stop. */
import { FAREWELL_MS, LAST_WORDS_MS } from '../limits.ts'
import type { Situation } from '../state.ts'
import { giveUp } from './answering.ts'
import { endWith } from './ending.ts'

export const limits: Situation = {
  decide(state, event, now) {
    if (event.type === 'stop') {
      if (event.reason === 'canceled')
        return endWith(state, now, { reason: 'canceled', line: null, withinMs: 0 })
      return endWith(state, now, {
        reason: event.reason,
        line: event.reason,
        withinMs: FAREWELL_MS,
      })
    }
    if (event.type === 'deaf') return giveUp(state, now)
    if (event.type !== 'due' || now < state.goodbyeAt) return null
    return endWith(state, now, {
      reason: 'max_duration',
      line: 'max_duration',
      withinMs: LAST_WORDS_MS,
    })
  },
  due: (state) => state.goodbyeAt,
}
