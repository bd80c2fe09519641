/**
 * The thread that recognises speech. A recognition blocks it; one request is with it at a time, the others wait where
 * the more urgent can overtake them. Sound is read from the ring here, so that none crosses the main thread.
 */
import { isAbortError } from '../../core/abort.ts'
import { reasonOf } from '../../core/errors.ts'
import { chooseDevice, type Device, type WantedDevice } from '../onnx/device.ts'
import { openRuntime, type Runtime } from '../onnx/runtime.ts'
import { loadSpeechModel } from '../speech-model-files.ts'
import { utteranceSound } from '../utterance-sound.ts'
import { demoSource } from './demo-model.ts'
import { WHISPER_RATE_HZ } from './mel.ts'
import { directorySource } from './model-files.ts'
import { type Heard, SoundMemory, type SpeechModel } from './speech-model.ts'
import type { SttReply, SttRequest } from './stt-messages.ts'

declare const self: Worker

type Recognise = Extract<SttRequest, { type: 'recognise' }>

/** More calls than any machine recognises at once; each remembers its present utterance. */
const MOST_REMEMBERED = 64
const NOTHING: Heard = { text: '', noSpeech: 1, fallback: null }

let settings: { dataDir: string; threads: number; device: WantedDevice } = {
  dataDir: '',
  threads: 1,
  device: 'cpu',
}
let device: Device | undefined
let loaded: { model: string | null; speech: SpeechModel } | undefined
const remembered = new Map<number, { from: number; memory: SoundMemory }>()

/** The model, loaded when it is not the one in memory. */
function load(model: string | null): SpeechModel {
  if (loaded && loaded.model === model) return loaded.speech
  loaded?.speech.release()
  loaded = undefined
  remembered.clear()
  const runtime = openRuntime(settings.dataDir)
  // The demo model is smaller than what handing it to more threads or a card costs.
  const speech =
    model === null
      ? loadSpeechModel(runtime, demoSource(), { threads: 1 })
      : loadOnDevice(runtime, model)
  loaded = { model, speech }
  return speech
}

function loadOnDevice(runtime: Runtime, dir: string): SpeechModel {
  const { dataDir, threads } = settings
  device ??= chooseDevice(runtime, dataDir, settings.device)
  const { name, reason } = device
  if (name === 'cpu' && settings.device === 'cuda')
    throw new Error(`speech.device = "cuda": ${reason}`)
  return loadSpeechModel(runtime, directorySource(dir, name), { threads, device: name })
}

/** What is known of an utterance from when less of it was there. */
function memoryOf({ ring, from }: Recognise): SoundMemory {
  const known = remembered.get(ring)
  remembered.delete(ring)
  const entry = known?.from === from ? known : { from, memory: new SoundMemory() }
  remembered.set(ring, entry)
  for (const oldest of remembered.keys()) {
    if (remembered.size <= MOST_REMEMBERED) break
    remembered.delete(oldest)
  }
  return entry.memory
}

function recognise(request: Recognise): Heard {
  const flag = new Int32Array(request.aborted)
  const isAborted = (): boolean => Atomics.load(flag, 0) !== 0
  const sound = utteranceSound({ ...request, rateHz: WHISPER_RATE_HZ })
  if (sound.length === 0) return NOTHING
  const speech = load(request.model)
  const { language } = request
  // The demo model has learned nothing about text that goes before.
  const prompt = request.model === null ? undefined : request.prompt
  return speech.recognise(sound, { language, prompt, isAborted, memory: memoryOf(request) })
}

function answer(request: Extract<SttRequest, { id: number }>): SttReply {
  const { id } = request
  try {
    if (request.type === 'probe') load(request.model)
    const heard = request.type === 'recognise' ? recognise(request) : NOTHING
    return { id, ...heard, device: device ?? { name: 'cpu', reason: null } }
  } catch (error) {
    return isAbortError(error) ? { id, gaveUp: true } : { id, failed: reasonOf(error) }
  }
}

self.onmessage = ({ data: request }: MessageEvent<SttRequest>) => {
  if (request.type === 'end') process.exit(0)
  if (request.type === 'begin') settings = request
  else self.postMessage(answer(request))
}
