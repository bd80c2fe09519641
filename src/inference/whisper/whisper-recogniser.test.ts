import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { heardByTelephone, sharedDataDir, writeFrames } from '../../../test/kit/speech.ts'
import { writeMoonshine } from '../../../test/kit/speech-export.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { Ring } from '../../core/ring.ts'
import { createWhisperRecogniser } from './whisper-recogniser.ts'

const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function setup(o: { model?: string | null; dataDir?: string; device?: 'cpu' | 'cuda' } = {}) {
  const workers: Worker[] = []
  const warnings: unknown[] = []
  const recogniser = createWhisperRecogniser({
    clock: systemClock,
    log: { ...silentLog, warn: (_, fields) => void warnings.push(fields?.reason) },
    ...(o.device && { device: o.device }),
    dataDir: o.dataDir ?? sharedDataDir(),
    model: o.model === undefined ? 'demo' : o.model,
    spawn() {
      const worker = new Worker(new URL('./stt-worker.ts', import.meta.url).href)
      workers.push(worker)
      return worker
    },
  })
  stops.push(() => recogniser.stop())
  const ears = Ring.create(8000, 20)
  writeFrames(ears, new Int16Array(4000))
  const speech = heardByTelephone('held-018-awb.wav')
  writeFrames(ears, speech)
  const ask = (signal = new AbortController().signal, language = 'en') =>
    recogniser.recognise({ ears, from: 4000, to: 4000 + speech.length, language, signal })
  return { recogniser, ears, ask, workers, warnings }
}

/** A data directory with the runtime of all tests and the demo model installed as `whisper-tiny.en`. */
function installed() {
  const dataDir = mkdtempSync(join(tmpdir(), 'landline-stt-'))
  stops.unshift(() => rmSync(dataDir, { recursive: true }))
  const dir = join(dataDir, 'models/whisper-tiny.en')
  mkdirSync(dir, { recursive: true })
  symlinkSync(join(sharedDataDir(), 'runtime'), join(dataDir, 'runtime'))
  cpSync(join(import.meta.dirname, '../../../models/demo'), dir, { recursive: true })
  return { dataDir, dir }
}

const TEXT = 'Thanks for calling customer service. What can I get for you?'

