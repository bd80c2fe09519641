import { Tensor } from 'onnxruntime-common'
import type { Runtime } from '../onnx/runtime.ts'
import type { Phonemizer } from './phonemes.ts'
import { faultOfPiper, type PiperSettings, readPiperSettings } from './piper-files.ts'
import { type Synthesiser, soundOf } from './synthesiser.ts'

const INPUTS = ['input', 'input_lengths', 'scales']
const SPEAKER = 'sid'
/** More than any phrase has; a model's cost grows with it. */
const MOST_PHONEMES = 1000

export interface Piper {
  /** Speaks as one of the speakers, by number; null for a voice that has one. */
  speaker(number: number | null): Synthesiser
  release(): void
}

/** Loads a Piper voice; `threads` work on one phrase. Throws an Error that names the file that does not fit. */
export function loadPiper(
  runtime: Runtime,
  o: { model: string; phonemizer: Phonemizer; threads: number },
): Piper {
  const { model } = o
  const settings = readPiperSettings(model)
  const fault = faultOfPiper(model)
  if (fault) throw new Error(fault)
  const session = runtime.createSession(model, { threads: o.threads })
  const names = session.inputs.map(({ name }) => name)
  const lacking = INPUTS.filter((name) => !names.includes(name))
  const [output] = session.outputs
  if (lacking.length > 0 || !output) {
    session.release()
    throw new Error(`${model} is no Piper voice: it has no input ${lacking.join(', ')}`)
  }
  return {
    speaker: (number) => ({
      synthesise(text) {
        const { rateHz, scales } = settings
        const ids = toIds(phonemesOf(text, settings, o.phonemizer), settings)
        if (ids.length === 0) return { samples: new Float32Array(0), rateHz }
        const sid = new Tensor('int64', BigInt64Array.of(BigInt(number ?? 0)), [1])
        const result = session.run({
          input: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
          input_lengths: new Tensor('int64', BigInt64Array.of(BigInt(ids.length)), [1]),
          scales: new Tensor('float32', Float32Array.from(scales), [3]),
          ...(names.includes(SPEAKER) ? { [SPEAKER]: sid } : {}),
        })
        return { samples: soundOf(model, result[output.name], rateHz), rateHz }
      },
    }),
    release: () => session.release(),
  }
}

function phonemesOf(text: string, { espeakVoice }: PiperSettings, phonemizer: Phonemizer): string {
  if (espeakVoice === null) return text.toLowerCase()
  return phonemizer.toPhonemes(text, { espeakVoice })
}

/** Piper's row of ids: a beginning, each phoneme with a pad behind it, an end. Empty when no phoneme is known. */
function toIds(phonemes: string, { phonemes: known }: PiperSettings): number[] {
  const pad = known.get('_') ?? []
  const spoken: number[] = []
  // Its phonemes are single code points, accents apart.
  for (const phoneme of [...phonemes.normalize('NFD')].slice(0, MOST_PHONEMES)) {
    const ids = known.get(phoneme)
    if (ids) spoken.push(...ids, ...pad)
  }
  if (spoken.length === 0) return []
  return [...(known.get('^') ?? []), ...pad, ...spoken, ...(known.get('$') ?? [])]
}
