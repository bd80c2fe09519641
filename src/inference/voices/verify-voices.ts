import { join } from 'node:path'
import { reasonOf } from '../../core/errors.ts'
import type { Runtime } from '../onnx/runtime.ts'
import { findVoices, type OnnxEngine } from './installed-voices.ts'
import { loadKokoro } from './kokoro.ts'
import type { Phonemizer } from './phonemes.ts'
import { loadPiper } from './piper.ts'

/** A sound that every voice knows, whatever the language: nothing but the files is tried here. */
const ONE_SOUND: Phonemizer = { name: 'one sound', toPhonemes: () => 'a' }

/** Loads the voices of one model directory and has each model make a sound. What is wrong in words, or null. */
export function verifyVoices(o: {
  dataDir: string
  id: string
  engine: OnnxEngine
  runtime: Runtime
}): string | null {
  const { voices, faults } = findVoices(o.dataDir, {
    engine: o.engine,
    model: o.id,
    hasEspeak: true,
  })
  const [fault] = faults
  if (fault !== undefined) return fault
  if (voices.length === 0) return `${join(o.dataDir, 'models', o.id)} holds no voice`
  try {
    // One of each model: voices of one model share it.
    const models = new Map(
      voices.map(({ source }) => [source.engine === 'kokoro' ? source.dir : source.model, source]),
    )
    for (const source of models.values()) {
      const parts = { phonemizer: ONE_SOUND, threads: 1 }
      const loaded =
        source.engine === 'kokoro'
          ? loadKokoro(o.runtime, { ...parts, dir: source.dir })
          : loadPiper(o.runtime, { ...parts, model: source.model })
      try {
        const speaker = 'voice' in loaded ? loaded.voice(toKokoro(source)) : loaded.speaker(0)
        speaker.synthesise('a')
      } finally {
        loaded.release()
      }
    }
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

function toKokoro(source: { espeakVoice: string | null; voice?: string }) {
  return { voice: source.voice ?? '', espeakVoice: source.espeakVoice ?? 'en-us' }
}
