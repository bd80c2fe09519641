import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { jfk, sharedDataDir } from '../../../test/kit/speech.ts'
import { writeMoonshine, writeWhisper } from '../../../test/kit/speech-export.ts'
import { resample } from '../../core/resample.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { loadSpeechModel } from '../speech-model-files.ts'
import { directorySource } from '../whisper/model-files.ts'
import { SoundMemory } from '../whisper/speech-model.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

const speech = resample(jfk(), 8000, 16_000)
const o = { isAborted: () => false }

/** A model of random weights, changed by `change`. */
function setup(change: (dir: string) => void = () => {}) {
  const dir = mkdtempSync(join(tmpdir(), 'landline-moonshine-'))
  made.push(dir)
  writeMoonshine(dir, { stored: 'fp32', isMerged: true, seed: 4 })
  change(dir)
  const load = () =>
    loadSpeechModel(openRuntime(sharedDataDir()), directorySource(dir), { threads: 1 })
  return { dir, load }
}

function edit(dir: string, name: string, values: Record<string, unknown>): void {
  const path = join(dir, name)
  const content = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...content, ...values }))
}

describe('Moonshine', () => {
  it('takes sound of any length, however short', () => {
    const model = setup().load()
    for (const length of [1, 100, 1000, 16_000])
      expect(typeof model.recognise(speech.slice(5000, 5000 + length), o).text).toBe('string')
  })

  it('writes nothing for silence', () => {
    const model = setup().load()
    for (const samples of [new Int16Array(0), new Int16Array(20_000).fill(100)])
      expect(model.recognise(samples, o)).toEqual({ text: '', noSpeech: 1, fallback: null })
  })

  it('writes no more than can be said in the time, twice that in other languages', () => {
    const model = setup().load()
    const count = (language: string): number => {
      const memory = new SoundMemory()
      model.recognise(speech.slice(5000, 5000 + 40_000), { ...o, language, memory })
      return memory.drafts[0]?.length ?? 0
    }
    expect(count('en-GB')).toBe(6 + 17)
    expect(count('ja')).toBeGreaterThan(6 + 17)
    expect(count('ja')).toBeLessThanOrEqual(6 + 33)
  })

  it('hears an utterance that grows as it hears the whole', () => {
    const model = setup().load()
    const memory = new SoundMemory()
    for (let to = 8000; to < 60_000; to += 8000)
      expect(model.recognise(speech.slice(0, to), { ...o, memory }).text).toBe(
        model.recognise(speech.slice(0, to), o).text,
      )
  })

  it('hears sound of more than half a minute in parts', () => {
    const model = setup().load()
    const long = new Int16Array(16_000 * 40)
    for (let at = 0; at + speech.length < long.length; at += speech.length) long.set(speech, at)
    const memory = new SoundMemory()
    model.recognise(long, { ...o, memory })
    expect(memory.drafts).toHaveLength(2)
  })

  it('stops between two steps when aborted', () => {
    let asked = 0
    const isAborted = (): boolean => ++asked > 3
    expect(() => setup().load().recognise(speech, { isAborted })).toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    )
    expect(asked).toBe(4)
  })
})

describe('the files of a Moonshine model', () => {
  it.each([
    'generation_config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    'onnx/encoder_model.onnx',
    'onnx/decoder_model_merged.onnx',
  ])('are named when missing or truncated: %s', (name) => {
    expect(setup((dir) => rmSync(join(dir, name))).load).toThrow(`${name} is missing`)
    const truncated = setup((dir) => truncateSync(join(dir, name), 30))
    expect(truncated.load).toThrow(`${join(truncated.dir, name)} is truncated`)
  })

  it.each([
    ['config.json', { hidden_size: undefined }, /config\.json: hidden_size is missing/],
    ['config.json', { decoder_num_hidden_layers: 'x' }, /decoder_num_hidden_layers is "x"/],
    ['config.json', { hidden_size: 64 }, /encoder_model\.onnx gives .*, not Moonshine's shape/],
    ['config.json', { decoder_num_hidden_layers: 3 }, /has no input past_key_values\.2/],
    ['config.json', { vocab_size: 100 }, /tokenizer\.json: has \d+ tokens/],
    ['config.json', { model_type: 'bert' }, /model_type is 'bert'/],
    ['preprocessor_config.json', { sampling_rate: 8000 }, /sampling_rate is 8000/],
    ['generation_config.json', { eos_token_id: 5000 }, /eos_token_id is 5000/],
  ])('are refused when %s says %o', (name, values, message) => {
    expect(setup((dir) => edit(dir, name, values)).load).toThrow(message)
  })

  it("are refused with a Whisper's inside", () => {
    const whisper = mkdtempSync(join(tmpdir(), 'landline-whisper-'))
    made.push(whisper)
    const shape = { stored: 'fp32', isMerged: true, seed: 1 } as const
    writeWhisper(whisper, { ...shape, positions: 150, isMultilingual: false })
    const swap = (name: string) =>
      setup((dir) => writeFileSync(join(dir, name), readFileSync(join(whisper, name)))).load
    expect(swap('onnx/encoder_model.onnx')).toThrow(/is no Moonshine encoder/)
    const load = swap('onnx/decoder_model_merged.onnx')
    expect(() => load().recognise(speech.slice(5000, 20_000), o)).toThrow(
      /decoder_model_merged\.onnx gives logits of float32/,
    )
  })
})
