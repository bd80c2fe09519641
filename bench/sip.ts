/** Signalling against sipp: calls at ten a second, what one costs, and the same over a network that loses a fifth. */
import type { SipFigures } from '../scripts/bench/sip.ts'
import { findProgram } from '../test/kit/peers.ts'
import { type Figure, figure } from './report.ts'
import { runScript } from './script.ts'

export async function benchSip(): Promise<Figure[] | string> {
  if (findProgram('sipp') === null)
    return 'left out, because sipp is not installed (apt-get install sip-tester)'
  const found = await runScript<SipFigures>('sip.ts')
  const { calls, clean, lossy } = found
  const least = (runs: readonly { answered: number }[]): number[] => [
    Math.min(...runs.map(({ answered }) => (100 * answered) / calls)),
  ]
  const shared = { control: null, discarded: 0 }
  return [
    figure({
      ...shared,
      metric: `calls answered at 10 a second, the worst of ${clean.length} runs of ${calls}`,
      unit: '%',
      ours: least(clean),
      target: { of: 'p50', atLeast: 100 },
    }),
    figure({
      ...shared,
      metric: 'CPU of signalling a call, by run',
      unit: 'ms',
      ours: clean.map(({ cpuMsPerCall }) => cpuMsPerCall),
      target: { of: 'p50', atMost: 12 },
    }),
    figure({
      ...shared,
      metric: `calls answered with 20 % lost both ways, the worst of ${lossy.length} runs of ${calls}`,
      unit: '%',
      ours: least(lossy),
      target: { of: 'p50', atLeast: 98 },
    }),
  ]
}
