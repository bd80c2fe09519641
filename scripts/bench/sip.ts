/**
 * The figures of signalling: 100 calls at 10 per second to sipp, the CPU that one costs us, and the same over a network
 * that loses a fifth of all datagrams both ways. Run alone: the CPU is this whole process's. `CALLS=100 bun
 * scripts/bench/sip.ts`; with BENCH_JSON it prints `SipFigures`.
 */
import { callSipp, type LoadResult } from '../../test/kit/sip-load.ts'

const CALLS = Number(process.env.CALLS ?? 100)
const CLEAN_RUNS = 3
const SEEDS = [1, 2, 3]

export interface SipFigures {
  calls: number
  clean: LoadResult[]
  /** 20 % lost both ways, by a seed each. */
  lossy: LoadResult[]
}

async function main(): Promise<void> {
  const json = process.env.BENCH_JSON !== undefined
  const tell = json ? () => {} : console.log
  // The first calls compile what the others only run.
  await callSipp({ calls: 10, perSecond: 10 })
  const found: SipFigures = { calls: CALLS, clean: [], lossy: [] }
  for (let n = 0; n < CLEAN_RUNS; n++) {
    const run = await callSipp({ calls: CALLS, perSecond: 10 })
    found.clean.push(run)
    tell(`clean: ${run.answered} of ${CALLS} answered, ${ms(run.cpuMsPerCall)} of CPU a call`)
  }
  for (const seed of SEEDS) {
    const run = await callSipp({ calls: CALLS, perSecond: 10, harm: { lose: 0.2, seed } })
    found.lossy.push(run)
    tell(`20 % lost, seed ${seed}: ${run.answered} of ${CALLS} answered (${run.harmed.lost} lost)`)
    for (const failure of run.failures) tell(`  ${failure}`)
  }
  if (json) console.log(JSON.stringify(found))
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

if (import.meta.main) void main()
