import type { Voice } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import { toPhrases } from './phrases.ts'
import { toSpeakable } from './speakable.ts'
import { createSpeechThread } from './speech-thread.ts'
import type { FliteVoiceName } from './synthesis.ts'

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
    async *speak({ text, rateHz, signal }) {
      if (text.length > MAX_TEXT) o.log.warn('speech cut: text too long', { length: text.length })
      for (const phrase of toPhrases(toSpeakable(text.slice(0, MAX_TEXT)))) {
        if (signal.aborted) throw abortError()
        const clip = await thread.synthesise({ text: phrase, voice: o.voice, rateHz }, signal)
        if (clip) yield clip
      }
      if (signal.aborted) throw abortError()
    },
    probe: async () =>
      thread.failure === undefined
        ? { name: 'text-to-speech', state: 'ready', reason: `Flite, voice ${o.voice}, built in` }
        : { name: 'text-to-speech', state: 'away', reason: thread.failure },
    start: async () => {},
    stop: () => thread.stop(),
  }
}
