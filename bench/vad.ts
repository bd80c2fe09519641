/** What it costs to hear whether somebody speaks, and how soon that is known. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FRAME_SAMPLES, TELEPHONE_RATE_HZ, toMs } from '../src/core/pcm.ts'
import { Ring } from '../src/core/ring.ts'
import { openRuntime, type Session } from '../src/inference/onnx/runtime.ts'
import { Listener, listenTogether } from '../src/inference/speech-detector/listener.ts'
import { inDirectory } from './program.ts'
import { type Figure, figure } from './report.ts'
import { utterances } from './speech.ts'

const ROUNDS = 9
/** Calls heard at once where windows are judged together. */
const CALLS = 10
const CALL_SECONDS = 30
/** The human has the word for about as long as the agent. */
const TURN_SECONDS = 5
/** The noise of a line, in steps of 16 bits. */
const NOISE = 6
const MODEL = join(import.meta.dirname, '../models/silero_vad.onnx')

export async function benchVad(): Promise<Figure[]> {
  return inDirectory(async (directory) => {
    const session = openRuntime(directory).createSession(readFileSync(MODEL))
    const said = utterances()
    const alone: number[] = []
    const gated: number[] = []
    const together: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const costs = [
        costOf(session, said, { calls: 1, gated: false }),
        costOf(session, said, { calls: 1, gated: true }),
        costOf(session, said, { calls: CALLS, gated: true }),
      ] as const
      // The first round warms up.
      if (round === 0) continue
      alone.push(costs[0])
      gated.push(costs[1])
      together.push(costs[2])
    }
    return [...costFigures({ alone, gated, together }), onsetFigure(session, said)]
  })
}

function costFigures(o: Record<'alone' | 'gated' | 'together', number[]>): Figure[] {
  const unit = '% of a core a call'
  const control = { what: 'without the gate', samples: o.alone }
  return [
    figure({
      metric: 'hearing speech, every window judged',
      unit,
      ours: o.alone,
      control: { what: 'real time', samples: [100] },
      target: { of: 'p50', atMost: 0.6 },
      discarded: 0,
    }),
    figure({
      metric: 'the same, with the energy gate',
      unit,
      ours: o.gated,
      control,
      target: { of: 'p50', atMost: 0.3 },
      discarded: 0,
    }),
    figure({
      metric: `the same, ${CALLS} calls judged together`,
      unit,
      ours: o.together,
      control,
      target: { of: 'p50', atMost: 0.3 },
      discarded: 0,
    }),
  ]
}

/** CPU time in percent of a core for each call, packets coming one after the other as on the wire. */
function costOf(
  session: Session,
  said: readonly Int16Array[],
  o: { calls: number; gated: boolean },
): number {
  const sounds = Array.from({ length: o.calls }, () => callOf(said))
  const rings = sounds.map(() => Ring.create(TELEPHONE_RATE_HZ, CALL_SECONDS))
  const on = (): void => {}
  const listeners = rings.map(
    (ring) => new Listener({ session, ring, at: 0, speechFrom: null, on, gated: o.gated }),
  )
  const before = process.cpuUsage()
  for (let at = 0; at < CALL_SECONDS * TELEPHONE_RATE_HZ; at += FRAME_SAMPLES) {
    for (const [n, ring] of rings.entries())
      ring.write(sounds[n]?.subarray(at, at + FRAME_SAMPLES) ?? new Int16Array(0))
    listenTogether(session, listeners)
  }
  const { user, system } = process.cpuUsage(before)
  return (100 * (user + system)) / (CALL_SECONDS * 1e6) / o.calls
}

/** A human who speaks and is silent in turns, over the noise of a line. */
function callOf(said: readonly Int16Array[]): Int16Array {
  const sound = Int16Array.from(
    { length: CALL_SECONDS * TELEPHONE_RATE_HZ },
    () => (Math.random() - 0.5) * 2 * NOISE,
  )
  const turn = TURN_SECONDS * TELEPHONE_RATE_HZ
  for (let begin = Math.random() * turn; begin < sound.length; begin += 2 * turn)
    for (let at = Math.floor(begin); at < begin + turn; ) {
      const utterance = said[Math.floor(Math.random() * said.length)] ?? new Int16Array(0)
      const part = utterance.subarray(0, Math.max(0, sound.length - at))
      sound.set(part, at)
      at += utterance.length + TELEPHONE_RATE_HZ / 4
    }
  return sound
}

/** From the first loud sample of a word to the packet with which it is known. */
function onsetFigure(session: Session, said: readonly Int16Array[]): Figure {
  const ours: number[] = []
  for (let n = 0; n < 200; n++) {
    const utterance = said[n % said.length] ?? new Int16Array(0)
    const lead = TELEPHONE_RATE_HZ + Math.floor(Math.random() * TELEPHONE_RATE_HZ)
    const sound = new Int16Array(lead + utterance.length)
    for (let i = 0; i < lead; i++) sound[i] = (Math.random() - 0.5) * 2 * NOISE
    sound.set(utterance, lead)
    const ring = Ring.create(TELEPHONE_RATE_HZ, 30)
    let known: number | undefined
    const on = ({ type }: { type: string }): void => {
      if (type === 'speech_started') known ??= ring.written
    }
    const listener = new Listener({ session, ring, at: 0, speechFrom: null, on })
    for (let at = 0; at < sound.length && known === undefined; at += FRAME_SAMPLES) {
      ring.write(sound.subarray(at, at + FRAME_SAMPLES))
      listenTogether(session, [listener])
    }
    if (known !== undefined) ours.push(toMs(known - lead, TELEPHONE_RATE_HZ))
  }
  return figure({
    metric: 'speech known after its first sound, whole packets',
    unit: 'ms',
    ours,
    control: { what: 'a window', samples: [32] },
    target: { of: 'p50', atMost: 64 },
    discarded: 0,
  })
}
