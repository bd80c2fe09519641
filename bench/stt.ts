/** Telephone speech through the demo model on one thread, as the recogniser's own thread does it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ring } from '../src/core/ring.ts'
import { openRuntime } from '../src/inference/onnx/runtime.ts'
import { loadSpeechModel } from '../src/inference/speech-model-files.ts'
import { utteranceSound } from '../src/inference/utterance-sound.ts'
import { directorySource } from '../src/inference/whisper/model-files.ts'
import { SoundMemory, type SpeechModel } from '../src/inference/whisper/speech-model.ts'
import { demoSentences, heardByTelephone, sharedDataDir, writeFrames } from '../test/kit/speech.ts'
import { askTransformers } from '../test/kit/transformers.ts'
import { type Figure, figure } from './report.ts'
import { runRounds } from './rounds.ts'

const ROUNDS = 15
const RATE_HZ = 8000
const SECONDS = 10
const PARTIAL_SAMPLES = RATE_HZ / 2
const DEMO = join(import.meta.dirname, '../models/demo')
const CONTROL = '@huggingface/transformers under Node, one thread'

export async function benchStt(): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'landline-bench-stt-'))
  try {
    return await measure(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(directory: string): Promise<Figure[]> {
  const ears = speech()
  const model = loadSpeechModel(openRuntime(sharedDataDir()), directorySource(DEMO), { threads: 1 })
  const file = join(directory, 'speech.f32')
  writeFileSync(
    file,
    Float32Array.from(sound(ears, RATE_HZ * SECONDS), (each) => each / 32768),
  )
  recognise(model, ears, RATE_HZ * SECONDS)
  const { samples, discarded } = await runRounds({
    count: ROUNDS,
    control: 'control',
    parts: [
      async () => ({ whole: [recognise(model, ears, RATE_HZ * SECONDS)] }),
      async () => ({ rest: [restAfterPartials(model, ears)] }),
      async () => ({ control: [await theirs(directory, file)] }),
    ],
  })
  model.release()
  const common = { unit: 'ms', control: { what: CONTROL, samples: samples.control }, discarded }
  return [
    figure({
      metric: '10 s of telephone speech to text, demo model, one thread',
      ours: samples.whole,
      target: { of: 'p50', atMost: 100 * SECONDS },
      ...common,
    }),
    figure({
      metric: 'the same, the last half second of it, after partial texts',
      ours: samples.rest,
      ...common,
    }),
  ]
}

/** Sentences of the demo's kind, one after the other, as they come out of a telephone. */
function speech(): Ring {
  const ears = Ring.create(RATE_HZ, SECONDS + 1)
  const held = demoSentences().filter(({ kind }) => kind === 'held')
  for (const { file } of held) {
    if (ears.written >= RATE_HZ * SECONDS) break
    writeFrames(ears, heardByTelephone(file).slice(0, RATE_HZ * SECONDS - ears.written))
  }
  return ears
}

function sound(ears: Ring, to: number): Int16Array {
  return utteranceSound({ ears: ears.buffer, from: 0, to, rateHz: 16_000 })
}

/** Milliseconds from the ring to the text. */
function recognise(model: SpeechModel, ears: Ring, to: number, memory?: SoundMemory): number {
  const begun = performance.now()
  const o = { language: 'en', isAborted: () => false, ...(memory && { memory }) }
  const { text } = model.recognise(sound(ears, to), o)
  if (text === '') throw new Error('the demo model heard nothing')
  return performance.now() - begun
}

function restAfterPartials(model: SpeechModel, ears: Ring): number {
  const memory = new SoundMemory()
  const whole = RATE_HZ * SECONDS
  // The first half second is a breath: nothing is heard in it.
  for (let to = 2 * PARTIAL_SAMPLES; to < whole; to += PARTIAL_SAMPLES)
    recognise(model, ears, to, memory)
  return recognise(model, ears, whole, memory)
}

/** The second of two times, when it is warm. */
async function theirs(directory: string, file: string): Promise<number> {
  const sounds = [1, 2].map(() => ({ file, mostTokens: 62 }))
  const [answer] = await askTransformers(directory, [{ dir: DEMO, dtype: 'fp32', sounds }])
  return answer?.heard[1]?.ms ?? Number.NaN
}
