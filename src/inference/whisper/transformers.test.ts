import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { heardByTelephone, jfk, sharedDataDir } from '../../../test/kit/speech.ts'
import {
  type WhisperExport,
  writeMoonshine,
  writeWhisper,
} from '../../../test/kit/speech-export.ts'
import {
  askTransformers,
  type TransformersAnswer,
  type TransformersJob,
} from '../../../test/kit/transformers.ts'
import { storedTokenizer } from '../../../test/kit/whisper-vocabulary.ts'
import { resample } from '../../core/resample.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { loadSpeechModel } from '../speech-model-files.ts'
import { LogMel } from './mel.ts'
import { directorySource } from './model-files.ts'
import { SoundMemory, type SpeechModel } from './speech-model.ts'
import { createTokenizer } from './tokenizer.ts'

const DEMO = join(import.meta.dirname, '../../../models/demo')
const TEXTS = [
  " I'd like 2 large pepperoni pizzas, please; that's $18.50, isn't it?",
  'naïve façade – Привет, мир\n\n  日本語の電話 📞 +1 (415) 555-0100   ',
  " they'll WE'RE\tdon't",
]
const PROMPT = 'Margherita, quattro stagioni – and the Ångström street.'

type Seconds = number
interface Case {
  name: string
  dtype: TransformersJob['dtype']
  write: (dir: string) => void
  /** Whisper's window. */
  sounds: { from: Seconds; to: Seconds; language?: string; prompt?: string }[]
  isWhisper: boolean
}

const multilingual: WhisperExport = {
  positions: 150,
  isMultilingual: true,
  stored: 'fp32',
  isMerged: true,
  seed: 3,
}
const CASES: Case[] = [
  {
    name: 'a Whisper of several languages',
    dtype: 'fp32',
    write: (dir) => writeWhisper(dir, multilingual),
    sounds: [
      { from: 0.3, to: 2.8, language: 'de' },
      { from: 3, to: 4, language: 'en' },
      { from: 5, to: 8, language: 'ja' },
      { from: 8, to: 10.5, language: 'fr', prompt: PROMPT },
      { from: 8, to: 10.5, language: 'fr', prompt: PROMPT.repeat(4) },
    ],
    isWhisper: true,
  },
  {
    name: 'a Whisper of English only, with 128 mel bands',
    dtype: 'fp32',
    write: (dir) =>
      writeWhisper(dir, {
        ...multilingual,
        isMultilingual: false,
        seed: 4,
        shape: { melBands: 128, heads: 2 },
      }),
    sounds: [
      { from: 0.3, to: 2.8 },
      { from: 8, to: 10.5, prompt: 'Pizza' },
    ],
    isWhisper: true,
  },
  {
    name: 'a Whisper stored in 8 bits',
    dtype: 'q8',
    write: (dir) => writeWhisper(dir, { ...multilingual, stored: 'int8', seed: 5 }),
    sounds: [{ from: 0.3, to: 2.8, language: 'de' }],
    isWhisper: true,
  },
  {
    name: 'a Whisper stored in 16 bits',
    dtype: 'fp16',
    write: (dir) => writeWhisper(dir, { ...multilingual, stored: 'fp16' }),
    sounds: [{ from: 0.3, to: 2.8, language: 'de' }],
    isWhisper: true,
  },
  ...(['fp32', 'int8', 'fp16'] as const).map(
    (stored): Case => ({
      name: `a Moonshine stored as ${stored}`,
      dtype: stored === 'int8' ? 'q8' : stored,
      write: (dir) => writeMoonshine(dir, { stored, isMerged: true, seed: 4 }),
      sounds: [
        { from: 0.3, to: 2.8 },
        { from: 3.3, to: 3.8 },
        { from: 0, to: 10.9 },
      ],
      isWhisper: false,
    }),
  ),
  {
    name: "a Whisper of tiny.en's shapes, with its vocabulary",
    dtype: 'fp32',
    write: (dir) =>
      writeWhisper(dir, {
        ...multilingual,
        isMultilingual: false,
        positions: 1500,
        seed: 6,
        tokenizer: storedTokenizer(),
        timestamps: 1501,
        shape: {
          size: 384,
          heads: 6,
          encoderLayers: 4,
          decoderLayers: 4,
          targetPositions: 448,
          vocabulary: 51_864,
          isTied: true,
        },
      }),
    sounds: [{ from: 0.3, to: 0.8 }],
    isWhisper: true,
  },
]

