/** Twenty thousand messages with bytes changed at random: what gets out of the parsers, and whether it still answers. */
import type { MutatedFound } from '../scripts/bench/mutated.ts'
import { type Figure, figure } from './report.ts'
import { runScript } from './script.ts'

export async function benchMutated(): Promise<Figure[]> {
  const { messages, exceptions, answers } = await runScript<MutatedFound>('mutated.ts')
  const shared = { control: null, discarded: 0 }
  return [
    figure({
      ...shared,
      metric: `exceptions that ${messages} mutated SIP messages let out`,
      unit: 'in all',
      ours: [exceptions],
      target: { of: 'p50', atMost: 0 },
    }),
    figure({
      ...shared,
      metric: 'OPTIONS and a call answered after them',
      unit: 'of 2',
      ours: [answers],
      target: { of: 'p50', atLeast: 2 },
    }),
  ]
}
