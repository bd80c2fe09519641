/** Five hundred legs of G.711 in one media worker, against another process on the same machine. */
import type { MediaFound } from '../scripts/bench/media.ts'
import { type Figure, figure } from './report.ts'
import { runScript } from './script.ts'

const RUNS = 3
const LEGS = 500

export async function benchMedia(): Promise<Figure[]> {
  const runs: MediaFound[] = []
  for (let n = 0; n < RUNS; n++) {
    runs.push(await runScript<MediaFound>('media.ts', { LEGS: String(LEGS), CODEC: 'PCMU' }))
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  const shared = { control: null, discarded: 0 }
  return [
    figure({
      ...shared,
      metric: `p99 of how late packets leave, ${LEGS} legs of G.711, by run`,
      unit: 'ms',
      ours: runs.map(({ lateMs }) => lateMs.p99),
      target: { of: 'p99', atMost: 5 },
    }),
    figure({
      ...shared,
      metric: `CPU of a leg, ${LEGS} legs of G.711, by run`,
      unit: '% of a core',
      ours: runs.map(({ corePercentPerLeg }) => corePercentPerLeg),
      target: { of: 'p99', atMost: 0.12 },
    }),
  ]
}
