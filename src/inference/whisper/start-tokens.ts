import type { WhisperSettings } from './settings.ts'

/** What a model is told before it writes. */
export interface Start {
  tokens: number[]
  /** Where the start token stands; before it is what was said earlier. */
  startAt: number
}

/** How a language is heard: as one that the model knows, or by the model's own guess. */
export type HeardLanguage =
  /** `code` is null for models that know one language and have no token for it. */
  { code: string | null; fallback: string | null } | 'guess'

/** Tags that Whisper's own names differ from. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  cmn: 'zh',
  fil: 'tl',
  he: 'he',
  in: 'id',
  iw: 'he',
  ji: 'yi',
  nb: 'no',
}

/**
 * The language (a BCP 47 tag; its first part counts) as this model can hear it. A language that it does not know is
 * guessed by a model that knows several and heard as English by one that knows English only; `fallback` says so.
 */
export function heardLanguage(
  language: string | undefined,
  { tokens: { languages } }: WhisperSettings,
): HeardLanguage {
  const code = languageCode(language)
  if (languages.size === 0)
    return {
      code: null,
      fallback:
        code === 'en' || code === undefined
          ? null
          : `the speech-to-text model hears English only: '${language}' is heard as English`,
    }
  if (code === undefined) return 'guess'
  const known = [code, OTHER_NAMES[code]].find((each) => each && languages.has(each))
  return known === undefined ? 'guess' : { code: known, fallback: null }
}

/** What is told of a language that the model had to guess. */
export function guessedInstead(language: string | undefined): string | null {
  return languageCode(language) === undefined
    ? null
    : `the speech-to-text model does not know '${language}': it guesses the language`
}

function languageCode(language: string | undefined): string | undefined {
  const code = (language ?? '').trim().toLowerCase().split(/[-_]/)[0]
  return code === '' || code === 'und' || code === 'mul' ? undefined : code
}

/**
 * Earlier text, then start, language and task where the model knows several languages, then no timestamps; what the
 * model forces at other places stands there.
 */
export function startTokens(
  settings: WhisperSettings,
  o: { code: string | null; previous: readonly number[] },
): Start {
  const { tokens } = settings
  const before = previousTokens(settings, o.previous)
  const spoken = o.code === null ? undefined : tokens.languages.get(o.code)
  const stated = spoken === undefined ? [] : [spoken, tokens.transcribe]
  const prompt = [tokens.start]
  for (let place = 1; place <= stated.length || tokens.forced.has(place); place++) {
    const token = stated[place - 1] ?? tokens.forced.get(place)
    if (token !== undefined) prompt.push(token)
  }
  if (!prompt.includes(tokens.noTimestamps)) prompt.push(tokens.noTimestamps)
  return { tokens: [...before, ...prompt], startAt: before.length }
}

/** The end of what was said earlier: at most half of what the decoder can hold, as Whisper was trained. */
function previousTokens(
  { tokens, targetPositions }: WhisperSettings,
  previous: readonly number[],
): number[] {
  const most = Math.floor(targetPositions / 2) - 1
  if (tokens.previous === undefined || previous.length === 0 || most < 1) return []
  return [tokens.previous, ...previous.slice(-most)]
}
