/** What the appliance adds to what the pause before an answer has to be, on whole calls over SIP and RTP. */
import { commitSilenceMs } from '../src/conversation/turn-detector.ts'
import { FRAME_MS, FRAME_SAMPLES, toMs } from '../src/core/pcm.ts'
import type { Ring } from '../src/core/ring.ts'
import { decodeG711, encodeG711, pcmu } from '../src/telephony/codecs/g711.ts'
import { type Appliance, startAppliance } from './appliance.ts'
import { type Callee, startCallee } from './callee.ts'
import type { CallReport, Step } from './callee-messages.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { type Rounds, runRounds, type Series } from './rounds.ts'
import { utterances } from './speech.ts'
import { type Delays, HEARD_TEXT, type Heard, type Pause } from './stub-engines.ts'

const ROUNDS = 6
const TURNS = 5
const PINGS = 100
const CLIP_MS = 1_000
/** After it the human is no more thought to be saying "Hello?". */
const SETTLED_MS = 1_500
const PAUSE_MS = 64
const TARGETS = [
  { of: 'p50', atMost: 5 },
  { of: 'p99', atMost: 25 },
] as const

const PROFILES = {
  local: { recogniseMs: 60, firstClauseMs: 120, firstSoundMs: 80 },
  zero: { recogniseMs: 0, firstClauseMs: 0, firstSoundMs: 0 },
} as const satisfies Record<string, Delays>
type ProfileName = keyof typeof PROFILES

type Measured = 'overhead' | 'gap' | 'theory' | 'lateEnd' | 'bargeIn'
type Name = 'echo' | `${ProfileName}.${Measured}`

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
  const call = async (name: ProfileName): Promise<Record<Measured, number[]>> => {
    Object.assign(delays, PROFILES[name])
    const report = await oneCall(appliance, callee, said.length)
    const heard = calls.at(-1)
    if (!heard?.ears) throw new Error('nobody listened to the call')
    const turns = judge(report, { heard, ears: heard.ears, said, delays })
    return {
      overhead: turns.map(({ gap, theory }) => gap - theory),
      gap: turns.map(({ gap }) => gap),
      theory: turns.map(({ theory }) => theory),
      lateEnd: turns.map(({ lateEnd }) => lateEnd),
      bargeIn: report.interruptions.map(({ speechStart, lastSound }) => lastSound - speechStart),
    }
  }
  const part = (name: ProfileName) => async (): Promise<Partial<Series<Name>>> =>
    Object.fromEntries(
      Object.entries(await call(name)).map(([measured, series]) => [`${name}.${measured}`, series]),
    )
  try {
    await call('zero')
    const rounds = await runRounds<Name>({
      count: ROUNDS,
      control: 'echo',
      parts: [async () => ({ echo: await callee.ping(PINGS) }), part('local'), part('zero')],
    })
    return figures(rounds)
  } finally {
    await appliance.stop()
  }
}

function figures({ samples, discarded }: Rounds<Name>): Figure[] {
  const unit = 'ms'
  const names = Object.keys(PROFILES) as ProfileName[]
  const ofAll = (measured: Measured) => names.flatMap((name) => samples[`${name}.${measured}`])
  const perProfile = names.flatMap((name) => {
    const { recogniseMs, firstClauseMs, firstSoundMs } = PROFILES[name]
    const engines = `engines ${recogniseMs}+${firstClauseMs}+${firstSoundMs}`
    return [
      figure({
        metric: `own overhead, ${engines}`,
        unit,
        ours: samples[`${name}.overhead`],
        control: { what: 'UDP echo on another thread', samples: samples.echo },
        target: TARGETS,
        discarded,
      }),
      figure({
        metric: `response gap, ${engines}`,
        unit,
        ours: samples[`${name}.gap`],
        control: { what: 'what it has to be', samples: samples[`${name}.theory`] },
        discarded,
      }),
    ]
  })
  const lateEnd = figure({
    metric: 'end of speech: as detected, after as sent',
    unit,
    ours: ofAll('lateEnd'),
    control: { what: 'as sent', samples: [0] },
    discarded,
  })
  const bargeIn = figure({
    metric: 'barge-in: first speech sent to last sound heard',
    unit,
    ours: ofAll('bargeIn'),
    control: { what: 'speech that it takes', samples: [PAUSE_MS] },
    discarded,
  })
  return [...perProfile, lateEnd, bargeIn]
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
    { do: 'interrupt', utterance: any(), afterMs: 200 + Math.random() * 60 },
  ]
  const reported = callee.nextCall(steps)
  const id = await appliance.call(`+1555${String(2_000_000 + lastNumber++)}`)
  const report = await reported
  await appliance.ended(id)
  return report
}

interface JudgedTurn {
  gap: number
  /** What the gap has to be: the longer of the commit silence and of the way through the engines. */
  theory: number
  lateEnd: number
}

function judge(
  report: CallReport,
  o: { heard: Heard; ears: Ring; said: readonly Int16Array[]; delays: Delays },
): JudgedTurn[] {
  const { recogniseMs, firstClauseMs, firstSoundMs } = o.delays
  let end = 0
  return report.turns.map(({ utterance, speechEnd, firstSound }) => {
    end = endOf(o.said[utterance] ?? new Int16Array(), o.ears, end)
    const pause = o.heard.pauses.find(({ at }) => at > end)
    if (!pause) throw new Error('a pause was not detected')
    const engines = detectionMs(pause, end) + recogniseMs + firstClauseMs + firstSoundMs
    return {
      gap: firstSound - speechEnd,
      theory: Math.max(commitSilenceMs(HEARD_TEXT), engines),
      lateEnd: toMs(pause.ended - end),
    }
  })
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
function detectionMs(pause: Pause, end: number): number {
  return Math.ceil((pause.at - end) / FRAME_SAMPLES) * FRAME_MS
}
