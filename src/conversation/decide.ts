import { answering } from './situations/answering.ts'
import { ending } from './situations/ending.ts'
import { hold } from './situations/hold.ts'
import { interrupting } from './situations/interrupting.ts'
import { keys } from './situations/keys.ts'
import { limits } from './situations/limits.ts'
import { listening } from './situations/listening.ts'
import { machine } from './situations/machine.ts'
import { opening } from './situations/opening.ts'
import { silence } from './situations/silence.ts'
import { transferring } from './situations/transferring.ts'
import { voicemail } from './situations/voicemail.ts'
import type { Action, Event, Situation, State } from './state.ts'

/** The first that has something to do decides: what overrides comes first. */
const SITUATIONS: readonly Situation[] = [
  ending,
  limits,
  transferring,
  hold,
  machine,
  voicemail,
  opening,
  interrupting,
  listening,
  keys,
  answering,
  silence,
]

/** What a conversation does about an event. Pure. */
export function decide(state: State, event: Event, now: number): Action[] {
  for (const situation of SITUATIONS) {
    const actions = situation.decide(state, event, now)
    if (actions) return actions
  }
  return []
}

/** The next time at which `decide` wants a `due` event. Never Infinity: every call has an end. */
export function nextDue(state: State): number {
  // Once it ends, nothing else is waited for.
  if (state.ending) return ending.due(state)
  return Math.min(...SITUATIONS.map((situation) => situation.due(state)))
}
