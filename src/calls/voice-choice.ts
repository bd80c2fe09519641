/** Which voice speaks on a call, and in which language: what a request may ask for, and what a call then gets. */

/** A voice that the configured engine can speak with now. */
export interface InstalledVoice {
  /** What `voice` of a call names. */
  id: string
  engine: string
  /** BCP 47 tag of what it speaks; `mul` where it speaks whatever it is given. */
  language: string
  /** For people. */
  name: string
}

export interface VoiceWish {
  voice: string | null
  /** BCP 47 tag. */
  language: string | null
}

/** A refusal names the field; `language` is null where neither the wish nor the voice tells it. */
export type VoiceChoice = { voice: string; language: string | null } | { refusal: string }

/** ISO 639-2 for "multiple languages". */
export const ANY_LANGUAGE = 'mul'
/** A refusal names so many voices or languages. */
const MOST_NAMED = 12

/**
 * The voice that suits a wish. `voices` are the engine's, the one that speaks when nothing is wished for first.
 * A language without a voice takes the first that speaks it, in the same region if there is one.
 */
export function chooseVoice(voices: readonly InstalledVoice[], wish: VoiceWish): VoiceChoice {
  const { voice: id, language } = wish
  if (id !== null) return namedVoice(voices, id, language)
  const found = language === null ? voices[0] : voiceOf(voices, language)
  if (found) return { voice: found.id, language: language ?? languageOf(found) }
  if (language === null) return { refusal: 'No voice is installed.' }
  const spoken = [...new Set(voices.map((voice) => voice.language))]
  return {
    refusal: `language: no installed voice speaks ${language}; installed: ${listed(spoken)}.`,
  }
}

function namedVoice(
  voices: readonly InstalledVoice[],
  id: string,
  language: string | null,
): VoiceChoice {
  const found = voices.find((voice) => voice.id === id)
  if (!found)
    return {
      refusal: `voice must be one of GET /api/v1/voices: ${listed(voices.map((voice) => voice.id))}.`,
    }
  if (language !== null && !speaks(found, language))
    return { refusal: `voice: ${id} speaks ${found.language}, not ${language}.` }
  return { voice: id, language: language ?? languageOf(found) }
}

function voiceOf(voices: readonly InstalledVoice[], language: string): InstalledVoice | undefined {
  const exact = voices.find((voice) => voice.language.toLowerCase() === language.toLowerCase())
  return exact ?? voices.find((voice) => speaks(voice, language))
}

function speaks(voice: InstalledVoice, language: string): boolean {
  return (
    voice.language === ANY_LANGUAGE || primaryLanguage(voice.language) === primaryLanguage(language)
  )
}

function languageOf({ language }: InstalledVoice): string | null {
  return language === ANY_LANGUAGE ? null : language
}

/** The language of a BCP 47 tag without script and region: `en` of `en-GB`. */
export function primaryLanguage(tag: string): string {
  return (tag.split('-')[0] ?? '').toLowerCase()
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const more = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : ''
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`
}
