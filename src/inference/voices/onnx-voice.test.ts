import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sharedDataDir } from '../../../test/kit/speech.ts'
import { writeKokoroModel, writePiperVoice } from '../../../test/kit/voice-models.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { rms, toMs } from '../../core/pcm.ts'
import { verifyModels } from '../models.ts'
import { openRuntime } from '../onnx/runtime.ts'
import { findEspeak } from './espeak.ts'
import { createOnnxVoice, type OnnxVoiceDeps } from './onnx-voice.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

/** Without espeak-ng unless asked for: it is not on every machine. */
function setup(
  install: (models: string) => void,
  o: Partial<Pick<OnnxVoiceDeps, 'engine' | 'model' | 'voice' | 'espeak'>> = {},
) {
  // The runtime is unpacked once for all tests.
  openRuntime(sharedDataDir())
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-voices-'))
  made.push(dataDir)
  symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
  const models = join(dataDir, 'models')
  mkdirSync(models)
  install(models)
  const voice = createOnnxVoice({
    clock: systemClock,
    log: silentLog,
    dataDir,
    engine: 'kokoro',
    model: null,
    voice: null,
    espeak: null,
    threads: 1,
    ...o,
  })
  const speak = (
    text: string,
    more: { voice?: string; language?: string; rateHz?: number; signal?: AbortSignal } = {},
  ) => voice.speak({ text, rateHz: 8000, signal: new AbortController().signal, ...more })
  const all = (text: string, more: Parameters<typeof speak>[1] = {}) =>
    Array.fromAsync(speak(text, more))
  return { voice, speak, all, dataDir, models, [Symbol.asyncDispose]: () => voice.stop() }
}

const kokoro = (models: string): void => writeKokoroModel(join(models, 'kokoro'))
const piper = (models: string): void => writePiperVoice(join(models, 'p'), 'en_US-x-medium')
const REPLY =
  'Thanks a lot for waiting, your large pepperoni for $18.50 is ready at 7:30 pm. Anything else today?'

