import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { demoSource } from './demo-model.ts'
import { directorySource, readWhisperFiles } from './model-files.ts'

const demo = join(import.meta.dirname, '../../../models/demo')
const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** A copy of the demo model, changed by `change`. */
function setup(change: (dir: string) => void = () => {}) {
  const dir = mkdtempSync(join(tmpdir(), 'landline-model-'))
  made.push(dir)
  cpSync(demo, dir, { recursive: true })
  change(dir)
  return { dir, read: () => readWhisperFiles(directorySource(dir)) }
}

function edit(dir: string, name: string, values: Record<string, unknown>): void {
  const path = join(dir, name)
  const content = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...content, ...values }))
}

describe('the files of a Whisper model', () => {
  it('are the same from a directory and embedded', () => {
    const { settings } = setup().read()
    expect(settings).toEqual(readWhisperFiles(demoSource()).settings)
    expect(settings).toMatchObject({ melBands: 80, sourcePositions: 500, vocabularySize: 968 })
    expect(settings.tokens).toMatchObject({
      start: 960,
      end: 959,
      noTimestamps: 967,
      noSpeech: 966,
    })
  })

  it.each([
    'config.json',
    'generation_config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    'onnx/encoder_model.onnx',
    'onnx/decoder_model_merged.onnx',
  ])('are named when missing or truncated: %s', (name) => {
    expect(setup((dir) => rmSync(join(dir, name))).read).toThrow(`${name} is missing`)
    const truncated = setup((dir) => truncateSync(join(dir, name), 150))
    expect(truncated.read).toThrow(`${join(truncated.dir, name)} is truncated`)
    expect(setup((dir) => truncateSync(join(dir, name), 0)).read).toThrow(name)
  })

  it('are named when they are something else', () => {
    const web = '<html>'.repeat(100)
    for (const name of ['config.json', 'tokenizer.json', 'onnx/encoder_model.onnx'])
      expect(setup((dir) => writeFileSync(join(dir, name), web)).read).toThrow(name)
    expect(setup((dir) => writeFileSync(join(dir, 'config.json'), '[1]')).read).toThrow(
      /config\.json is no JSON object/,
    )
    expect(
      setup((dir) => {
        rmSync(join(dir, 'config.json'))
        mkdirSync(join(dir, 'config.json'))
      }).read,
    ).toThrow(/config\.json cannot be read/)
  })

  it.each([
    ['config.json', { model_type: 'bert' }, /config\.json: model_type is 'bert'/],
    ['config.json', { d_model: undefined }, /config\.json: d_model is missing/],
    ['config.json', { decoder_layers: 'two' }, /config\.json: decoder_layers is "two"/],
    ['config.json', { vocab_size: 100 }, /tokenizer\.json: has 968 tokens/],
    ['preprocessor_config.json', { sampling_rate: 8000 }, /sampling_rate is 8000/],
    ['preprocessor_config.json', { feature_size: 128 }, /feature_size is 128, Whisper's is 80/],
    ['generation_config.json', { eos_token_id: 5000 }, /eos_token_id is 5000/],
    ['tokenizer.json', { model: null }, /tokenizer\.json has no 'model\.vocab'/],
  ])('are refused when %s says %o', (name, values, message) => {
    expect(setup((dir) => edit(dir, name, values)).read).toThrow(message)
  })

  it('name the languages of a model that knows several', () => {
    const { read } = setup((dir) =>
      edit(dir, 'generation_config.json', {
        is_multilingual: true,
        lang_to_id: { '<|en|>': 961, '<|de|>': 962, nonsense: 3, '<|fr|>': -1 },
        task_to_id: { transcribe: 963 },
        begin_suppress_tokens: [220, 'x', 959],
      }),
    )
    const { tokens } = read().settings
    expect([...tokens.languages]).toEqual([
      ['en', 961],
      ['de', 962],
    ])
    expect(tokens.transcribe).toBe(963)
    expect(tokens.suppressedFirst).toEqual([220, 959])
  })

  it('name more than one text of an older model in config.json and in its tokenizer', () => {
    const { read } = setup((dir) => {
      edit(dir, 'config.json', {
        suppress_tokens: [1, 2],
        forced_decoder_ids: [[1, null], [2, 963], [3, 967], ['x', 1], 7, [4, 5000]],
      })
      edit(dir, 'generation_config.json', {
        suppress_tokens: null,
        is_multilingual: true,
        no_timestamps_token_id: undefined,
      })
    })
    const { tokens } = read().settings
    expect(tokens.suppressed).toEqual([1, 2])
    expect([...tokens.forced]).toEqual([
      [2, 963],
      [3, 967],
    ])
    expect([...tokens.languages]).toEqual([['en', 961]])
    expect(tokens).toMatchObject({ noTimestamps: 967, previous: 965, transcribe: 963 })
  })

  const parts = ['encoder_model', 'decoder_model_merged']
  it.each([
    ['cpu', ['_fp16', '_quantized'], '_quantized'],
    ['cpu', ['_fp16', '_q4'], '_q4'],
    ['cpu', ['', '_fp16', '_quantized'], ''],
    ['cpu', ['_fp16'], '_fp16'],
    ['cuda', ['', '_fp16', '_quantized'], '_fp16'],
    ['cuda', ['_quantized'], '_quantized'],
  ] as const)('are taken on %s, of those stored as %o: %s', (device, stored, taken) => {
    const { dir } = setup((each) => {
      for (const part of parts) {
        const from = join(each, `onnx/${part}.onnx`)
        for (const suffix of stored)
          if (suffix !== '') cpSync(from, join(each, `onnx/${part}${suffix}.onnx`))
        if (!(stored as readonly string[]).includes('')) rmSync(from)
      }
    })
    const files = readWhisperFiles(directorySource(dir, device))
    expect(files.encoder).toBe(join(dir, `onnx/encoder_model${taken}.onnx`))
    expect(files.decoder).toEqual({
      merged: join(dir, `onnx/decoder_model_merged${taken}.onnx`),
    })
  })

  it('may hold two decoders in place of the merged one', () => {
    const move = (dir: string, names: readonly string[]): void => {
      const merged = join(dir, 'onnx/decoder_model_merged.onnx')
      for (const name of names) cpSync(merged, join(dir, `onnx/${name}.onnx`))
      rmSync(merged)
    }
    const two = setup((dir) => move(dir, ['decoder_model', 'decoder_with_past_model']))
    expect(two.read().decoder).toEqual({
      first: join(two.dir, 'onnx/decoder_model.onnx'),
      later: join(two.dir, 'onnx/decoder_with_past_model.onnx'),
    })
    expect(setup((dir) => move(dir, ['decoder_with_past_model'])).read).toThrow(
      /decoder_model\.onnx is missing/,
    )
    expect(setup((dir) => move(dir, ['decoder_model'])).read).toThrow(
      /decoder_model_merged\.onnx is missing/,
    )
  })

  it('may be stored in 8 bits instead', () => {
    const { read, dir } = setup((dir) => {
      const from = join(dir, 'onnx/encoder_model.onnx')
      cpSync(from, join(dir, 'onnx/encoder_model_quantized.onnx'))
      rmSync(from)
    })
    expect(read().encoder).toBe(join(dir, 'onnx/encoder_model_quantized.onnx'))
  })
})
