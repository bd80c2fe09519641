/** How evenly the sound of a live call leaves while the main thread is busy, as it is received. */
import { type Appliance, startAppliance } from './appliance.ts'
import { type Callee, startCallee } from './callee.ts'
import type { Step } from './callee-messages.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { type Rounds, runRounds } from './rounds.ts'
import { utterances } from './speech.ts'
import type { Heard } from './stub-engines.ts'

const ROUNDS = 6
const PINGS = 100
const BUSY_MS = 50
const EVERY_MS = 500
const DELAYS = { recogniseMs: 60, firstClauseMs: 120, firstSoundMs: 80 }
const CLIP_MS = 3_000
/** A conversation: the agent speaks, listens, answers. */
const STEPS: readonly Step[] = [
  { do: 'listen', quietMs: 500 },
  { do: 'say', utterance: 0 },
  { do: 'listen', quietMs: 500 },
  { do: 'say', utterance: 1 },
  { do: 'listen', quietMs: 500 },
]

export async function benchRtp(): Promise<Figure[]> {
  const callee = await startCallee(utterances())
  try {
    return await inDirectory((directory) => measure(callee, directory))
  } finally {
    callee.stop()
  }
}

async function measure(callee: Callee, directory: string): Promise<Figure[]> {
  const appliance = await startAppliance({
    directory,
    sipPort: callee.sipPort,
    delays: DELAYS,
    clipMs: CLIP_MS,
    onWatch: (_heard: Heard) => undefined,
  })
  const pacer = new Worker(new URL('./pacer-worker.ts', import.meta.url).href)
  const one = (busy: boolean) => oneCall(appliance, callee, { pacer, busy })
  try {
    await one(false)
    const rounds = await runRounds({
      count: ROUNDS,
      control: 'echo',
      parts: [
        async () => ({ echo: await callee.ping(PINGS) }),
        async () => {
          const { gaps, controlGaps } = await one(false)
          return { idle: gaps, idleControl: controlGaps }
        },
        async () => {
          const { gaps, controlGaps } = await one(true)
          return { busy: gaps, busyControl: controlGaps }
        },
      ],
    })
    return figures(rounds)
  } finally {
    pacer.terminate()
    await appliance.stop()
  }
}

function figures(o: Rounds<'echo' | 'idle' | 'idleControl' | 'busy' | 'busyControl'>): Figure[] {
  const { samples, discarded } = o
  const what = 'timer on a thread, same seconds'
  return [
    figure({
      metric: `RTP gap, main thread busy ${BUSY_MS} ms in every ${EVERY_MS}`,
      unit: 'ms',
      ours: samples.busy,
      control: { what, samples: samples.busyControl },
      target: { of: 'p99', atMost: 30 },
      discarded,
    }),
    figure({
      metric: 'RTP gap, main thread idle',
      unit: 'ms',
      ours: samples.idle,
      control: { what, samples: samples.idleControl },
      discarded,
    }),
  ]
}

let lastNumber = 0

/** The gaps of a call's packets, and of the control's, which came to the same thread in the same seconds. */
async function oneCall(
  appliance: Appliance,
  callee: Callee,
  o: { pacer: Worker; busy: boolean },
): Promise<{ gaps: number[]; controlGaps: number[] }> {
  const reported = callee.nextCall(STEPS)
  o.pacer.postMessage(callee.controlPort)
  const hog = o.busy ? setInterval(spin, EVERY_MS) : undefined
  const id = await appliance.call(`+1555${String(2_000_000 + lastNumber++)}`)
  const report = await reported
  clearInterval(hog)
  o.pacer.postMessage(null)
  await appliance.ended(id)
  return { gaps: gapsOf(report.arrivals), controlGaps: gapsOf(report.controlArrivals) }
}

function spin(): void {
  const until = performance.now() + BUSY_MS
  while (performance.now() < until);
}

function gapsOf(arrivals: readonly number[]): number[] {
  return arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? at))
}
