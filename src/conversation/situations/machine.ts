/** A fax or a modem answered: it whistles before anybody has spoken, and nothing can be said to it. */
import type { Situation } from '../state.ts'
import { endWith } from './ending.ts'

/** Of a machine that is called (ITU-T V.25: 2100 Hz), and of one that calls (T.30: 1100 Hz). */
const ANSWER_HZ = 2100
const CALLING_HZ = 1100
const TOLERANCE_HZ = 38
/** The answer tone lasts 2.6 s or more; half of it will do. */
const MIN_ANSWER_MS = 1000
/** Who has spoken for longer than a word is no fax. */
const MAX_SPOKEN_MS = 700

export const machine: Situation = {
  decide(state, event, now) {
    if (event.type !== 'tone') return null
    const near = (hz: number): boolean => Math.abs(event.hz - hz) <= TOLERANCE_HZ
    const answers = near(ANSWER_HZ) && event.ms >= MIN_ANSWER_MS
    const calls = near(CALLING_HZ) && state.spokenMs <= MAX_SPOKEN_MS && state.humanTurns === 0
    if (!answers && !calls) return null
    return endWith(state, now, { reason: 'agent_hangup', line: null, withinMs: 0 })
  },
  due: () => Number.POSITIVE_INFINITY,
}
