/**
 * The thread that recognises speech. A recognition blocks it; requests wait in its message queue, those that were
 * aborted meanwhile are passed over. Sound is read from the ring here, so that none crosses the main thread.
 */
import type { Recognition } from '../../conversation/ports.ts'
import { isAbortError } from '../../core/abort.ts'
import { reasonOf } from '../../core/errors.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { utteranceSound } from '../utterance-sound.ts'
import { demoSource } from './demo-model.ts'
import { WHISPER_RATE_HZ } from './mel.ts'
import { directorySource, readWhisperFiles } from './model-files.ts'
import type { SttReply, SttRequest } from './stt-messages.ts'
import { loadWhisper, type Whisper } from './whisper.ts'

declare const self: Worker

let settings = { dataDir: '', threads: 1 }
let loaded: { model: string | null; whisper: Whisper } | undefined

/** The model, loaded when it is not the one in memory. */
function load(model: string | null): Whisper {
  if (loaded && loaded.model === model) return loaded.whisper
  loaded?.whisper.release()
  loaded = undefined
  const files = readWhisperFiles(model === null ? demoSource() : directorySource(model))
  const threads = model === null ? 1 : settings.threads
  const whisper = loadWhisper(openRuntime(settings.dataDir), files, { threads })
  loaded = { model, whisper }
  return whisper
}

function recognise(request: Extract<SttRequest, { type: 'recognise' }>): Recognition {
  const flag = new Int32Array(request.aborted)
  const isAborted = (): boolean => Atomics.load(flag, 0) !== 0
  if (isAborted()) return { text: '', noSpeech: 1 }
  const sound = utteranceSound({ ...request, rateHz: WHISPER_RATE_HZ })
  if (sound.length === 0) return { text: '', noSpeech: 1 }
  return load(request.model).recognise(sound, { language: request.language, isAborted })
}

function answer(request: Extract<SttRequest, { id: number }>): SttReply {
  try {
    if (request.type === 'recognise') return { id: request.id, ...recognise(request) }
    load(request.model)
    return { id: request.id, text: '', noSpeech: 1 }
  } catch (error) {
    return { id: request.id, failed: isAbortError(error) ? 'aborted' : reasonOf(error) }
  }
}

self.onmessage = ({ data: request }: MessageEvent<SttRequest>) => {
  if (request.type === 'end') process.exit(0)
  if (request.type === 'begin') settings = request
  else self.postMessage(answer(request))
}
