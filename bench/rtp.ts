/** How evenly the sound of a live call leaves while the main thread is busy, as it is received. */
import { type Appliance, startAppliance } from './appliance.ts'
import { type Callee, startCallee } from './callee.ts'
import type { Step } from './callee-messages.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { runRounds } from './rounds.ts'
import { utterances } from './speech.ts'
import type { Heard } from './stub-engines.ts'

const ROUNDS = 6
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
  const paced: Record<'idle' | 'busy', number[]> = { idle: [], busy: [] }
  const one = (how: 'idle' | 'busy') => async (): Promise<number[]> => {
    const { gaps, controlGaps } = await oneCall(appliance, callee, { pacer, busy: how === 'busy' })
    paced[how].push(...controlGaps)
    return gaps
  }
  try {
    await one('idle')()
    paced.idle.length = 0
    const { samples, discarded } = await runRounds({
      count: ROUNDS,
      control: 'echo',
      parts: { echo: () => callee.ping(100), idle: one('idle'), busy: one('busy') },
    })
    return figures(samples, paced, discarded)
  } finally {
    pacer.terminate()
    await appliance.stop()
  }
}

function figures(
  samples: Record<'idle' | 'busy', number[]>,
  paced: Record<'idle' | 'busy', number[]>,
  discarded: number,
): Figure[] {
  const what = 'timer on a thread, same seconds'
  return (['busy', 'idle'] as const).map((how) =>
    figure({
      metric: `RTP gap, main thread ${how === 'busy' ? `busy ${BUSY_MS} ms in every ${EVERY_MS}` : 'idle'}`,
      unit: 'ms',
      ours: samples[how],
      control: { what, samples: paced[how] },
      ...(how === 'busy' ? { target: { of: 'p99' as const, atMost: 30 } } : {}),
      discarded,
    }),
  )
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
