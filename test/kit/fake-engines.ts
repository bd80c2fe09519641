import type {
  Delta,
  Engines,
  LanguageModel,
  Message,
  Recogniser,
  SpeechDetector,
  SpeechEvent,
  Tool,
  Voice,
} from '../../src/conversation/ports.ts'
import { abortError } from '../../src/core/abort.ts'
import { type Clock, sleep } from '../../src/core/clock.ts'
import { FRAME_MS, rms, sharedSamples, toSamples } from '../../src/core/pcm.ts'
import type { Probe } from '../../src/core/probe.ts'
import { SpeechRuns } from '../../src/inference/speech-detector/detector.ts'
import { Loudness } from '../../src/inference/speech-detector/loudness.ts'
import { PureTones } from '../../src/inference/speech-detector/pure-tones.ts'

/** How a fake model answers one request. */
export interface FakeReply {
  text?: string
  tools?: { name: string; arguments: Record<string, unknown> }[]
  /** Fails before the first token, or after the text. */
  fails?: 'at once' | 'after the text'
  /** Gives its text and then nothing, for ever. */
  hangs?: boolean
}

export interface FakeEngineOptions {
  clock: Clock
  /** The text of the samples [from, to): the leg's `textBetween`. */
  hear(from: number, to: number): string
  recogniseMs?: number
  /** How sure the recogniser is of its words; it does not tell unless given. */
  logProbability?: number
  firstTokenMs?: number
  wordMs?: number
  firstClipMs?: number
  msPerChar?: number
  /** With it there is a model that hears turns, and always gives this chance, `turnMs` (0) after it was asked. */
  turnChance?: number | 'fails' | 'hangs'
  turnMs?: number
  /** What the model says to these messages. */
  reply?(messages: readonly Message[], tools: readonly Tool[]): FakeReply
}

export interface FakeEngines extends Engines {
  /** Set to make an engine fail or fall silent from now on. */
  readonly broken: {
    recogniser: boolean | 'hangs'
    voice: boolean | 'hangs'
    model: boolean | 'hangs'
    detector: boolean | 'at the end'
  }
  /** All requests to the model, in order; `aborted` once their signal aborted. */
  readonly asked: {
    messages: readonly Message[]
    tools: readonly Tool[]
    schema: object | undefined
    signal: AbortSignal
  }[]
  readonly recognised: { from: number; to: number; at: number }[]
  readonly warmedUp: (readonly Message[])[]
  /** In which language each recognition was asked for. */
  readonly heardAs: string[]
  /** Which text each clip speaks. */
  readonly textOf: Map<Int16Array, string>
}

