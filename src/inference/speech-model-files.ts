/** Which speech-to-text model a directory holds, by its own config.json. */
import { loadMoonshine, readMoonshineFiles } from './moonshine/moonshine.ts'
import type { Runtime } from './onnx/runtime.ts'
import { type ModelSource, readWhisperFiles } from './whisper/model-files.ts'
import type { SessionOptions } from './whisper/sessions.ts'
import type { SpeechModel } from './whisper/speech-model.ts'
import { loadWhisper } from './whisper/whisper.ts'

/** The `model_type` of models that the engine `whisper` runs. */
export function isSpeechModel(type: unknown): boolean {
  return type === 'whisper' || type === 'moonshine'
}

/** Reads, checks and loads a model. Throws an Error that names the file and says what is wrong with it. */
export function loadSpeechModel(
  runtime: Runtime,
  source: ModelSource,
  o: SessionOptions,
): SpeechModel {
  const { model_type: type } = source.json('config.json') as { model_type?: unknown }
  if (type === 'moonshine') return loadMoonshine(runtime, readMoonshineFiles(source), o)
  return loadWhisper(runtime, readWhisperFiles(source), o)
}
