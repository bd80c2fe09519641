/** Interleaved rounds: in each, every part runs once, in another order, beside a control of the machine. */
import { median } from './stats.ts'

/** A round whose control is this many times its usual self was disturbed by something else. */
const DISTURBED = 3

export interface Rounds<Part extends string> {
  /** The samples of the rounds kept, in order. */
  samples: Record<Part, number[]>
  kept: number
  discarded: number
}

/**
 * Runs `count` rounds. `parts` measure and return their samples; `control` names the part that tells how disturbed the
 * machine is: a round in which its median is more than three times that of all rounds is left out, and counted.
 */
export async function runRounds<Part extends string>(o: {
  count: number
  control: NoInfer<Part>
  parts: Record<Part, () => Promise<number[]>>
}): Promise<Rounds<Part>> {
  const names = Object.keys(o.parts) as Part[]
  const rounds: Record<Part, number[]>[] = []
  for (let i = 0; i < o.count; i++) {
    const round = {} as Record<Part, number[]>
    for (const name of shuffled(names)) round[name] = await o.parts[name]()
    rounds.push(round)
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return keepUndisturbed(rounds, { names, control: o.control })
}

function keepUndisturbed<Part extends string>(
  rounds: readonly Record<Part, number[]>[],
  o: { names: readonly Part[]; control: Part },
): Rounds<Part> {
  const usual = median(rounds.map((round) => median(round[o.control])))
  const kept = rounds.filter((round) => median(round[o.control]) <= DISTURBED * usual)
  const samples = {} as Record<Part, number[]>
  for (const name of o.names) samples[name] = kept.flatMap((round) => round[name])
  return { samples, kept: kept.length, discarded: rounds.length - kept.length }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
