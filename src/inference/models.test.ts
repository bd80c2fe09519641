import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sharedDataDir } from '../../test/kit/speech.ts'
import { writeMoonshine } from '../../test/kit/speech-export.ts'
import { writeTurnModel } from '../../test/kit/turn-models.ts'
import { chooseWhisper, listModels, verifyModels } from './models.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function setup() {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-models-'))
  made.push(dataDir)
  const install = (id: string): string => {
    const dir = join(dataDir, 'models', id)
    mkdirSync(dir, { recursive: true })
    cpSync(join(import.meta.dirname, '../../models/demo'), dir, { recursive: true })
    return dir
  }
  return { dataDir, install }
}

describe('the models', () => {
  it('are known before any is installed, the demo model not among them', () => {
    const { dataDir } = setup()
    const models = listModels(join(dataDir, 'nowhere'))
    expect(models.map(({ id }) => id)).toContain('whisper-base.en')
    expect(models.some(({ installed }) => installed)).toBe(false)
    expect(models.some(({ id }) => id === 'demo')).toBe(false)
    expect(models[0]).toEqual({
      id: 'whisper-large-v3-turbo',
      engine: 'whisper',
      installed: false,
      sizeBytes: 0,
    })
  })

  it('may be Moonshines, which the engine whisper runs too', () => {
    const { dataDir } = setup()
    const dir = join(dataDir, 'models/my-moonshine')
    writeMoonshine(dir, { stored: 'int8', isMerged: true, seed: 4 })
    symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
    const id = 'my-moonshine'
    expect(listModels(dataDir).at(-1)).toMatchObject({ id, engine: 'whisper', installed: true })
    expect(chooseWhisper(dataDir, null)).toEqual({ id, dir })
    expect(verifyModels(dataDir)).toEqual([{ id, ok: true, problem: null }])
    truncateSync(join(dir, 'onnx/decoder_model_merged_quantized.onnx'), 5000)
    expect(verifyModels(dataDir)[0]?.problem).toBe(
      `${dir}/onnx/decoder_model_merged_quantized.onnx is truncated`,
    )
  })

  it('are listed with their size once installed, those that nobody knows too', () => {
    const { dataDir, install } = setup()
    install('whisper-tiny.en')
    install('my-model')
    install('demo')
    mkdirSync(join(dataDir, 'models/notes'))
    writeFileSync(join(dataDir, 'models/readme.txt'), '')
    const listed = listModels(dataDir).filter(({ installed }) => installed)
    expect(listed.map(({ id, engine }) => [id, engine])).toEqual([
      ['whisper-tiny.en', 'whisper'],
      ['my-model', 'whisper'],
      ['notes', 'unknown'],
    ])
    expect(listed[0]?.sizeBytes).toBeGreaterThan(4_000_000)
  })

  it('are verified by loading them', () => {
    const { dataDir, install } = setup()
    symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
    install('whisper-tiny.en')
    truncateSync(join(install('whisper-base.en'), 'onnx/encoder_model.onnx'), 1_000_000)
    const mixed = join(install('whisper-small.en'), 'onnx/decoder_model_merged.onnx')
    cpSync(join(import.meta.dirname, '../../models/silero_vad.onnx'), mixed)
    mkdirSync(join(dataDir, 'models/notes'))
    expect(verifyModels(dataDir)).toEqual([
      { id: 'whisper-small.en', ok: false, problem: expect.stringContaining(`${mixed} is no`) },
      { id: 'whisper-base.en', ok: false, problem: expect.stringContaining('is truncated') },
      { id: 'whisper-tiny.en', ok: true, problem: null },
      { id: 'notes', ok: false, problem: expect.stringContaining('holds no model') },
    ])
  })
})

describe('the turn model', () => {
  it('is verified by loading it, and one that is foreign or truncated is told', () => {
    const { dataDir } = setup()
    symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
    const path = join(dataDir, 'models/smart-turn/smart-turn-v3.2-cpu.onnx')
    const verified = () => verifyModels(dataDir)
    writeTurnModel(path)
    expect(verified()).toEqual([{ id: 'smart-turn', ok: true, problem: null }])
    truncateSync(path, 300)
    expect(verified()[0]?.problem).toBe(`${path} is truncated`)
    cpSync(join(import.meta.dirname, '../../models/silero_vad.onnx'), path)
    expect(verified()[0]?.problem).toContain(`${path} is no Smart Turn`)
  })
})

describe('models that were pinned', () => {
  it('are verified byte by byte', () => {
    const { dataDir, install } = setup()
    symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
    const dir = install('whisper-tiny.en')
    const config = join(dir, 'config.json')
    const sha256 = new Bun.CryptoHasher('sha256').update(readFileSync(config)).digest('hex')
    const pin = (size: number): void =>
      writeFileSync(
        join(dataDir, 'models/models.lock.json'),
        JSON.stringify({
          models: {
            'whisper-tiny.en': {
              repo: null,
              revision: null,
              files: { 'config.json': { size, sha256 } },
            },
          },
        }),
      )
    const { size } = statSync(config)
    pin(size)
    expect(verifyModels(dataDir)).toEqual([{ id: 'whisper-tiny.en', ok: true, problem: null }])
    const other = readFileSync(config, 'utf8').replace('\n', ' ')
    writeFileSync(config, other)
    expect(verifyModels(dataDir)[0]?.problem).toBe(
      `${config} is not what it was when it was installed`,
    )
    pin(size + 1)
    expect(verifyModels(dataDir)[0]?.problem).toContain(`it had ${size + 1} when it was installed`)
  })
})

describe('the choice of a Whisper model', () => {
  it('is the best installed unless one is named', () => {
    const { dataDir, install } = setup()
    install('whisper-tiny.en')
    install('whisper-small')
    install('zebra')
    expect(chooseWhisper(dataDir, null)).toEqual({
      id: 'whisper-small',
      dir: join(dataDir, 'models/whisper-small'),
    })
    expect(chooseWhisper(dataDir, 'zebra')).toMatchObject({ id: 'zebra' })
  })

  it('is the demo model only by name', () => {
    const { dataDir, install } = setup()
    install('demo')
    expect(chooseWhisper(dataDir, null)).toMatchObject({ id: null })
    expect(chooseWhisper(dataDir, 'demo')).toEqual({ id: 'demo', dir: null })
  })

  it('says what to do when there is none', () => {
    const { dataDir } = setup()
    expect(chooseWhisper(dataDir, null)).toEqual({
      id: null,
      reason: 'no speech-to-text model is installed',
      mend: 'landline models pull whisper-base.en',
    })
    expect(chooseWhisper(dataDir, 'mine')).toMatchObject({
      mend: 'landline models import the directory of mine, then: landline models verify',
    })
    expect(chooseWhisper(dataDir, '../../etc')).toMatchObject({
      reason: "the speech-to-text model '../../etc' is not installed",
      mend: 'landline models list',
    })
  })
})
