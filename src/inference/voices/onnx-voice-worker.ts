/** The thread that Kokoro and Piper speak in: a phrase blocks it for as long as the model takes. */
import { reasonOf } from '../../core/errors.ts'
import { sharedSamples } from '../../core/pcm.ts'
import { resample } from '../../core/resample.ts'
import { fliteProgram } from '../flite/flite-program.ts'
import { trimSilence } from '../flite/wave.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { loadKokoro } from './kokoro.ts'
import { createPhonemizer } from './phonemes.ts'
import { loadPiper } from './piper.ts'
import { type Synthesiser, toInt16 } from './synthesiser.ts'
import type { VoiceReply, VoiceRequest, VoiceSource } from './voice-messages.ts'

declare const self: Worker

/** So many models stay loaded: a Piper voice is a model of its own. */
const MOST_MODELS = 3
/** Models pause before and after each phrase; this much is kept, so that phrases join as speech does. */
const KEPT = { leadMs: 20, trailMs: 120 } as const

interface Model {
  speaker(source: VoiceSource): Synthesiser
  release(): void
}

let settings: { dataDir: string; threads: number; espeak: string | null } = {
  dataDir: '',
  threads: 1,
  espeak: null,
}
const models = new Map<string, Model>()

async function modelOf(source: VoiceSource): Promise<Model> {
  const key = source.engine === 'kokoro' ? source.dir : source.model
  const known = models.get(key)
  const model = known ?? load(source, await fliteProgram())
  models.delete(key)
  models.set(key, model)
  const [oldest] = models
  if (models.size > MOST_MODELS && oldest) {
    models.delete(oldest[0])
    oldest[1].release()
  }
  return model
}

function load(source: VoiceSource, flite: WebAssembly.Module): Model {
  const { dataDir, threads, espeak } = settings
  const phonemizer = createPhonemizer({ espeak, flite })
  const runtime = openRuntime(dataDir)
  if (source.engine === 'kokoro') {
    const kokoro = loadKokoro(runtime, { dir: source.dir, phonemizer, threads })
    return {
      speaker: (wanted) => kokoro.voice(wanted as Extract<VoiceSource, { engine: 'kokoro' }>),
      release: kokoro.release,
    }
  }
  const piper = loadPiper(runtime, { model: source.model, phonemizer, threads })
  return {
    speaker: (wanted) => piper.speaker('speaker' in wanted ? wanted.speaker : null),
    release: piper.release,
  }
}

async function speak(
  request: Extract<VoiceRequest, { type: 'speak' }>,
): Promise<Int16Array<SharedArrayBuffer> | null> {
  const model = await modelOf(request.source)
  const { samples, rateHz } = model.speaker(request.source).synthesise(request.text)
  const trimmed = trimSilence({ samples: toInt16(samples), rateHz }, KEPT)
  if (trimmed.length === 0) return null
  const sound = resample(trimmed, rateHz, request.rateHz)
  const clip = sharedSamples(sound.length)
  clip.set(sound)
  return clip
}

async function answer(request: Extract<VoiceRequest, { id: number }>): Promise<VoiceReply> {
  try {
    return { id: request.id, clip: await speak(request) }
  } catch (error) {
    return { id: request.id, failed: reasonOf(error) }
  }
}

self.onmessage = ({ data: request }: MessageEvent<VoiceRequest>) => {
  if (request.type === 'end') process.exit(0)
  if (request.type === 'begin') settings = request
  else void answer(request).then((reply) => self.postMessage(reply))
}
