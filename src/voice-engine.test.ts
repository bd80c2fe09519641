import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from '../test/kit/config.ts'
import { SimClock } from '../test/kit/sim-clock.ts'
import { writeKokoroModel, writePiperVoice } from '../test/kit/voice-models.ts'
import { silentLog } from './core/log.ts'
import { createVoice } from './voice-engine.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function setup(toml = '') {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-engine-'))
  made.push(dataDir)
  const models = join(dataDir, 'models')
  mkdirSync(models)
  const warned: unknown[] = []
  const log = { ...silentLog, warn: (_: string, fields?: object) => void warned.push(fields) }
  const { config } = parse({ toml: `[speech.tts]\n${toml}` })
  const voice = () => createVoice({ ...config, dataDir }, { clock: new SimClock(), log })
  const first = () => {
    const { engine, id } = voice().voices()[0] ?? { engine: 'none', id: '' }
    return `${engine} ${id}`
  }
  return { models, warned, voice, first }
}

const kokoro = (models: string) => writeKokoroModel(join(models, 'kokoro'))
const piper = (models: string) => writePiperVoice(join(models, 'amy'), 'en_US-amy-low')

describe('the voice without a word in the configuration', () => {
  it('is the best that is installed, else Flite', () => {
    const kit = setup()
    expect(kit.first()).toBe('flite slt')
    piper(kit.models)
    expect(kit.first()).toBe('piper en_US-amy-low')
    kokoro(kit.models)
    expect(kit.first()).toBe('kokoro af_heart')
  })

  it('passes over a model that is not whole, and says why', async () => {
    const kit = setup()
    kokoro(kit.models)
    truncateSync(join(kit.models, 'kokoro/onnx/model.onnx'), 400)
    expect(kit.first()).toBe('flite slt')
    expect(kit.warned).toMatchObject([
      { engine: 'kokoro', reason: expect.stringContaining('model.onnx is truncated') },
    ])
    expect(await kit.voice().probe()).toMatchObject({
      state: 'ready',
      reason:
        'Flite, voice slt, built in; better, but not used: models/kokoro/onnx/model.onnx is truncated',
    })
  })

  it('is that of the engine which has the voice that is named', () => {
    const kit = setup('voice = "rms"')
    kokoro(kit.models)
    expect(kit.first()).toBe('flite rms')
    expect(() => setup('voice = "nobody"').voice()).toThrow('Flite has no such voice')
  })

  it('is that of the model that is named', () => {
    const kit = setup('model = "amy"')
    kokoro(kit.models)
    piper(kit.models)
    expect(kit.first()).toBe('piper en_US-amy-low')
    expect(() => setup('model = "nowhere"').voice()).toThrow(/^speech\.tts\.model = "nowhere": /)
  })

  it('is a server where one is named', () => {
    expect(setup('url = "http://127.0.0.1:1"\nvoice = "nova"').first()).toBe('openai nova')
  })
})

describe('the voice of a configured engine', () => {
  it('stays that engine, and says what is missing', async () => {
    const kit = setup('engine = "piper"')
    kokoro(kit.models)
    expect(kit.first()).toBe('none ')
    expect(await kit.voice().probe()).toMatchObject({
      state: 'missing',
      reason: 'no voice of Piper is installed',
    })
  })
})
