/** Which voices of Kokoro and Piper lie under `<dataDir>/models`, and how each is spoken with. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type InstalledVoice, primaryLanguage } from '../../calls/voice-choice.ts'
import { reasonOf } from '../../core/errors.ts'
import { KOKORO_MODEL_TYPE, listKokoroVoices, readKokoroFiles } from './kokoro-files.ts'
import { faultOfPiper, findPiperVoices, readPiperSettings } from './piper-files.ts'
import { readJsonFile } from './voice-files.ts'
import type { VoiceSource } from './voice-messages.ts'

export type OnnxEngine = 'kokoro' | 'piper'

/** A voice and where its files are. */
export interface VoiceFile extends InstalledVoice {
  engine: OnnxEngine
  source: VoiceSource
}

export interface FoundVoices {
  voices: readonly VoiceFile[]
  /** What keeps models from being used, a sentence each that names the file. */
  faults: readonly string[]
}

const FOLDER = 'models'
/** The best of Kokoro's by its makers' own grades; the first that is there speaks unless another is asked for. */
const BEST = ['af_heart', 'af_bella']
/** By the first letter of a voice's name. Japanese and Chinese (`j`, `z`) need phonemes that espeak-ng does not give. */
const KOKORO_LANGUAGES: Readonly<Record<string, { tag: string; espeakVoice: string }>> = {
  a: { tag: 'en-US', espeakVoice: 'en-us' },
  b: { tag: 'en-GB', espeakVoice: 'en-gb' },
  e: { tag: 'es', espeakVoice: 'es' },
  f: { tag: 'fr-FR', espeakVoice: 'fr-fr' },
  h: { tag: 'hi', espeakVoice: 'hi' },
  i: { tag: 'it', espeakVoice: 'it' },
  p: { tag: 'pt-BR', espeakVoice: 'pt-br' },
}

/** What a model directory is by its files; null when it is neither. */
export function voiceEngineOf(dir: string): OnnxEngine | null {
  try {
    if (readJsonFile(join(dir, 'config.json')).model_type === KOKORO_MODEL_TYPE) return 'kokoro'
  } catch {
    // No config.json, or none of ours.
  }
  return findPiperVoices(dir).length > 0 ? 'piper' : null
}

/**
 * The voices of an engine: of the model directory named `model`, or of all. Those of languages that need espeak-ng are
 * left out without it. A model that is not whole gives its fault instead of voices.
 */
export function findVoices(
  dataDir: string,
  o: { engine: OnnxEngine; model: string | null; hasEspeak: boolean },
): FoundVoices {
  const dirs = modelDirectories(dataDir).filter(
    ({ id, dir }) => (o.model === null || id === o.model) && voiceEngineOf(dir) === o.engine,
  )
  const found = dirs.map(({ dir }) =>
    o.engine === 'kokoro' ? kokoroVoices(dir) : piperVoices(dir),
  )
  const byId = new Map<string, VoiceFile>()
  for (const voice of found.flatMap(({ voices }) => voices))
    if (!byId.has(voice.id) && (o.hasEspeak || speaksWithoutEspeak(voice)))
      byId.set(voice.id, voice)
  return { voices: [...byId.values()], faults: found.flatMap(({ faults }) => faults) }
}

function speaksWithoutEspeak({ source }: VoiceFile): boolean {
  return source.espeakVoice === null || primaryLanguage(source.espeakVoice) === 'en'
}

function modelDirectories(dataDir: string): { id: string; dir: string }[] {
  try {
    return readdirSync(join(dataDir, FOLDER), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map(({ name }) => ({ id: name, dir: join(dataDir, FOLDER, name) }))
      .sort((a, b) => a.id.localeCompare(b.id))
  } catch {
    return []
  }
}

function kokoroVoices(dir: string): FoundVoices {
  try {
    readKokoroFiles(dir)
  } catch (error) {
    return { voices: [], faults: [reasonOf(error)] }
  }
  const ids = listKokoroVoices(dir)
  const best = BEST.filter((id) => ids.includes(id))
  const voices = [...best, ...ids.filter((id) => !best.includes(id))].flatMap((id): VoiceFile[] => {
    const language = KOKORO_LANGUAGES[id[0] ?? '']
    if (!language) return []
    const source = { engine: 'kokoro', dir, voice: id, espeakVoice: language.espeakVoice } as const
    return [{ id, engine: 'kokoro', language: language.tag, name: kokoroName(id), source }]
  })
  const faults = voices.length === 0 ? [`${join(dir, 'voices')} holds no whole voice file`] : []
  return { voices, faults }
}

/** `af_heart` → Heart, a woman. */
function kokoroName(id: string): string {
  const name = id.slice(3).replaceAll('_', ' ')
  const who = id[1] === 'f' ? ', a woman' : id[1] === 'm' ? ', a man' : ''
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}${who}`
}

function piperVoices(dir: string): FoundVoices {
  const voices: VoiceFile[] = []
  const faults: string[] = []
  for (const model of findPiperVoices(dir))
    try {
      const fault = faultOfPiper(model)
      if (fault) throw new Error(fault)
      voices.push(...speakersOf(model))
    } catch (error) {
      faults.push(reasonOf(error))
    }
  return { voices, faults }
}

/** A voice each speaker: `NAME`, or `NAME#SPEAKER` where there are several. */
function speakersOf(model: string): VoiceFile[] {
  const { language, espeakVoice, speakers } = readPiperSettings(model)
  const name = basename(model, '.onnx')
  const voice = (id: string, speaker: number | null): VoiceFile => ({
    id,
    engine: 'piper',
    language,
    name: id,
    source: { engine: 'piper', model, speaker, espeakVoice },
  })
  if (speakers.length === 0) return [voice(name, null)]
  return speakers.map((speaker, number) => voice(`${name}#${speaker}`, number))
}
