/** The models on this machine: which are known, which are installed, which one the recogniser takes. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../core/errors.ts'
import { readLock } from './hub/lock-file.ts'
import { KNOWN_MODELS, knownModel } from './hub/manifest.ts'
import { faultOfLocked } from './hub/verify-lock.ts'
import { openRuntime } from './onnx/runtime.ts'
import { loadTurnNet, SMART_TURN } from './smart-turn/turn-net.ts'
import { isSpeechModel, loadSpeechModel } from './speech-model-files.ts'
import { voiceEngineOf } from './voices/installed-voices.ts'
import { verifyVoices } from './voices/verify-voices.ts'
import { directorySource } from './whisper/model-files.ts'

export interface InstalledModel {
  id: string
  engine: string
  /** Whether its directory is there; `verifyModels` tells whether it is whole. */
  installed: boolean
  /** On the disk; 0 when not installed. */
  sizeBytes: number
}

/** The embedded model of the demo: taken only where it is named, never installed. */
export const DEMO_MODEL = 'demo'

/** What is recommended where none is installed. */
const USUAL_WHISPER = 'whisper-base.en'

/** Models are directories of this name under the data directory. */
const FOLDER = 'models'
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** A model directory is small and flat; deeper things are not ours. */
const MOST_DEPTH = 4

/** The models that this release knows, best first, then others found under `<dataDir>/models`. */
export function listModels(dataDir: string): InstalledModel[] {
  const found = modelDirectories(dataDir)
  const known = KNOWN_MODELS.map(({ id, engine }) => describe(dataDir, id, engine, found))
  const others = found
    .filter((id) => !knownModel(id))
    .map((id) => describe(dataDir, id, engineOf(join(dataDir, FOLDER, id)), found))
  return [...known, ...others]
}

/** Reads and loads every installed model. Blocks its thread for as long as that takes. */
export function verifyModels(
  dataDir: string,
): { id: string; ok: boolean; problem: string | null }[] {
  return listModels(dataDir)
    .filter((model) => model.installed)
    .map((model) => {
      const problem = problemOf(dataDir, model)
      return { id: model.id, ok: problem === null, problem }
    })
}

/** A Whisper model to load: `dir` is null for the demo model. Or why there is none, and what mends it. */
export type ChosenModel =
  | { id: string; dir: string | null }
  | { id: null; reason: string; mend: string }

/** The Whisper model named `wanted`, or the best installed when that is null. */
export function chooseWhisper(dataDir: string, wanted: string | null): ChosenModel {
  if (wanted === DEMO_MODEL) return { id: DEMO_MODEL, dir: null }
  const installed = listModels(dataDir).filter(
    (model) => model.installed && model.engine === 'whisper',
  )
  const model = wanted === null ? installed[0] : installed.find(({ id }) => id === wanted)
  if (model) return { id: model.id, dir: join(dataDir, FOLDER, model.id) }
  return {
    id: null,
    reason: wanted
      ? `the speech-to-text model '${wanted}' is not installed`
      : 'no speech-to-text model is installed',
    mend: howToInstall(wanted),
  }
}

function howToInstall(wanted: string | null): string {
  if (wanted !== null && !ID.test(wanted)) return 'landline models list'
  const model = knownModel(wanted ?? USUAL_WHISPER)
  if (model) return `landline models pull ${model.id}`
  // The API says this too, and no answer of the API tells a path of this machine.
  return `landline models import the directory of ${wanted}, then: landline models verify`
}

function modelDirectories(dataDir: string): string[] {
  try {
    return readdirSync(join(dataDir, FOLDER), { withFileTypes: true })
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && ID.test(entry.name))
      .map((entry) => entry.name)
      .filter((id) => id !== DEMO_MODEL)
      .sort()
  } catch {
    return []
  }
}

function describe(
  dataDir: string,
  id: string,
  engine: string,
  found: readonly string[],
): InstalledModel {
  const installed = found.includes(id)
  return { id, engine, installed, sizeBytes: installed ? sizeOf(join(dataDir, FOLDER, id)) : 0 }
}

function sizeOf(path: string, depth = 0): number {
  try {
    const stat = statSync(path)
    if (!stat.isDirectory()) return stat.size
    if (depth >= MOST_DEPTH) return 0
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name), depth + 1), 0)
  } catch {
    return 0
  }
}

/**
 * What its own files say it is: `whisper`, `kokoro`, `piper`, or `unknown`. Moonshine's models run in the engine
 * `whisper`.
 */
function engineOf(dir: string): string {
  try {
    const config: unknown = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'))
    const type = (config as { model_type?: unknown } | null)?.model_type
    if (isSpeechModel(type)) return 'whisper'
  } catch {
    // A voice of Piper has none.
  }
  return voiceEngineOf(dir) ?? 'unknown'
}

function problemOf(dataDir: string, { id, engine }: InstalledModel): string | null {
  const dir = join(dataDir, FOLDER, id)
  try {
    const pinned = readLock(join(dataDir, FOLDER))[id]
    const fault = pinned ? faultOfLocked(dir, pinned) : null
    if (fault !== null) return fault
    if (engine === SMART_TURN) {
      loadTurnNet(openRuntime(dataDir), dir).release()
      return null
    }
    if (engine === 'kokoro' || engine === 'piper')
      return verifyVoices({ dataDir, id, engine, runtime: openRuntime(dataDir) })
    if (engine !== 'whisper') return `${dir} holds no model that Landline knows`
    loadSpeechModel(openRuntime(dataDir), directorySource(dir), { threads: 1 }).release()
    return null
  } catch (error) {
    return reasonOf(error)
  }
}
