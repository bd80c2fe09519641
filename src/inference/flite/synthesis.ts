import { resample } from '../../core/resample.ts'
import { runWasi } from './wasi.ts'
import { readWave, trimSilence } from './wave.ts'

export const FLITE_VOICES = ['slt', 'rms', 'awb', 'kal', 'kal16'] as const
export type FliteVoiceName = (typeof FLITE_VOICES)[number]

/** What the main thread asks of the worker: one piece of speakable text. */
export interface SpeechRequest {
  id: number
  text: string
  voice: FliteVoiceName
  rateHz: number
}

/** The worker's answer: sound in shared memory, null when the text has none, or why it failed. */
export type SpeechReply =
  | { id: number; clip: Int16Array<SharedArrayBuffer> | null }
  | { id: number; failed: string }

/** Flite pauses 150 to 280 ms before and after each piece; this much is kept, so that pieces join as speech does. */
const KEPT = { leadMs: 20, trailMs: 120 } as const

/** Speaks one piece of text with Flite. Null when it has no sound. Throws when the program fails. */
export function synthesise(
  flite: WebAssembly.Module,
  o: { text: string; voice: FliteVoiceName; rateHz: number },
): Int16Array | null {
  const args = ['flite', '-voice', o.voice, '-t', o.text, '-o', '/speech.wav']
  const result = runWasi(flite, args)
  const file = result.files.get('speech.wav')
  if (result.exitCode !== 0 || !file)
    throw new Error(`Flite exited with ${result.exitCode}: ${result.stderr.slice(0, 200).trim()}`)
  const wave = readWave(file)
  if (!wave) return null
  const samples = trimSilence(wave, KEPT)
  return samples.length === 0 ? null : resample(samples, wave.rateHz, o.rateHz)
}
