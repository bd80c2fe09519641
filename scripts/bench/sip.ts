/**
 * The figures of signalling: 100 calls at 10 per second to sipp, the CPU that one costs us, and the same over a network
 * that loses a fifth of all datagrams both ways. Run alone: the CPU is this whole process's.
 */
import { callSipp } from '../../test/kit/sip-load.ts'

const CALLS = Number(process.env.CALLS ?? 100)

async function main(): Promise<void> {
  // The first calls compile what the others only run.
  await callSipp({ calls: 10, perSecond: 10 })
  const clean = await callSipp({ calls: CALLS, perSecond: 10 })
  console.log(
    `clean: ${clean.answered} of ${CALLS} answered, ${ms(clean.cpuMsPerCall)} of CPU a call`,
  )
  for (const seed of [1, 2, 3]) {
    const lossy = await callSipp({ calls: CALLS, perSecond: 10, harm: { lose: 0.2, seed } })
    const { answered, harmed, failures } = lossy
    console.log(`20 % lost, seed ${seed}: ${answered} of ${CALLS} answered (${harmed.lost} lost)`)
    for (const failure of failures) console.log(`  ${failure}`)
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

void main()
