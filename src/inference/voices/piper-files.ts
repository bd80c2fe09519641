/** Piper voices as they lie in a directory: `NAME.onnx` and `NAME.onnx.json`, side by side, at any depth. */
import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { faultOfOnnxFile } from '../onnx/onnx-file.ts'
import { asObject, isCount, readJsonFile } from './voice-files.ts'

/** The hub's layout is `en/en_US/lessac/medium/en_US-lessac-medium.onnx`. */
const MOST_DEPTH = 5
const MOST_ENTRIES = 5000
const MOST_SPEAKERS = 2000
const MOST_SYMBOLS = 10_000

/** What running a Piper voice needs to know of it, from its JSON file. */
export interface PiperSettings {
  rateHz: number
  /** BCP 47 tag. */
  language: string
  /** espeak-ng's name of the language; null where letters themselves are the phonemes. */
  espeakVoice: string | null
  /** Ids of each phoneme: one or several. */
  phonemes: ReadonlyMap<string, readonly number[]>
  /** Noise, length and noise of the lengths, as its makers set them. */
  scales: readonly [number, number, number]
  /** By number; empty for a voice of one speaker. */
  speakers: readonly string[]
}

/** Paths of the `.onnx` files that have a `.onnx.json` beside them, sorted. */
export function findPiperVoices(dir: string): string[] {
  const found: string[] = []
  let seen = 0
  const look = (at: string, depth: number): void => {
    for (const entry of entriesOf(at)) {
      if (++seen > MOST_ENTRIES) return
      const path = join(at, entry.name)
      if (entry.isDirectory() && depth < MOST_DEPTH) look(path, depth + 1)
      else if (entry.name.endsWith('.onnx.json')) found.push(path.slice(0, -'.json'.length))
    }
  }
  look(dir, 0)
  return found.sort()
}

function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch {
    return []
  }
}

/** What is wrong with the model file; undefined when it is whole. */
export function faultOfPiper(model: string): string | undefined {
  const fault = faultOfOnnxFile(model)
  return fault === undefined ? undefined : `${model} ${fault}`
}

/** Reads the settings beside a model. Throws an Error that names the file and says what is wrong with it. */
export function readPiperSettings(model: string): PiperSettings {
  const path = `${model}.json`
  const config = readJsonFile(path)
  const fail = (what: string): Error => new Error(`${path} is no Piper voice's: ${what}`)
  const rateHz = asObject(config.audio)?.sample_rate
  if (!isCount(rateHz, 96_000) || rateHz < 8000) throw fail('audio.sample_rate is missing')
  const phonemes = readPhonemes(config.phoneme_id_map)
  if (!phonemes.has('_') || !phonemes.has('^') || !phonemes.has('$'))
    throw fail("phoneme_id_map is missing, or has no '_', '^' and '$'")
  const espeakVoice = asObject(config.espeak)?.voice
  const isText = config.phoneme_type === 'text'
  if (!isText && (typeof espeakVoice !== 'string' || !/^[a-z0-9-]{2,20}$/i.test(espeakVoice)))
    throw fail('espeak.voice is missing')
  const inference = asObject(config.inference) ?? {}
  return {
    rateHz,
    language: languageOf(config, isText ? 'und' : String(espeakVoice)),
    espeakVoice: isText ? null : String(espeakVoice),
    phonemes,
    scales: [
      scale(inference.noise_scale, 0.667),
      scale(inference.length_scale, 1),
      scale(inference.noise_w, 0.8),
    ],
    speakers: readSpeakers(config),
  }
}

function readPhonemes(value: unknown): Map<string, number[]> {
  const phonemes = new Map<string, number[]>()
  for (const [phoneme, ids] of Object.entries(asObject(value) ?? {}))
    if (Array.isArray(ids) && ids.length > 0 && ids.every((id) => isCount(id, MOST_SYMBOLS)))
      phonemes.set(phoneme, ids)
  return phonemes
}

/** `en_US` as a BCP 47 tag; older files tell espeak-ng's voice only. */
function languageOf(config: Record<string, unknown>, espeakVoice: string): string {
  const code = asObject(config.language)?.code
  const tag = (typeof code === 'string' ? code : espeakVoice).replaceAll('_', '-')
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? 'und'
  } catch {
    return 'und'
  }
}

function readSpeakers(config: Record<string, unknown>): string[] {
  const count = config.num_speakers
  if (!isCount(count, MOST_SPEAKERS) || count < 2) return []
  const names = Array.from({ length: count }, (_, i) => String(i))
  for (const [name, number] of Object.entries(asObject(config.speaker_id_map) ?? {}))
    if (isCount(number, count - 1)) names[number] = name
  return names
}

function scale(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 0 && value <= 10 ? value : fallback
}
