import type { InstalledVoice } from '../../calls/voice-choice.ts'
import type { Voice } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import { toPhrases } from '../spoken-form/phrases.ts'
import { toSpokenForm } from '../spoken-form/spoken-form.ts'
import { createSpeechThread } from './speech-thread.ts'
import { FLITE_VOICES, type FliteVoiceName } from './synthesis.ts'

/** About three minutes of speech; what is longer is cut there. */
const MAX_TEXT = 3000

/**
 * The voice that needs no download: CMU Flite, embedded, on a thread of its own that starts with the first text.
 * English only. Text comes as one clip a phrase, the first phrase short. Text that cannot be said gives no clip.
 * When the thread fails, what was being said throws, and the next text starts a new thread.
 */
export function createFliteVoice(o: {
  clock: Clock
  log: Log
  voice: FliteVoiceName
}): Voice & Part {
  const thread = createSpeechThread({
    clock: o.clock,
    log: o.log,
    spawn: () => new Worker(new URL('./flite-worker.ts', import.meta.url).href),
  })
  return {
    async *speak({ text, rateHz, voice, language = 'en-US', signal }) {
      if (text.length > MAX_TEXT) o.log.warn('speech cut: text too long', { length: text.length })
      const name = FLITE_VOICES.find((known) => known === voice) ?? o.voice
      const spoken = toSpokenForm(text.slice(0, MAX_TEXT), { language, englishLetters: true })
      for (const phrase of toPhrases(spoken)) {
        if (signal.aborted) throw abortError()
        const clip = await thread.synthesise({ text: phrase, voice: name, rateHz }, signal)
        if (clip) yield clip
      }
      if (signal.aborted) throw abortError()
    },
    voices: () => fliteVoices(o.voice),
    probe: async () =>
      thread.failure === undefined
        ? { name: 'text-to-speech', state: 'ready', reason: `Flite, voice ${o.voice}, built in` }
        : { name: 'text-to-speech', state: 'away', reason: thread.failure },
    start: async () => {},
    stop: () => thread.stop(),
  }
}

const SPEAKERS: Readonly<Record<FliteVoiceName, { language: string; name: string }>> = {
  slt: { language: 'en-US', name: 'SLT, a woman' },
  rms: { language: 'en-US', name: 'RMS, a man' },
  awb: { language: 'en-GB', name: 'AWB, a man from Scotland' },
  kal: { language: 'en-US', name: 'KAL, a man, 8 kHz' },
  kal16: { language: 'en-US', name: 'KAL, a man, 16 kHz' },
}

function fliteVoices(first: FliteVoiceName): InstalledVoice[] {
  const ids = [first, ...FLITE_VOICES.filter((voice) => voice !== first)]
  return ids.map((id) => ({ id, engine: 'flite', ...SPEAKERS[id] }))
}
