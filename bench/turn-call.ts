/**
 * One turn of a call in fast time: the real conversation, Silero and the detector's rules on a clock that jumps, over a
 * leg in memory; recogniser, model and voice take exactly as long as told.
 */
import type { SpeechDetector, SpeechEvent } from '../src/conversation/ports.ts'
import { createTalker } from '../src/conversation/talker.ts'
import type { Clock } from '../src/core/clock.ts'
import { silentLog as log } from '../src/core/log.ts'
import { FRAME_MS, toMs, toSamples } from '../src/core/pcm.ts'
import type { Session } from '../src/inference/onnx/runtime.ts'
import { Listener, listenTogether } from '../src/inference/speech-detector/listener.ts'
import { directSchemas as schemas } from '../test/kit/direct-schemas.ts'
import { createFakeEngines } from '../test/kit/fake-engines.ts'
import { createFakeLeg } from '../test/kit/fake-leg.ts'
import { SimClock } from '../test/kit/sim-clock.ts'
import type { Delays } from './stub-engines.ts'
import { type TurnSound, wordsWithin } from './turn-sound.ts'
import type { Random } from './turn-texts.ts'

/** When the detector's thread looks at what has arrived. */
const POLL_MS = 8
/** A first message lasts for a few seconds at most. */
const ASKED_MS = 4_000
/** After the turn: the longest patience and a reply. */
const AFTER_MS = 4_500
/** So much later at most the human begins to speak. */
const THINK_MS = 400

/** A turn as it went: ms since the call's answer. */
export interface HeardTurn {
  /** When the last packet with speech was sent. */
  end: number
  /** When each piece ended. */
  pieceEnds: number[]
  /** When the agent's first packet with sound after the turn's beginning was sent. */
  firstSound: number
  /** The pauses that the detector told: when the voice was taken to have ended, and when that was known. */
  pauses: { ended: number; at: number }[]
  /** When it was known that somebody speaks, or speaks again. */
  starts: number[]
}

export async function callWithTurn(o: {
  session: Session
  asked: string
  sound: TurnSound
  delays: Delays
  /** How the recogniser writes what it hears. */
  written(text: string): string
  random: Random
}): Promise<HeardTurn> {
  const { random, delays } = o
  const clock = new SimClock()
  const speech = createDetector(o.session, clock, random() * POLL_MS)
  const startMs = FRAME_MS * Math.ceil((ASKED_MS + random() * THINK_MS) / FRAME_MS)
  const start = toSamples(startMs)
  const fakes = createFakeEngines({
    clock,
    hear: (from, to) => o.written(wordsWithin(o.sound.stretches, from - start, to - start)),
    recogniseMs: delays.recogniseMs,
    firstTokenMs: delays.firstClauseMs,
    firstClipMs: delays.firstSoundMs,
    reply: () => ({ text: 'I see.' }),
  })
  const says = [
    { at: startMs, ms: toMs(o.sound.samples.length), text: '', samples: o.sound.samples },
  ]
  const engines = { ...fakes, speech: speech.detector }
  const options = { timezone: 'Europe/Berlin', llmTimeoutMs: 20_000, language: 'en' }
  const talker = createTalker({ clock, log, engines, schemas, options })
  const conversation = talker.prepare(briefOf(o.asked))
  await clock.advance(2_000)
  const leg = createFakeLeg({ clock, says })
  void conversation.talk(leg, { signal: new AbortController().signal, on: () => undefined })
  const last = o.sound.stretches.at(-1)?.to ?? 0
  await clock.advance(startMs + toMs(last) + AFTER_MS)
  const firstSound = leg.played.find(({ from }) => from >= startMs)?.from
  leg.humanHangsUp()
  await clock.advance(60_000)
  if (firstSound === undefined) throw new Error(`no reply to "${textOf(o.sound)}"`)
  return {
    end: packetOf(startMs + toMs(last)),
    pieceEnds: o.sound.stretches.map(({ to }) => packetOf(startMs + toMs(to))),
    firstSound: onBeat(firstSound, random() * FRAME_MS),
    ...speech.told(),
  }
}

function textOf(sound: TurnSound): string {
  return sound.stretches.map(({ text }) => text).join(' | ')
}

/** A sample is sent when its packet is full. */
function packetOf(ms: number): number {
  return Math.ceil(ms / FRAME_MS) * FRAME_MS
}

/** Sound that is there at `ms` leaves with the next packet of a beat that is not the human's. */
export function onBeat(ms: number, phase: number): number {
  return Math.ceil((ms - phase) / FRAME_MS) * FRAME_MS + phase
}

function briefOf(asked: string): Parameters<ReturnType<typeof createTalker>['prepare']>[0] {
  return {
    callId: '0195b1a0-0000-7000-8000-000000000001',
    instructions: 'Ask what you are told to ask.',
    firstMessage: asked,
    name: 'Bench',
    toNumber: '+15551234567',
    transferTo: null,
    voicemail: null,
    maxDurationSeconds: 600,
  }
}

/** Silero behind the real listener, looked at as its thread does; keeps what it told. */
function createDetector(
  session: Session,
  clock: Clock,
  phaseMs: number,
): { detector: SpeechDetector; told(): Pick<HeardTurn, 'pauses' | 'starts'> } {
  const events: SpeechEvent[] = []
  const detector: SpeechDetector = {
    watch(ring, on) {
      let watching = true
      const listener = new Listener({
        session,
        ring,
        at: ring.written,
        speechFrom: null,
        on(event) {
          events.push(event)
          if (watching) on(event)
        },
      })
      const poll = (): void => {
        if (!watching) return
        listenTogether(session, [listener])
        clock.after(POLL_MS, poll)
      }
      clock.after(phaseMs, poll)
      return () => {
        watching = false
      }
    },
    probe: async () => ({ name: 'speech-detector', state: 'ready' }),
  }
  const told = (): Pick<HeardTurn, 'pauses' | 'starts'> => ({
    pauses: events.flatMap((event) =>
      event.type === 'speech_paused' ? [{ ended: toMs(event.ended), at: toMs(event.at) }] : [],
    ),
    starts: events.flatMap((event) => (event.type === 'speech_started' ? [toMs(event.at)] : [])),
  })
  return { detector, told }
}
