/** Whole calls over SIP and RTP whose human answers and then speaks into the agent's words, again and again. */
import { type Appliance, startAppliance } from './appliance.ts'
import { startCallee } from './callee.ts'
import type { CallReport, Step } from './callee-messages.ts'
import { inDirectory } from './program.ts'
import { utterances } from './speech.ts'
import type { Delays } from './stub-engines.ts'

const CALLS = 4
const BARGE_INS = 6
const CLIP_MS = 1_000
/** After it the human is no more thought to be saying "Hello?". */
const SETTLED_MS = 1_500
/** The reply to an interruption is over by then. */
const REPLIED_MS = 2_500

export interface OnTheWire {
  /** From the callee's last packet with speech to the agent's first with sound, ms. */
  gaps: number[]
  /** From the callee's first packet with speech to the agent's last with sound, ms. */
  bargeIns: number[]
}

/** The callee takes the times at its own sockets. What it says is always heard as a whole question. */
export async function callsWithBargeIns(delays: Delays): Promise<OnTheWire> {
  const said = utterances()
  const callee = await startCallee(said)
  try {
    return await inDirectory(async (directory) => {
      const { sipPort } = callee
      const onWatch = (): void => {}
      const appliance = await startAppliance({
        directory,
        sipPort,
        delays,
        clipMs: CLIP_MS,
        onWatch,
      })
      try {
        const found: OnTheWire = { gaps: [], bargeIns: [] }
        for (let n = 0; n < CALLS; n++) {
          const reported = callee.nextCall(steps(said.length))
          add(found, await call(appliance, n, reported))
        }
        return found
      } finally {
        await appliance.stop()
      }
    })
  } finally {
    callee.stop()
  }
}

async function call(
  appliance: Appliance,
  n: number,
  reported: Promise<CallReport>,
): Promise<CallReport> {
  const id = await appliance.call(`+1555${String(3_000_000 + n)}`)
  const report = await reported
  await appliance.ended(id)
  process.stderr.write('.')
  return report
}

function add(found: OnTheWire, { turns, interruptions }: CallReport): void {
  found.gaps.push(...turns.map(({ speechEnd, firstSound }) => firstSound - speechEnd))
  found.bargeIns.push(...interruptions.map(({ speechStart, lastSound }) => lastSound - speechStart))
}

function steps(utteranceCount: number): Step[] {
  const any = (): number => Math.floor(Math.random() * utteranceCount)
  return [
    { do: 'listen', quietMs: SETTLED_MS },
    ...Array.from({ length: BARGE_INS }, (): Step[] => [
      // The beats of both sides and the detector's windows meet in all their phases.
      { do: 'wait', ms: Math.random() * 60 },
      { do: 'say', utterance: any() },
      { do: 'interrupt', utterance: any(), afterMs: 200 + Math.random() * 60 },
      { do: 'wait', ms: REPLIED_MS },
    ]).flat(),
  ]
}