/** Engines on simulated time: each takes as long as told, and hears and says what it is told. */
export function createFakeEngines(o: FakeEngineOptions): FakeEngines {
  const broken: FakeEngines['broken'] = {
    recogniser: false,
    voice: false,
    model: false,
    detector: false,
  }
  const asked: FakeEngines['asked'] = []
  const recognised: FakeEngines['recognised'] = []
  const warmedUp: FakeEngines['warmedUp'] = []
  const heardAs: FakeEngines['heardAs'] = []
  const textOf: FakeEngines['textOf'] = new Map()
  const wait = (ms: number, signal: AbortSignal) => waitFor(o.clock, ms, signal)

  const recogniser: Recogniser = {
    async recognise({ from, to, language, signal }) {
      heardAs.push(language ?? '')
      recognised.push({ from, to, at: o.clock.now() })
      await wait(broken.recogniser === 'hangs' ? 1e9 : (o.recogniseMs ?? 60), signal)
      if (broken.recogniser) throw new Error('recogniser: away')
      const { logProbability } = o
      return {
        text: o.hear(from, to),
        noSpeech: 0,
        ...(logProbability !== undefined && { logProbability }),
      }
    },
    probe: () => ready('speech-to-text'),
  }
  const voice: Voice = {
    async *speak({ text, rateHz, signal }) {
      await wait(broken.voice === 'hangs' ? 1e9 : (o.firstClipMs ?? 80), signal)
      if (broken.voice) throw new Error('voice: away')
      const clip = sharedSamples(toSamples(text.length * (o.msPerChar ?? 60), rateHz))
      textOf.set(clip, text)
      yield clip
    },
    voices: () => [
      { id: 'fake', engine: 'fake', language: 'en', name: 'Fake' },
      { id: 'faux', engine: 'fake', language: 'fr-FR', name: 'Faux' },
    ],
    probe: () => ready('text-to-speech'),
  }
  const model: LanguageModel = {
    async *reply({ messages, tools, schema, signal }): AsyncIterable<Delta> {
      asked.push({ messages: [...messages], tools, schema, signal })
      const reply = (o.reply ?? echo)(messages, tools)
      await wait(broken.model === 'hangs' ? 1e9 : (o.firstTokenMs ?? 120), signal)
      if (broken.model || reply.fails === 'at once') throw new Error('model: away')
      for (const word of reply.text?.match(/\s*\S+/g) ?? []) {
        yield { type: 'text', text: word }
        if (o.wordMs) await wait(o.wordMs, signal)
        if (signal.aborted) throw abortError()
      }
      if (reply.fails) throw new Error('model: broke off')
      if (reply.hangs) await wait(1e9, signal)
      for (const tool of reply.tools ?? []) yield { type: 'tool', ...tool }
    },
    async warmUp({ messages }) {
      warmedUp.push([...messages])
    },
    probe: () => ready('language model'),
  }
  const speech = createFakeDetector(o.clock, broken)
  const { turnChance } = o
  const judge = async (): Promise<number> => {
    if (turnChance === 'fails' || turnChance === undefined) throw new Error('turn model: away')
    if (turnChance === 'hangs') return new Promise<number>(() => undefined)
    if (o.turnMs) await sleep(o.clock, o.turnMs)
    return turnChance
  }
  const turns =
    turnChance === undefined ? {} : { turns: { judge, probe: () => ready('turn model') } }
  return {
    ...{ speech, recogniser, voice, model, ...turns },
    ...{ broken, asked, recognised, warmedUp, heardAs, textOf },
  }
}

/** The model's last words answer the last message. */
function echo(messages: readonly Message[]): FakeReply {
  return { text: `I heard ${messages.at(-1)?.content ?? 'nothing'}` }
}

const WINDOW = 256
const LOUD_RMS = 500

/** The real detector's rules on windows of 32 ms, with loudness for a model. */
function createFakeDetector(
  clock: Clock,
  broken: Pick<FakeEngines['broken'], 'detector'>,
): SpeechDetector {
  return {
    watch(ears, on) {
      if (broken.detector === true) throw new Error('speech detector: away')
      let at = 0
      let watching = true
      const runs = new SpeechRuns({
        windowSamples: WINDOW,
        at,
        speechFrom: null,
        pauseIfArmed: (from, to) => ears.pauseIfArmed(from, to),
      })
      const loudness = new Loudness({ rateHz: ears.rateHz, at })
      const tones = new PureTones({ rateHz: ears.rateHz, at })
      const hear = (to: number): SpeechEvent[] => {
        const samples = ears.read(loudness.heardTo, to)
        loudness.push(samples)
        const heard = tones.push(samples).map((tone): SpeechEvent => ({ type: 'tone', ...tone }))
        return [...runs.listen(loudness, ears.rateHz), ...heard]
      }
      const tell = (events: SpeechEvent[]): void => {
        for (const event of events) if (watching) on(event)
      }
      const poll = (): void => {
        if (!watching) return
        for (; ears.written - at >= WINDOW; at += WINDOW) {
          tell(hear(at + WINDOW))
          const loud = rms(ears.read(at, at + WINDOW)) > LOUD_RMS
          tell(runs.push(loud ? 1 : 0))
        }
        tell(hear(ears.written))
        clock.after(FRAME_MS, poll)
      }
      clock.after(FRAME_MS, poll)
      return () => {
        watching = false
        if (broken.detector === 'at the end') throw new Error('speech detector: gone')
      }
    },
    probe: () => ready('speech-detector'),
  }
}

async function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(clock, ms, signal)
  if (signal.aborted) throw abortError()
}

async function ready(name: string): Promise<Probe> {
  return { name, state: 'ready' }
}
