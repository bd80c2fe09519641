/** Engines that take exactly as long as told and cost nothing else; only the speech detector is the real one. */
import type { Engines } from '../src/conversation/ports.ts'
import { abortError } from '../src/core/abort.ts'
import { sharedSamples, toSamples } from '../src/core/pcm.ts'
import type { Probe } from '../src/core/probe.ts'
import type { Ring } from '../src/core/ring.ts'

export interface Delays {
  /** Until the text is there. */
  recogniseMs: number
  /** Request to the first clause. */
  firstClauseMs: number
  /** Clause to its first sound. */
  firstSoundMs: number
}

/** A pause as the detector told it, in samples of the call's ring: when the voice ended, and when that was known. */
export interface Pause {
  ended: number
  at: number
}

/** What the stubs saw of one call. */
export interface Heard {
  ears: Ring | null
  pauses: Pause[]
}

/** What the human is always heard to say; it reads as a finished turn, so that the shortest commit silence counts. */
export const HEARD_TEXT = 'How much does it cost?'
const REPLY = 'I can tell you that right away.'
const TONE_HZ = 400
const AMPLITUDE = 8000

/** `clipMs`: how long everything that the voice says lasts. `onWatch` gets what is heard of each call. */
export function createStubEngines(o: {
  speech: Engines['speech']
  delays: Delays
  clipMs: number
  onWatch(heard: Heard): void
}): Engines {
  const { delays } = o
  return {
    speech: {
      watch(ears, on) {
        const heard: Heard = { ears, pauses: [] }
        o.onWatch(heard)
        return o.speech.watch(ears, (event) => {
          if (event.type === 'speech_paused')
            heard.pauses.push({ ended: event.ended, at: event.at })
          on(event)
        })
      },
      probe: () => o.speech.probe(),
    },
    recogniser: {
      async recognise({ signal }) {
        await wait(delays.recogniseMs, signal)
        return { text: HEARD_TEXT, noSpeech: 0 }
      },
      probe: () => ready('speech-to-text'),
    },
    model: {
      async *reply({ signal }) {
        await wait(delays.firstClauseMs, signal)
        yield { type: 'text', text: REPLY }
      },
      async warmUp() {},
      probe: () => ready('language model'),
    },
    voice: {
      async *speak({ rateHz, signal }) {
        await wait(delays.firstSoundMs, signal)
        yield tone(toSamples(o.clipMs, rateHz), rateHz)
      },
      voices: () => [{ id: 'stub', engine: 'stub', language: 'en', name: 'Stub' }],
      probe: () => ready('text-to-speech'),
    },
  }
}

/** Loud from its first sample on. */
function tone(count: number, rateHz: number): Int16Array<SharedArrayBuffer> {
  const samples = sharedSamples(count)
  for (let i = 0; i < count; i++)
    samples[i] = AMPLITUDE * Math.cos((2 * Math.PI * TONE_HZ * i) / rateHz)
  return samples
}

/** Nothing to wait for takes no turn of a timer. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await Bun.sleep(ms)
  if (signal.aborted) throw abortError()
}

async function ready(name: string): Promise<Probe> {
  return { name, state: 'ready' }
}