describe('the recogniser in its thread', () => {
  it('starts no thread before it is needed', () => {
    expect(setup().workers).toHaveLength(0)
  })

  it('recognises what stands in a ring', async () => {
    const { ask, workers } = setup()
    expect(await ask()).toEqual({
      text: TEXT,
      noSpeech: expect.closeTo(0, 1),
      logProbability: expect.closeTo(-0.2, 0),
    })
    expect(workers).toHaveLength(1)
  })

  it('answers several requests, each its own', async () => {
    const { recogniser, ears, ask } = setup()
    const { signal } = new AbortController()
    const silence = recogniser.recognise({ ears, from: 0, to: 3000, language: 'en', signal })
    const [first, second, third] = await Promise.all([ask(), silence, ask()])
    expect([first.text, second.text, third.text]).toEqual([TEXT, '', TEXT])
  })

  it('has nothing to write for sound that is not there', async () => {
    const { recogniser, ears } = setup()
    const { signal } = new AbortController()
    const beyond = { ears, from: 10_000_000, to: 10_008_000, language: 'en', signal }
    expect(await recogniser.recognise(beyond)).toEqual({ text: '', noSpeech: 1 })
  })

  it('rejects with AbortError at once, and goes on with the next', async () => {
    const { ask } = setup()
    const abort = new AbortController()
    const aborted = ask(abort.signal)
    const next = ask()
    abort.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    await expect(ask(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
    expect((await next).text).toBe(TEXT)
  })

  it('hears whole texts before partial ones, and the last partial one of each caller', async () => {
    const { recogniser, ears, ask } = setup()
    await ask()
    const { signal } = new AbortController()
    const order: string[] = []
    const other = Ring.create(8000, 20)
    writeFrames(other, heardByTelephone('held-000-slt.wav'))
    const request = (name: string, sound: Ring, partial: boolean): Promise<void> =>
      recogniser
        .recognise({ ears: sound, from: 0, to: 20_000, language: 'en', partial, signal })
        .then(
          () => void order.push(name),
          (error: Error) => void order.push(`${name}: ${error.name}`),
        )
    await Promise.all([
      request('first', ears, false),
      request('partial', other, true),
      request('later partial', other, true),
      request('whole', ears, false),
    ])
    expect(order).toEqual(['partial: AbortError', 'first', 'whole', 'later partial'])
  })

  it('stops a partial text for a whole one, and hears it afterwards', async () => {
    const { recogniser, ears, ask } = setup()
    await ask()
    const { signal } = new AbortController()
    const other = Ring.create(8000, 20)
    const speech = heardByTelephone('held-018-awb.wav')
    writeFrames(other, speech)
    const partial = recogniser.recognise({
      ears: other,
      from: 0,
      to: speech.length,
      partial: true,
      signal,
    })
    const whole = recogniser.recognise({ ears, from: 0, to: 4000 + speech.length, signal })
    const last = await Promise.all([whole.then(() => 'whole'), partial.then(() => 'partial')])
    expect(last).toEqual(['whole', 'partial'])
    expect((await partial).text).toBe(TEXT)
  })

  it('hears the whole of an utterance as if it had not heard its parts', async () => {
    const { recogniser, ears, ask } = setup()
    const { signal } = new AbortController()
    for (const to of [12_000, 20_000, 28_000])
      await recogniser.recognise({ ears, from: 4000, to, language: 'en', partial: true, signal })
    expect((await ask()).text).toBe(TEXT)
  })

  it('says once that it hears another language as English', async () => {
    const { ask, warnings } = setup()
    expect((await ask(undefined, 'fr')).text).toBe(TEXT)
    await ask(undefined, 'fr')
    expect(warnings).toEqual([
      "the speech-to-text model hears English only: 'fr' is heard as English",
    ])
  })

  it('rejects what was asked when the thread dies, and begins another with the next request', async () => {
    const { ask, workers } = setup()
    await ask()
    workers[0]?.postMessage({ type: 'end' })
    await expect(ask()).rejects.toThrow(/speech-to-text died: its thread ended/)
    expect((await ask()).text).toBe(TEXT)
    expect(workers).toHaveLength(2)
  })

  it('rejects what was asked when it is stopped', async () => {
    const { recogniser, ask } = setup()
    const asked = ask()
    void recogniser.stop()
    await expect(asked).rejects.toThrow(/was stopped/)
  })
})

describe('a thread that hangs', () => {
  it('is told as away by the probe, which does not wait for ever', async () => {
    const clock = new SimClock()
    const recogniser = createWhisperRecogniser({
      clock,
      log: silentLog,
      dataDir: sharedDataDir(),
      model: 'demo',
      spawn: () => new Worker(URL.createObjectURL(new Blob(['self.onmessage = () => {}']))),
    })
    const probe = recogniser.probe()
    await clock.advance(30_000)
    expect(await probe).toEqual({
      name: 'speech-to-text',
      state: 'away',
      reason: 'no answer within 30 s',
      mend: 'restart Landline when this stays',
    })
    const stopped = recogniser.stop()
    await clock.advance(3000)
    await stopped
  })
})

describe('which model it takes', () => {
  it('is the embedded one only where that is named', async () => {
    expect(await setup().recogniser.probe()).toEqual({
      name: 'speech-to-text',
      state: 'ready',
      reason: 'Whisper, model demo',
    })
    const { recogniser, ask } = setup({ model: null })
    expect(await recogniser.probe()).toMatchObject({
      state: 'missing',
      reason: 'no speech-to-text model is installed',
      mend: 'landline models pull whisper-base.en',
    })
    await expect(ask()).rejects.toThrow(
      /no speech-to-text model is installed: landline models pull/,
    )
  })

  it('is found once it is installed', async () => {
    const { dataDir, dir } = installed()
    rmSync(dir, { recursive: true })
    const { recogniser, ask } = setup({ model: null, dataDir })
    expect((await recogniser.probe()).state).toBe('missing')
    cpSync(join(import.meta.dirname, '../../../models/demo'), dir, { recursive: true })
    expect((await ask()).text).toBe(TEXT)
    expect(await recogniser.probe()).toMatchObject({ reason: 'Whisper, model whisper-tiny.en' })
  })

  it('is not run elsewhere when CUDA is asked for and does not work', async () => {
    const { dataDir } = installed()
    const { recogniser, ask } = setup({ model: null, dataDir, device: 'cuda' })
    expect(await recogniser.probe()).toEqual({
      name: 'speech-to-text',
      state: 'missing',
      reason: expect.stringMatching(
        /^speech-to-text failed: speech\.device = "cuda": libonnxruntime_providers_shared\.so and .* are not in runtime\/cuda of the data directory$/,
      ),
      mend: expect.stringContaining('speech.device = "auto"'),
    })
    await expect(ask()).rejects.toThrow(/speech\.device = "cuda"/)
  })

  it('may be a Moonshine', async () => {
    const { dataDir, dir } = installed()
    rmSync(dir, { recursive: true })
    writeMoonshine(join(dataDir, 'models/moonshine-tiny'), {
      stored: 'fp32',
      isMerged: true,
      seed: 4,
    })
    const { recogniser, ask } = setup({ model: null, dataDir })
    expect(await recogniser.probe()).toMatchObject({
      state: 'ready',
      reason: 'Whisper, model moonshine-tiny',
    })
    expect((await ask()).text).not.toBe('')
  })

  it('is told with the file that is wrong, and taken again when that is mended', async () => {
    const { dataDir, dir } = installed()
    const encoder = join(dir, 'onnx/encoder_model.onnx')
    truncateSync(encoder, 1_000_000)
    const { recogniser, ask } = setup({ model: 'whisper-tiny.en', dataDir })
    expect(await recogniser.probe()).toEqual({
      name: 'speech-to-text',
      state: 'missing',
      reason: `speech-to-text failed: ${encoder} is truncated`,
      mend: 'landline models verify',
    })
    await expect(ask()).rejects.toThrow('encoder_model.onnx is truncated')
    cpSync(join(import.meta.dirname, '../../../models/demo/onnx/encoder_model.onnx'), encoder)
    expect((await ask()).text).toBe(TEXT)
  })
})