const dir = mkdtempSync(join(tmpdir(), 'landline-transformers-'))
const speech = resample(jfk(), 8000, 16_000)
/** As long as the demo model's window without the silence that is put behind shorter sound. */
const demoSounds = ['held-018-awb.wav', 'held-004-en-us.wav', 'free-023-slt.wav'].map((file) => {
  const sound = new Int16Array(16_000 * 9.7)
  sound.set(resample(heardByTelephone(file), 8000, 16_000).subarray(0, sound.length))
  return sound
})
const answers = new Map<string, TransformersAnswer>()
afterAll(() => rmSync(dir, { recursive: true }))

function writeSound(samples: Int16Array, name: string): string {
  const path = join(dir, `${name}.f32`)
  writeFileSync(
    path,
    Float32Array.from(samples, (sample) => sample / 32768),
  )
  return path
}

function cut({ from, to }: { from: Seconds; to: Seconds }): Int16Array {
  return speech.slice(from * 16_000, to * 16_000)
}

/** The most tokens that ours writes for a sound. */
function mostTokens(samples: Int16Array, isWhisper: boolean): number {
  const seconds = samples.length / 16_000
  return isWhisper ? 16 + Math.ceil(15 * seconds) : 6 + Math.ceil(6.5 * seconds)
}

function jobOf(each: Case, i: number): TransformersJob {
  const model = join(dir, String(i))
  each.write(model)
  const sounds = each.sounds.map((sound, k) => ({
    file: writeSound(cut(sound), `${i}-${k}`),
    mostTokens: mostTokens(cut(sound), each.isWhisper),
    most: 96 / 2 - 1,
    ...(each.isWhisper && { featuresTo: join(dir, `${i}-${k}.features`) }),
    ...(sound.language && { language: sound.language }),
    ...(sound.prompt && { prompt: sound.prompt }),
  }))
  return { dir: model, dtype: each.dtype, sounds, texts: TEXTS }
}

beforeAll(async () => {
  const demo: TransformersJob = {
    dir: DEMO,
    dtype: 'fp32',
    sounds: demoSounds.map((sound, i) => ({
      file: writeSound(sound, `demo-${i}`),
      mostTokens: 62,
    })),
    texts: TEXTS,
  }
  const jobs = [...CASES.map(jobOf), demo]
  const given = await askTransformers(dir, jobs)
  for (const [i, answer] of given.entries()) answers.set(CASES[i]?.name ?? 'the demo model', answer)
}, 180_000)

function load(i: number | string): SpeechModel {
  const model = typeof i === 'string' ? i : join(dir, String(i))
  return loadSpeechModel(openRuntime(sharedDataDir()), directorySource(model), { threads: 1 })
}

/** Our tokens and text. */
function hear(model: SpeechModel, samples: Int16Array, o: { language?: string; prompt?: string }) {
  const memory = new SoundMemory()
  const { text } = model.recognise(samples, { ...o, isAborted: () => false, memory })
  return { tokens: memory.drafts[0] ?? [], text }
}

/** Their tokens, without prompt and end. */
function written(ids: readonly number[], end: number, prompt: number): number[] {
  const tokens = ids.slice(prompt)
  return tokens.at(-1) === end ? tokens.slice(0, -1) : tokens
}

