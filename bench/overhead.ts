/** What the appliance adds to what the pause before an answer has to be, on whole calls over SIP and RTP. */
import { COMMIT_SILENCE_MS } from '../src/conversation/turn-detector.ts'
import type { Ring } from '../src/core/ring.ts'
import { decodeG711, encodeG711, pcmu } from '../src/telephony/codecs/g711.ts'
import { type Appliance, startAppliance } from './appliance.ts'
import { type Callee, startCallee } from './callee.ts'
import type { CallReport, Step } from './callee-messages.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { runRounds } from './rounds.ts'
import { utterances } from './speech.ts'
import type { Delays, Heard } from './stub-engines.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 8)
const TURNS = 5
const PINGS = 100
const CLIP_MS = 1_200
/** After it the human is no more thought to be saying "Hello?". */
const SETTLED_MS = 1_500
const BARGE_IN_MS = 200
const FRAME_SAMPLES = 160
const FRAME_MS = 20

const PROFILES = {
  local: { recogniseMs: 60, firstClauseMs: 120, firstSoundMs: 80 },
  slow: { recogniseMs: 200, firstClauseMs: 400, firstSoundMs: 150 },
  zero: { recogniseMs: 0, firstClauseMs: 0, firstSoundMs: 0 },
} as const satisfies Record<string, Delays>
type ProfileName = keyof typeof PROFILES

/** Of one profile, over all rounds: ms. */
interface Found {
  gap: number[]
  theory: number[]
}

export async function benchOverhead(): Promise<Figure[]> {
  const said = utterances()
  const callee = await startCallee(said)
  try {
    return await inDirectory((directory) => measure(callee, said, directory))
  } finally {
    callee.stop()
  }
}

async function measure(
  callee: Callee,
  said: readonly Int16Array[],
  directory: string,
): Promise<Figure[]> {
  const delays: Delays = { ...PROFILES.zero }
  const calls: Heard[] = []
  const appliance = await startAppliance({
    directory,
    sipPort: callee.sipPort,
    delays,
    clipMs: CLIP_MS,
    onWatch: (heard) => calls.push(heard),
  })
  const found = { local: empty(), slow: empty(), zero: empty() }
  const bargeIns: number[] = []
  const part = (name: ProfileName) => async (): Promise<number[]> => {
    Object.assign(delays, PROFILES[name])
    const report = await oneCall(appliance, callee, said.length)
    const heard = calls.at(-1)
    if (!heard?.ears) throw new Error('nobody listened to the call')
    const { gaps, theories } = judge(report, { heard, ears: heard.ears, said, delays })
    found[name].gap.push(...gaps)
    found[name].theory.push(...theories)
    for (const { speechStart, lastSound } of report.interruptions)
      bargeIns.push(lastSound - speechStart)
    return gaps.map((gap, i) => gap - (theories[i] ?? Number.NaN))
  }
  await part('zero')()
  for (const each of Object.values(found)) Object.assign(each, empty())
  bargeIns.length = 0
  try {
    const { samples, discarded } = await runRounds({
      count: ROUNDS,
      control: 'echo',
      parts: {
        echo: () => callee.ping(PINGS),
        local: part('local'),
        slow: part('slow'),
        zero: part('zero'),
      },
    })
    return figures({ samples, found, bargeIns, discarded })
  } finally {
    await appliance.stop()
  }
}

function empty(): Found {
  return { gap: [], theory: [] }
}

function figures(o: {
  samples: Record<ProfileName | 'echo', number[]>
  found: Record<ProfileName, Found>
  bargeIns: readonly number[]
  discarded: number
}): Figure[] {
  const { samples, discarded } = o
  const unit = 'ms'
  const echo = { what: 'UDP echo on another thread', samples: samples.echo }
  const perProfile = (Object.keys(PROFILES) as ProfileName[]).flatMap((name) => {
    const { recogniseMs, firstClauseMs, firstSoundMs } = PROFILES[name]
    const engines = `engines ${recogniseMs}+${firstClauseMs}+${firstSoundMs}`
    const { gap, theory } = o.found[name]
    return [
      figure({
        metric: `own overhead, ${engines}`,
        unit,
        ours: samples[name],
        control: echo,
        target: { of: 'p50', atMost: 60 },
        discarded,
      }),
      figure({
        metric: `response gap, ${engines}`,
        unit,
        ours: gap,
        control: { what: 'what it has to be', samples: theory },
        discarded: 0,
      }),
    ]
  })
  const bargeIn = figure({
    metric: 'barge-in: first speech sent to last sound heard',
    unit,
    ours: o.bargeIns,
    control: { what: 'speech that it takes', samples: [BARGE_IN_MS] },
    discarded: 0,
  })
  return [...perProfile, bargeIn]
}

let lastNumber = 0

async function oneCall(
  appliance: Appliance,
  callee: Callee,
  utteranceCount: number,
): Promise<CallReport> {
  const any = (): number => Math.floor(Math.random() * utteranceCount)
  const turn = (): Step[] => [
    // The beat of the callee, the detector's windows and our packets meet in all their phases.
    { do: 'wait', ms: Math.random() * 60 },
    { do: 'say', utterance: any() },
    { do: 'listen', quietMs: 300 },
  ]
  const steps: Step[] = [
    { do: 'listen', quietMs: SETTLED_MS },
    ...Array.from({ length: TURNS }, turn).flat(),
    { do: 'say', utterance: any() },
    { do: 'interrupt', utterance: any(), afterMs: 300 + Math.random() * 60 },
  ]
  const reported = callee.nextCall(steps)
  const id = await appliance.call(`+1555${String(2_000_000 + lastNumber++)}`)
  const report = await reported
  await appliance.ended(id)
  return report
}

/** The gap of each turn, and what it has to be: the longer of the commit silence and of the way through the engines. */
function judge(
  report: CallReport,
  o: { heard: Heard; ears: Ring; said: readonly Int16Array[]; delays: Delays },
): { gaps: number[]; theories: number[] } {
  const { recogniseMs, firstClauseMs, firstSoundMs } = o.delays
  const gaps: number[] = []
  const theories: number[] = []
  let from = 0
  for (const { utterance, speechEnd, firstSound } of report.turns) {
    const end = endOf(o.said[utterance] ?? new Int16Array(), o.ears, from)
    from = end
    const detection = detectionMs(o.heard, end)
    gaps.push(firstSound - speechEnd)
    theories.push(
      Math.max(
        COMMIT_SILENCE_MS.complete,
        detection + recogniseMs + firstClauseMs + firstSoundMs,
      ),
    )
  }
  return { gaps, theories }
}

/** The position in the ring, behind `from`, at which an utterance ends: sound arrives as it was sent. */
function endOf(samples: Int16Array, ears: Ring, from: number): number {
  const payload = new Uint8Array(FRAME_SAMPLES)
  encodeG711(pcmu, samples.subarray(samples.length - FRAME_SAMPLES), payload, 0)
  const last = decodeG711(pcmu, payload)
  const heard = ears.read(0, ears.written)
  for (let at = from; at + FRAME_SAMPLES <= heard.length; at++)
    if (last.every((sample, i) => sample === heard[at + i])) return at + FRAME_SAMPLES
  throw new Error('an utterance did not arrive whole')
}

/** How much silence, in packets of 20 ms, had to arrive before the detector could tell the pause that began at `end`. */
function detectionMs(heard: Heard, end: number): number {
  const told = heard.pauses.find(({ at }) => at > end)
  if (!told) throw new Error('a pause was not detected')
  return Math.ceil((told.at - end) / FRAME_SAMPLES) * FRAME_MS
}