describe.each([
  ['kokoro', kokoro, 24_000],
  ['piper', piper, 22_050],
] as const)('a voice of %s with random weights', (engine, install, modelRateHz) => {
  it('speaks a whole reply, the first clause first, in shared memory at the asked rate', async () => {
    await using kit = setup(install, { engine })
    const [low, high] = [await kit.all(REPLY), await kit.all(REPLY, { rateHz: modelRateHz })]
    expect(low).toHaveLength(3)
    expect(low[0]?.buffer).toBeInstanceOf(SharedArrayBuffer)
    for (const [i, clip] of low.entries()) {
      expect(rms(clip)).toBeGreaterThan(500)
      const ratio = (high[i]?.length ?? 0) / clip.length
      expect(ratio).toBeCloseTo(modelRateHz / 8000, 2)
    }
    expect(toMs(low[0]?.length ?? 0)).toBeLessThan(toMs(low[1]?.length ?? 0))
  })

  it('tells in its probe that it is ready, and how it comes by phonemes', async () => {
    await using kit = setup(install, { engine })
    const probe = await kit.voice.probe()
    expect(probe).toMatchObject({ name: 'text-to-speech', state: 'ready' })
    expect(probe.reason).toMatch(/phonemes by Flite's dictionary, English only$/)
  })

  it('ends between clips on abort', async () => {
    await using kit = setup(install, { engine })
    const stop = new AbortController()
    const heard: number[] = []
    const listen = async () => {
      for await (const clip of kit.speak(REPLY, { signal: stop.signal })) {
        heard.push(clip.length)
        stop.abort()
      }
    }
    await expect(listen()).rejects.toMatchObject({ name: 'AbortError' })
    expect(heard).toHaveLength(1)
  })

  it('has no clip for what nobody can say', async () => {
    await using kit = setup(install, { engine })
    expect(await kit.all('😀 …')).toEqual([])
  })
})

describe('voices of Kokoro', () => {
  it('are those whose files are whole and whose language can be spoken, the best first', async () => {
    await using kit = setup((models) => {
      writeKokoroModel(join(models, 'k'), [
        'am_adam',
        'af_heart',
        'bf_emma',
        'ff_siwis',
        'jf_alpha',
      ])
      truncateSync(join(models, 'k/voices/am_adam.bin'), 1000)
    })
    expect(kit.voice.voices()).toEqual([
      { id: 'af_heart', engine: 'kokoro', language: 'en-US', name: 'Heart, a woman' },
      { id: 'bf_emma', engine: 'kokoro', language: 'en-GB', name: 'Emma, a woman' },
    ])
  })

  it('sound each its own, and not the same for other words', async () => {
    await using kit = setup((models) =>
      writeKokoroModel(join(models, 'k'), ['af_heart', 'af_bella']),
    )
    const [heart] = await kit.all('Okay now.', { voice: 'af_heart' })
    const [bella] = await kit.all('Okay now.', { voice: 'af_bella' })
    const [other] = await kit.all('Yes indeed.', { voice: 'af_bella' })
    expect(bella?.length).toBe(heart?.length)
    expect(bella).not.toEqual(heart)
    expect(other).not.toEqual(bella)
  })

  it.skipIf(findEspeak() === null)('speak other languages where espeak-ng is', async () => {
    await using kit = setup((models) => writeKokoroModel(join(models, 'k'), ['ff_siwis']), {
      espeak: findEspeak(),
    })
    expect(kit.voice.voices()).toMatchObject([{ id: 'ff_siwis', language: 'fr-FR' }])
    expect(await kit.all('Bonjour, vous avez une table pour ce soir ?')).toHaveLength(1)
    expect((await kit.voice.probe()).reason).toMatch(/phonemes by espeak-ng$/)
  })
})

describe('voices of Piper', () => {
  it('are found at any depth, one for each speaker', async () => {
    await using kit = setup(
      (models) => {
        const deep = join(models, 'piper-voices/en/en_US/libri/high')
        writePiperVoice(deep, 'en_US-libri-high', { speakers: 2 })
        writePiperVoice(join(models, 'de'), 'de_DE-t-low', { language: 'de_DE', espeakVoice: 'de' })
      },
      { engine: 'piper', espeak: '/nowhere/espeak-ng' },
    )
    const voices = kit.voice.voices().map(({ id, language }) => `${id} ${language}`)
    expect(voices).toEqual([
      'de_DE-t-low de-DE',
      'en_US-libri-high#ann en-US',
      'en_US-libri-high#bob en-US',
    ])
  })

  it('speak as the speaker asked for', async () => {
    const install = (models: string) => writePiperVoice(`${models}/m`, 'two', { speakers: 2 })
    await using kit = setup(install, { engine: 'piper' })
    const [ann] = await kit.all('Okay now.', { voice: 'two#ann' })
    const [bob] = await kit.all('Okay now.', { voice: 'two#bob' })
    expect(ann?.length).toBe(bob?.length)
    expect(ann).not.toEqual(bob)
  })

  it('whose phonemes are letters need no espeak-ng in any language', async () => {
    const install = (models: string) =>
      writePiperVoice(join(models, 'm'), 'uk', { language: 'uk_UA', phonemeType: 'text' })
    await using kit = setup(install, { engine: 'piper' })
    expect(kit.voice.voices()).toMatchObject([{ id: 'uk', language: 'uk-UA' }])
    expect(await kit.all('salut toto')).toHaveLength(1)
  })

  it('that are lost while they speak fail with one sentence, and others go on', async () => {
    const install = (models: string) => {
      writePiperVoice(join(models, 'm'), 'one')
      writePiperVoice(join(models, 'm'), 'two')
    }
    await using kit = setup(install, { engine: 'piper' })
    expect(kit.voice.voices()).toHaveLength(2)
    rmSync(join(kit.models, 'm/one.onnx'))
    await expect(kit.all('Hello.', { voice: 'one' })).rejects.toThrow(
      /^Piper could not speak: .*one\.onnx is missing$/,
    )
    expect(await kit.all('Hello.', { voice: 'two' })).toHaveLength(1)
  })
})

describe('a model directory that is not whole', () => {
  const write = (name: string, content: string) => (dir: string) =>
    writeFileSync(join(dir, name), content)
  const cut = (name: string, size: number) => (dir: string) => truncateSync(join(dir, name), size)
  const drop = (name: string) => (dir: string) => rmSync(join(dir, name), { recursive: true })
  const foreign = (dir: string) => writePiperVoice(join(dir, 'x'), 'model')

  it.each([
    ['a tokenizer is missing', drop('tokenizer.json'), /tokenizer\.json is missing/],
    ['a tokenizer is cut', cut('tokenizer.json', 90), /tokenizer\.json is truncated or is no JSON/],
    [
      'a tokenizer is foreign',
      write('tokenizer.json', '{}'),
      /tokenizer\.json has no 'model.vocab'/,
    ],
    ['the model is missing', drop('onnx'), /onnx\/model\.onnx is missing/],
    ['the model is cut', cut('onnx/model.onnx', 500), /onnx\/model\.onnx is truncated/],
    [
      'the model is a pointer',
      write('onnx/model.onnx', 'version https://git-lfs'),
      /Git LFS pointer/,
    ],
    ['voices are missing', drop('voices'), /voices holds no whole voice file/],
    ['a voice is cut', cut('voices/af_heart.bin', 5), /voices holds no whole voice file/],
  ])('of Kokoro is told in one sentence: %s', async (_, spoil, sentence) => {
    await using kit = setup((models) => {
      kokoro(models)
      spoil(join(models, 'kokoro'))
    })
    const probe = await kit.voice.probe()
    expect(probe).toMatchObject({ state: 'missing', mend: 'landline models verify' })
    expect(probe.reason).toMatch(sentence)
    expect(probe.reason).not.toContain(kit.dataDir)
    await expect(kit.all('Hello.')).rejects.toThrow(sentence)
    expect(verifyModels(kit.dataDir)).toMatchObject([{ ok: false }])
  })

  it('of Kokoro whose model is another is told by what it lacks', async () => {
    await using kit = setup((models) => {
      kokoro(models)
      foreign(models)
      rmSync(join(models, 'kokoro/onnx/model.onnx'))
      symlinkSync(join(models, 'x/model.onnx'), join(models, 'kokoro/onnx/model.onnx'))
    })
    expect((await kit.voice.probe()).reason).toMatch(
      /model\.onnx is no Kokoro model: it has no input input_ids, style, speed$/,
    )
  })

  it.each([
    ['{', /x\.onnx\.json is truncated or is no JSON/],
    ['{"audio":{"sample_rate":1}}', /x\.onnx\.json is no Piper voice's: audio\.sample_rate/],
    ['{"audio":{"sample_rate":22050}}', /x\.onnx\.json is no Piper voice's: phoneme_id_map/],
  ])('of Piper is told in one sentence: %s', async (json, sentence) => {
    const install = (models: string): void => {
      writePiperVoice(join(models, 'm'), 'x')
      writeFileSync(join(models, 'm/x.onnx.json'), json)
    }
    await using kit = setup(install, { engine: 'piper' })
    expect((await kit.voice.probe()).reason).toMatch(sentence)
  })

  it('is told when there is none, with what to copy', async () => {
    await using kit = setup(() => {})
    expect(await kit.voice.probe()).toEqual({
      name: 'text-to-speech',
      state: 'missing',
      reason: 'no voice of Kokoro is installed',
      mend: expect.stringContaining('onnx-community/Kokoro-82M-v1.0-ONNX'),
    })
    expect(kit.voice.voices()).toEqual([])
  })

  it('is told when the configured voice is not among its voices', async () => {
    await using kit = setup(kokoro, { voice: 'af_nicole' })
    expect(await kit.voice.probe()).toMatchObject({
      state: 'missing',
      reason: 'Kokoro has no voice af_nicole; it has af_heart',
    })
  })

  it('is no trouble to whole ones: all load', async () => {
    await using kit = setup((models) => {
      kokoro(models)
      piper(models)
    })
    expect(verifyModels(kit.dataDir)).toEqual([
      { id: 'kokoro', ok: true, problem: null },
      { id: 'p', ok: true, problem: null },
    ])
  })
})