function endOf(i: number): number {
  const path = join(dir, String(i), 'generation_config.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { eos_token_id: number }).eos_token_id
}

describe.each(CASES.map((each, i) => ({ ...each, i })))(
  '$name, beside @huggingface/transformers',
  ({ name, i, sounds, isWhisper }) => {
    it('is written the same tokens by', () => {
      const model = load(i)
      const { heard } = answers.get(name) as TransformersAnswer
      for (const [k, sound] of sounds.entries()) {
        const ours = hear(model, cut(sound), sound)
        const theirs = heard[k] as TransformersAnswer['heard'][number]
        const prompt = theirs.ids.length - ours.tokens.length
        const tail = theirs.ids.at(-1) === endOf(i) ? 1 : 0
        expect(ours.tokens.length, `sound ${k}`).toBeGreaterThan(1)
        expect(written(theirs.ids, endOf(i), prompt - tail)).toEqual(ours.tokens)
        // Nothing of theirs is left over before it but the prompt.
        expect(prompt - tail).toBe(promptLength(theirs.ids, i, isWhisper))
      }
      model.release()
    })
  },
)

describe("Whisper's features, beside @huggingface/transformers", () => {
  it.each(CASES.map((each, i) => ({ ...each, i })).filter(({ isWhisper }) => isWhisper))(
    'are the same for $name',
    ({ name, sounds, i }) => {
      const bands = name.includes('128') ? 128 : 80
      for (const [k, sound] of sounds.entries()) {
        const file = readFileSync(join(dir, `${i}-${k}.features`))
        const theirs = new Float32Array(
          file.buffer.slice(file.byteOffset, file.byteOffset + file.length),
        )
        const ours = new LogMel(bands).compute(cut(sound), theirs.length / bands)
        let most = 0
        for (const [at, value] of theirs.entries())
          most = Math.max(most, Math.abs(value - (ours[at] as number)))
        expect(most).toBeLessThan(1e-5)
      }
    },
  )
})

/** Up to the token that ends Whisper's prompt, or Moonshine's start. */
function promptLength(ids: readonly number[], i: number, isWhisper: boolean): number {
  if (!isWhisper) return 1
  const path = join(dir, String(i), 'generation_config.json')
  const { no_timestamps_token_id: last } = JSON.parse(readFileSync(path, 'utf8')) as {
    no_timestamps_token_id: number
  }
  return ids.indexOf(last) + 1
}

describe('the demo model, beside @huggingface/transformers', () => {
  it('is heard to say the same', () => {
    const model = load(DEMO)
    const { heard } = answers.get('the demo model') as TransformersAnswer
    for (const [k, sound] of demoSounds.entries()) {
      const ours = hear(model, sound, {})
      const { ids, text } = heard[k] as TransformersAnswer['heard'][number]
      expect(ours.tokens.length).toBeGreaterThan(3)
      expect(written(ids, 959, 2)).toEqual(ours.tokens)
      expect(ours.text).toBe(text.trim())
    }
  })

  it('has its texts cut into the same tokens', () => {
    const content: unknown = JSON.parse(readFileSync(join(DEMO, 'tokenizer.json'), 'utf8'))
    const { encode, decode } = createTokenizer(content)
    const { encoded } = answers.get('the demo model') as TransformersAnswer
    expect(TEXTS.map(encode)).toEqual(encoded)
    for (const text of TEXTS) expect(decode(encode(text))).toBe(text)
  })
})

describe("Whisper's own vocabulary, beside @huggingface/transformers", () => {
  it('has English texts cut into the same tokens', () => {
    const last = CASES.length - 1
    const path = join(dir, String(last), 'tokenizer.json')
    const { encode } = createTokenizer(JSON.parse(readFileSync(path, 'utf8')))
    const { encoded } = answers.get(CASES[last]?.name ?? '') as TransformersAnswer
    for (const i of [0, 2]) expect(encode(TEXTS[i] as string)).toEqual(encoded[i])
    expect(encode(' Hello world')).toEqual([18435, 995])
  })
})

describe('models stored in other ways', () => {
  it.each([
    ['as two decoders', { isMerged: false }],
    ['in 16 bits, in and out', { stored: 'all fp16' }],
    ['as two decoders in 16 bits', { stored: 'all fp16', isMerged: false }],
  ] as const)('are heard the same: %s', (_, change) => {
    for (const write of ['Whisper', 'Moonshine'] as const) {
      const make = (to: string, o: Partial<WhisperExport>): SpeechModel => {
        const export_ = { ...multilingual, ...o }
        if (write === 'Whisper') writeWhisper(to, export_)
        else writeMoonshine(to, export_)
        return load(to)
      }
      const samples = cut({ from: 0.3, to: 2.8 })
      const plain = make(join(dir, `${write}-plain`), {})
      const other = make(join(dir, `${write}-${JSON.stringify(change)}`), change)
      const { tokens } = hear(other, samples, { language: 'de' })
      expect(tokens.length).toBeGreaterThan(1)
      expect(tokens).toEqual(hear(plain, samples, { language: 'de' }).tokens)
    }
  })

  it('guess a language that they do not know, and say so', () => {
    const model = load(0)
    const o = { isAborted: () => false }
    const samples = cut({ from: 0.3, to: 2.8 })
    const guessed = model.recognise(samples, o)
    expect(guessed.fallback).toBeNull()
    const known = ['en', 'de', 'fr', 'no', 'ja'].map(
      (language) => model.recognise(samples, { ...o, language }).text,
    )
    expect(known).toContain(guessed.text)
    expect(new Set(known).size).toBeGreaterThan(2)
    expect(model.recognise(samples, { ...o, language: 'tlh' })).toEqual({
      ...guessed,
      fallback: "the speech-to-text model does not know 'tlh': it guesses the language",
    })
  })
})
