import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import {
  byTelephone,
  demoSentences,
  heardByTelephone,
  jfk,
  sharedDataDir,
  wordErrors,
} from '../../../test/kit/speech.ts'
import { tone } from '../../../test/kit/tones.ts'
import { resample } from '../../core/resample.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { demoSource } from './demo-model.ts'
import { readWhisperFiles, type WhisperFiles } from './model-files.ts'
import { type Heard, SoundMemory, type SpeechModel } from './speech-model.ts'
import { loadWhisper } from './whisper.ts'

let whisper: SpeechModel
beforeAll(() => {
  const files = readWhisperFiles(demoSource())
  whisper = loadWhisper(openRuntime(sharedDataDir()), files, { threads: 1 })
})

function hear(samples: Int16Array, language = 'en-US') {
  return whisper.recognise(resample(samples, 8000, 16_000), { language, isAborted: () => false })
}

/** Several tokens in one pass are summed in another order than one by one. */
const alike = (heard: Heard) => ({
  ...heard,
  logProbability: expect.closeTo(heard.logProbability ?? Number.NaN, 3),
})

function load(change: Partial<WhisperFiles>): () => SpeechModel {
  const files = { ...readWhisperFiles(demoSource()), ...change }
  return () => loadWhisper(openRuntime(sharedDataDir()), files, { threads: 1 })
}

describe('Whisper with the demo model, over the telephone', () => {
  it("hears the demo's sentences as well as its card says", () => {
    let errors = 0
    let words = 0
    for (const { file, text } of demoSentences().filter(({ kind }) => kind === 'held')) {
      const found = wordErrors(text, hear(heardByTelephone(file)).text)
      errors += found.errors
      words += found.words
    }
    expect(words).toBeGreaterThan(100)
    // The card: 4.5 to 5.8 % for Flite's voices, 8 to 18 % for the others; both are in this set.
    expect(errors / words).toBeLessThan(0.09)
  })

  it('hears sentences outside its grammar badly but as text', () => {
    for (const { file } of demoSentences().filter(({ kind }) => kind === 'free'))
      expect(hear(heardByTelephone(file)).text).toMatch(/^[A-Z][\w '?,.-]+$/)
  })

  it.each([
    ['nothing', new Int16Array(8000)],
    ['no sample at all', new Int16Array(0)],
    ['a tone', tone(440, 16_000)],
    [
      'noise',
      Int16Array.from(
        { length: 24_000 },
        (
          (random) => () =>
            (random() - 0.5) * 600
        )(randomSource(3)),
      ),
    ],
  ])('writes nothing for %s, and is sure that nobody spoke', (_, samples) => {
    const { text, noSpeech } = hear(samples)
    expect(text).toBe('')
    expect(noSpeech).toBeGreaterThan(0.6)
  })

  it('writes nothing for recordings of line noises', () => {
    for (const { file } of demoSentences().filter(({ kind }) => kind === 'none'))
      expect(hear(heardByTelephone(file)).text).toBe('')
  })

  it('hears speech longer than its window, window by window', () => {
    const [first, second] = ['held-018-awb.wav', 'held-000-slt.wav'].map(heardByTelephone) as [
      Int16Array,
      Int16Array,
    ]
    const long = new Int16Array(8000 * 14)
    long.set(first, 0)
    long.set(second, 8000 * 8)
    const { text } = hear(long)
    expect(text).toContain(hear(first).text)
    expect(wordErrors(hear(second).text, text.slice(hear(first).text.length)).errors).toBeLessThan(
      3,
    )
  })

  it('stops between two steps when aborted', () => {
    let asked = 0
    const isAborted = (): boolean => ++asked > 3
    const samples = resample(heardByTelephone('held-018-awb.wav'), 8000, 16_000)
    expect(() => whisper.recognise(samples, { language: 'en', isAborted })).toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    )
    expect(asked).toBe(4)
  })

  it('hears another language as English, and says so', () => {
    const speech = heardByTelephone('held-018-awb.wav')
    expect(hear(speech, 'de-DE')).toEqual({
      ...hear(speech),
      fallback: "the speech-to-text model hears English only: 'de-DE' is heard as English",
    })
  })

  it('is sure of the sentences that it knows and not of recorded speech', () => {
    const known = demoSentences()
      .filter(({ kind }) => kind === 'held')
      .map(({ file }) => hear(heardByTelephone(file)).logProbability ?? Number.NaN)
    expect(Math.min(...known)).toBeGreaterThan(-0.6)
    const recorded = [8000 * 2.4, 8000 * 4.5, 8000 * 7.8].map(
      (to) => hear(byTelephone(jfk().subarray(0, to))).logProbability ?? Number.NaN,
    )
    expect(Math.max(...recorded)).toBeLessThan(-0.6)
  })

  it('hears an utterance that grows as it hears the whole, from what it remembers', () => {
    const speech = resample(heardByTelephone('held-018-awb.wav'), 8000, 16_000)
    const memory = new SoundMemory()
    const o = { language: 'en', isAborted: () => false }
    for (let to = 8000; to < speech.length + 16_000; to += 8000)
      expect(whisper.recognise(speech.slice(0, to), { ...o, memory })).toEqual(
        alike(whisper.recognise(speech.slice(0, to), o)),
      )
    expect(whisper.recognise(speech.slice(0, 20_000), { ...o, memory })).toEqual(
      alike(whisper.recognise(speech.slice(0, 20_000), o)),
    )
  })

  it('writes what it wrote before in one pass', () => {
    let asked = 0
    const memory = new SoundMemory()
    const samples = resample(heardByTelephone('held-018-awb.wav'), 8000, 16_000)
    const isAborted = (): boolean => {
      asked++
      return false
    }
    whisper.recognise(samples, { language: 'en', isAborted, memory })
    expect(asked).toBeGreaterThan(10)
    asked = 0
    whisper.recognise(samples, { language: 'en', isAborted, memory })
    expect(asked).toBe(1)
  })

  it('takes words to be expected, and stays within its places with many', () => {
    const o = { language: 'en', isAborted: () => false }
    const samples = resample(heardByTelephone('held-018-awb.wav'), 8000, 16_000)
    const { text } = whisper.recognise(samples, { ...o, prompt: 'pizza '.repeat(500) })
    expect(text.length).toBeLessThan(500)
  })
})

describe('a foreign model', () => {
  it('is refused with the name of the file that does not fit', () => {
    const { encoder, decoder, settings } = readWhisperFiles(demoSource())
    if (!('merged' in decoder)) throw new Error('the demo model has a merged decoder')
    expect(load({ encoder: decoder.merged })).toThrow(/encoder_model\.onnx is no Whisper encoder/)
    expect(load({ decoder: { merged: encoder } })).toThrow(
      /decoder_model_merged\.onnx is no such decoder: it has no input input_ids/,
    )
    expect(load({ settings: { ...settings, decoderLayers: 1 } })).toThrow(/past_key_values\.1/)
    expect(load({ settings: { ...settings, decoderLayers: 3 } })).toThrow(/past_key_values\.2/)
    expect(load({ settings: { ...settings, melBands: 128 } })).toThrow(/takes 80 mel bands/)
    expect(load({ settings: { ...settings, modelSize: 100 } })).toThrow(/not Whisper's shape/)
  })
})
