/** The voice of one call: what its brief asks for, by what is installed when it is phoned. */
import type { Brief } from '../calls/ports.ts'
import { chooseVoice, primaryLanguage } from '../calls/voice-choice.ts'
import type { Log } from '../core/log.ts'
import type { Engines, Voice } from './ports.ts'

export interface CallVoice {
  /** Speaks with the voice and in the language of the call, whoever asks. */
  voice: Voice
  /** BCP 47 tag of what is spoken and heard. */
  language: string
  /** The same for calls that sound the same. */
  key: string
}

/** A voice that is gone since the call was made is replaced by one that is there, with a warning. */
export function voiceFor(
  d: { log: Log; engines: Engines; options: { language: string } },
  brief: Brief,
): CallVoice {
  const { voice } = d.engines
  const wish = { voice: brief.voice ?? null, language: brief.language ?? null }
  const installed = voice.voices()
  const choice = chooseVoice(installed, wish)
  if (!('refusal' in choice)) {
    const language = wish.language ?? spoken(choice.language, d.options.language)
    return bind(voice, choice.voice, language)
  }
  if (wish.voice !== null || wish.language !== null)
    d.log.warn('voice not installed any more', { callId: brief.callId, reason: choice.refusal })
  return bind(voice, installed[0]?.id, wish.language ?? d.options.language)
}

/** What a voice speaks, told as the default does where that is the same language. */
function spoken(language: string | null, fallback: string): string {
  if (language === null) return fallback
  return primaryLanguage(language) === primaryLanguage(fallback) ? fallback : language
}

function bind(voice: Voice, id: string | undefined, language: string): CallVoice {
  const bound = { ...(id === undefined ? {} : { voice: id }), language }
  return {
    voice: {
      speak: (o) => voice.speak({ ...o, ...bound }),
      voices: () => voice.voices(),
      probe: () => voice.probe(),
    },
    language,
    key: `${id ?? ''} ${language}`,
  }
}
