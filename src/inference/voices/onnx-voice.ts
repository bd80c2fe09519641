import { availableParallelism } from 'node:os'
import type { Voice } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import { TELEPHONE_RATE_HZ } from '../../core/pcm.ts'
import type { Probe } from '../../core/probe.ts'
import { toPhrases } from '../spoken-form/phrases.ts'
import { toSpokenForm } from '../spoken-form/spoken-form.ts'
import { TimeLimitError, within } from '../time-limit.ts'
import { findEspeak } from './espeak.ts'
import {
  type FoundVoices,
  findVoices,
  type OnnxEngine,
  type VoiceFile,
} from './installed-voices.ts'
import { createVoiceLine } from './voice-line.ts'

const NAME = 'text-to-speech'
const TITLES = { kokoro: 'Kokoro', piper: 'Piper' } as const
/** About three minutes of speech; what is longer is cut there. */
const MAX_TEXT = 3000
/** Some eight seconds of speech: a model that makes sound as slowly as it is spoken still makes each in time. */
const LONGEST_PHRASE = 120
/** More threads on one phrase gain little and take cores from calls; one core is left to them. */
const MOST_THREADS = 4
const PROBE_MS = 30_000
const PROBE_TEXT = 'Hello.'
/** How long what was seen on the disk is believed. */
const SEEN_MS = 5_000

export interface OnnxVoiceDeps {
  clock: Clock
  log: Log
  dataDir: string
  engine: OnnxEngine
  /** The directory's name under `<dataDir>/models`; null: all that hold such voices. */
  model: string | null
  /** Who speaks unless another is asked for; null: the best. */
  voice: string | null
  /** Null where the system has none; looked for when not given. */
  espeak?: string | null
  threads?: number
  spawn?: () => Worker
}

/**
 * Kokoro or Piper in a worker of its own, begun (and the model loaded) with the first phrase or probe. Text comes as one
 * clip a phrase, the first phrase short. All calls share the worker; who hears silence goes first. Throws an Error that
 * names the file that is wrong when a model does not load.
 */
export function createOnnxVoice(deps: OnnxVoiceDeps): Voice & Part {
  const { clock, log, engine } = deps
  const espeak = deps.espeak === undefined ? findEspeak() : deps.espeak
  const threads = deps.threads ?? Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))
  const line = createVoiceLine({
    clock,
    log,
    name: TITLES[engine],
    spawn: deps.spawn ?? spawnWorker,
    begin: () => ({ type: 'begin', dataDir: deps.dataDir, threads, espeak }),
  })
  let seen: { at: number; found: FoundVoices } | undefined
  /** The voice that was heard to speak: it is not asked again with each probe. */
  let proven: string | undefined

  function look(): FoundVoices {
    const now = clock.steady()
    if (!seen || now - seen.at > SEEN_MS) {
      const { dataDir, model } = deps
      const found = findVoices(dataDir, { engine, model, hasEspeak: espeak !== null })
      seen = { at: now, found: { ...found, voices: firstFirst(found.voices, deps.voice) } }
    }
    return seen.found
  }

  /** The voice asked for, else the one that speaks by itself. Throws an Error when there is none. */
  function voiceOf(id: string | undefined): VoiceFile {
    const { voices } = look()
    const voice = voices.find((known) => known.id === id) ?? voices[0]
    if (!voice) throw new Error(missing(look(), deps).reason ?? 'no voice is installed')
    return voice
  }

  async function prove(voice: VoiceFile): Promise<Probe> {
    const phrase = { source: voice.source, text: PROBE_TEXT, rateHz: TELEPHONE_RATE_HZ }
    try {
      if (proven !== voice.id || line.failure !== undefined)
        await within(clock, PROBE_MS, (signal) => line.speak(phrase, 'later', signal))
      proven = voice.id
      const phonemes = espeak === null ? "Flite's dictionary, English only" : 'espeak-ng'
      const reason = `${TITLES[engine]}, voice ${voice.id}, phonemes by ${phonemes}`
      return { name: NAME, state: 'ready', reason }
    } catch (error) {
      const reason = withoutPath(reasonOf(error), deps.dataDir)
      return error instanceof TimeLimitError
        ? { name: NAME, state: 'away', reason, mend: 'restart Landline when this stays' }
        : { name: NAME, state: 'missing', reason, mend: 'landline models verify' }
    }
  }

  return {
    async *speak({ text, rateHz, voice: wanted, language, ahead = false, signal }) {
      if (text.length > MAX_TEXT) log.warn('speech cut: text too long', { length: text.length })
      const voice = voiceOf(wanted)
      const form = { language: language ?? voice.language, englishLetters: false }
      const phrases = toPhrases(toSpokenForm(text.slice(0, MAX_TEXT), form), LONGEST_PHRASE)
      for (const [i, phrase] of phrases.entries()) {
        if (signal.aborted) throw abortError()
        const rank = ahead ? 'ahead' : i === 0 ? 'first' : 'later'
        const clip = await line.speak({ source: voice.source, text: phrase, rateHz }, rank, signal)
        if (clip) yield clip
      }
      if (signal.aborted) throw abortError()
    },
    voices: () => look().voices.map(({ id, language, name }) => ({ id, engine, language, name })),
    async probe() {
      const found = look()
      const [voice] = found.voices
      const isWanted = deps.voice === null || deps.voice === voice?.id
      return voice && isWanted ? prove(voice) : missing(found, deps)
    },
    async start() {},
    stop: () => line.stop(),
  }
}

/** The configured voice before the others. */
function firstFirst(voices: readonly VoiceFile[], first: string | null): VoiceFile[] {
  const found = voices.find(({ id }) => id === first)
  return found ? [found, ...voices.filter((voice) => voice !== found)] : [...voices]
}

/** Why the engine cannot speak as configured, and what mends it. */
function missing({ voices, faults }: FoundVoices, deps: OnnxVoiceDeps): Probe {
  const [fault] = faults
  if (fault !== undefined && (voices.length === 0 || deps.voice !== null))
    return {
      name: NAME,
      state: 'missing',
      reason: withoutPath(fault, deps.dataDir),
      mend: 'landline models verify',
    }
  const title = TITLES[deps.engine]
  if (voices.length > 0) {
    const ids = voices.slice(0, 8).map(({ id }) => id)
    const reason = `${title} has no voice ${deps.voice}; it has ${ids.join(', ')}`
    return { name: NAME, state: 'missing', reason, mend: 'set speech.tts.voice' }
  }
  const reason = `no voice of ${title} is installed${deps.model === null ? '' : ` as '${deps.model}'`}`
  return { name: NAME, state: 'missing', reason, mend: howToInstall(deps.engine) }
}

/** Probes are shown without a key, and no answer of the API tells a path of this machine. */
function withoutPath(reason: string, dataDir: string): string {
  return reason.replaceAll(`${dataDir}/`, '')
}

function howToInstall(engine: OnnxEngine): string {
  return engine === 'kokoro'
    ? 'copy the files of https://huggingface.co/onnx-community/Kokoro-82M-v1.0-ONNX to models/kokoro in the data directory'
    : 'copy NAME.onnx and NAME.onnx.json of https://huggingface.co/rhasspy/piper-voices to models/piper in the data directory'
}

function spawnWorker(): Worker {
  return new Worker(new URL('./onnx-voice-worker.ts', import.meta.url).href)
}
