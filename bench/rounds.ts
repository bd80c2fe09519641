/** Interleaved rounds: in each, every part runs once, in another order, beside a control of the machine. */
import { median } from './stats.ts'

/** A round whose control is this many times its usual self was disturbed by something else. */
const DISTURBED = 3

/** Samples by the name of what was measured. */
export type Series<Name extends string> = Record<Name, number[]>

export interface Rounds<Name extends string> {
  /** The samples of the rounds kept, in order. */
  samples: Series<Name>
  /** Rounds left out. */
  discarded: number
}

/**
 * Runs `count` rounds of `parts`, each of which returns one or more series. `control` names the series that tells how
 * disturbed the machine is: a round in which its median is more than three times that of all rounds is left out with
 * everything that was measured in it, and counted.
 */
export async function runRounds<Name extends string>(o: {
  count: number
  control: NoInfer<Name>
  parts: readonly (() => Promise<Partial<Series<Name>>>)[]
}): Promise<Rounds<Name>> {
  const rounds: Partial<Series<Name>>[] = []
  for (let i = 0; i < o.count; i++) {
    let round: Partial<Series<Name>> = {}
    for (const part of shuffled(o.parts)) round = { ...round, ...(await part()) }
    rounds.push(round)
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return keepUndisturbed(rounds, o.control)
}

function keepUndisturbed<Name extends string>(
  rounds: readonly Partial<Series<Name>>[],
  control: Name,
): Rounds<Name> {
  const controlOf = (round: Partial<Series<Name>>): number => median(round[control] ?? [])
  const usual = median(rounds.map(controlOf))
  const kept = rounds.filter((round) => controlOf(round) <= DISTURBED * usual)
  const names = Object.keys(rounds[0] ?? {}) as Name[]
  const samples = Object.fromEntries(
    names.map((name) => [name, kept.flatMap((round) => round[name] ?? [])]),
  ) as Series<Name>
  return { samples, discarded: rounds.length - kept.length }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
