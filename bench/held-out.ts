/** The turns of a list in which pauses are marked, each pause as long as chance has it. */
import { randomSource } from '../test/kit/seeded.ts'
import type { Topic } from './held-out-texts.ts'
import { type Piece, pause, type Random, spokenForm, type TurnText } from './turn-texts.ts'

/** The same for the same seed. */
export function markedTurns(topics: readonly Topic[], seed: number): TurnText[] {
  const random = randomSource(seed)
  return topics.flatMap(({ kind, asked, turns }) =>
    turns.map((turn) => ({ kind, asked, pieces: markedPieces(turn, random) })),
  )
}

function markedPieces(turn: string, random: Random): Piece[] {
  const parts = turn.split(/ (\/\/?) /)
  return parts.flatMap((text, i) => {
    if (i % 2 === 1) return []
    const mark = parts[i + 1]
    const pauseMs = mark === undefined ? 0 : pause(random)
    return [{ text, spoken: spokenForm(text), whole: mark !== '/', pauseMs }]
  })
}
