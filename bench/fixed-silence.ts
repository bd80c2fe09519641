/** What a detector of turns that waits equally long after every pause would have done with a turn that was heard. */
import { FRAME_MS } from '../src/core/pcm.ts'
import { type HeardTurn, onBeat } from './turn-call.ts'

/** When the agent's first packet with sound leaves: `silenceMs` after a pause, or when the engines are through. */
export function fixedSilence(
  turn: HeardTurn,
  o: { silenceMs: number; enginesMs: number; random: () => number },
): number {
  const phase = o.random() * FRAME_MS
  for (const { ended, at } of turn.pauses) {
    const sound = Math.max(ended + o.silenceMs, at + o.enginesMs)
    const goesOn = turn.starts.find((start) => start > at) ?? Number.POSITIVE_INFINITY
    if (goesOn > sound) return onBeat(sound, phase)
  }
  throw new Error('the end of a turn was not heard')
}
