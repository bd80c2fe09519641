/** Smart Turn's files and the model in them. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Tensor } from 'onnxruntime-common'
import { reasonOf } from '../../core/errors.ts'
import { knownModel } from '../hub/manifest.ts'
import { faultOfOnnxFile } from '../onnx/onnx-file.ts'
import type { Runtime, Session } from '../onnx/runtime.ts'
import { createTurnFeatures, TURN_BANDS, TURN_FRAMES } from './turn-features.ts'

/** The directory's name under `<dataDir>/models`. */
export const SMART_TURN = 'smart-turn'
const INPUT = 'input_features'
const SHAPE = [1, TURN_BANDS, TURN_FRAMES]
/** A directory with more models than this is somebody's collection. */
const MOST_FILES = 16
/** A chance stored in few bits may come out past its range by as much. */
const ROUNDING = 0.01

/** A loaded Smart Turn. */
export interface TurnNet {
  /** The file that it was loaded from. */
  readonly file: string
  /** The chance, 0 to 1, that these samples at 16 kHz are a whole turn. Blocks. Throws when the model gives no number. */
  judge(samples: Int16Array): number
  release(): void
}

export function smartTurnDir(dataDir: string): string {
  return join(dataDir, 'models', SMART_TURN)
}

export function isSmartTurnInstalled(dataDir: string): boolean {
  return existsSync(smartTurnDir(dataDir))
}

/**
 * Loads the best of a directory's models that is a Smart Turn, and runs it once. Throws an Error of one sentence that
 * names the file and says what is wrong with it.
 */
export function loadTurnNet(runtime: Runtime, dir: string): TurnNet {
  const faults: string[] = []
  const files = modelFiles(dir)
  for (const file of files) {
    try {
      return loadFile(runtime, join(dir, file))
    } catch (error) {
      faults.push(reasonOf(error))
    }
  }
  throw new Error(faults[0] ?? `${dir} holds no .onnx file`)
}

/** The one that is pulled first, then those made for the CPU, then newer before older. */
function modelFiles(dir: string): string[] {
  const pulled = new Set(knownModel(SMART_TURN)?.files ?? [])
  const rank = (file: string): number =>
    (pulled.has(file) ? 0 : 2) + (file.includes('-cpu') ? 0 : 1)
  return readdirSync(dir)
    .filter((file) => file.endsWith('.onnx'))
    .sort((a, b) => rank(a) - rank(b) || b.localeCompare(a))
    .slice(0, MOST_FILES)
}

function loadFile(runtime: Runtime, path: string): TurnNet {
  const fault = faultOfOnnxFile(path)
  if (fault !== undefined) throw new Error(`${path} ${fault}`)
  const session = runtime.createSession(path)
  try {
    if (!takesTurns(session))
      throw new Error(`${path} is no Smart Turn: it does not take ${INPUT} [${SHAPE.join(', ')}]`)
    const net = createNet(session, path)
    net.judge(new Int16Array(0))
    return net
  } catch (error) {
    session.release()
    throw error
  }
}

function takesTurns({ inputs, outputs }: Session): boolean {
  const [input] = inputs
  if (inputs.length !== 1 || outputs.length === 0) return false
  const fits = (size: number | string, i: number): boolean =>
    typeof size === 'string' || size === SHAPE[i]
  return (
    input?.name === INPUT &&
    input.type === 'float32' &&
    input.shape.length === SHAPE.length &&
    input.shape.every(fits)
  )
}

function createNet(session: Session, path: string): TurnNet {
  const features = createTurnFeatures()
  const output = session.outputs[0]?.name ?? ''
  // Published exports give a chance. One that was ever out of its range gives log-odds, always.
  let isLogOdds = false
  const run = (samples: Int16Array): number => {
    let given: Tensor | undefined
    try {
      given = session.run({ [INPUT]: new Tensor('float32', features(samples), SHAPE) })[output]
    } catch (error) {
      throw new Error(`${path} cannot be run: ${reasonOf(error)}`, { cause: error })
    }
    const value = given?.type === 'float32' && given.size === 1 ? Number(given.data[0]) : Number.NaN
    if (!Number.isFinite(value)) throw new Error(`${path} is no Smart Turn: it gives no chance`)
    return value
  }
  return {
    file: path,
    judge(samples) {
      const value = run(samples)
      isLogOdds ||= value < -ROUNDING || value > 1 + ROUNDING
      return isLogOdds ? 1 / (1 + Math.exp(-value)) : Math.min(1, Math.max(0, value))
    },
    release: () => session.release(),
  }
}
