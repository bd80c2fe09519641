import { describe, expect, it } from 'vitest'
import { startFakeOpenAi } from '../../../test/kit/fake-openai.ts'
import { until } from '../../../test/kit/until.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { Ring } from '../../core/ring.ts'
import { createOpenAiTranscriber } from './transcriber.ts'

async function setup(o: { apiKey?: string } = {}) {
  const server = await startFakeOpenAi({ models: ['whisper-1'], ...o })
  const workers: Worker[] = []
  const transcriber = createOpenAiTranscriber({
    clock: systemClock,
    log: silentLog,
    spawn() {
      const worker = new Worker(new URL('./wav-worker.ts', import.meta.url).href)
      workers.push(worker)
      return worker
    },
    url: `${server.url}/v1/`,
    model: 'whisper-1',
    apiKey: o.apiKey,
  })
  const ears = Ring.create(8000, 2)
  // A tone of 400 Hz: 20 samples a period, 4000 high.
  ears.write(Int16Array.from({ length: 8000 }, (_, i) => 4000 * Math.sin((2 * Math.PI * i) / 20)))
  const recognise = (signal = new AbortController().signal, from = 0, to = 8000) =>
    transcriber.recognise({ ears, from, to, language: 'en', signal })
  return {
    server,
    transcriber,
    ears,
    workers,
    recognise,
    async [Symbol.asyncDispose]() {
      await transcriber.stop()
      await server.stop()
    },
  }
}

describe('the OpenAI recogniser', () => {
  it('sends the utterance as a 16 kHz mono WAV, with model, language and form', async () => {
    await using kit = await setup({ apiKey: 'sk-1' })
    kit.server.transcript = { text: ' Hello there. ' }
    expect(await kit.recognise()).toEqual({ text: 'Hello there.', noSpeech: 0 })
    const form = kit.server.transcriptions[0] as FormData
    expect(form.get('model')).toBe('whisper-1')
    expect(form.get('language')).toBe('en')
    expect(form.get('response_format')).toBe('json')
    const file = form.get('file') as File
    expect(file.name).toBe('utterance.wav')
    const wav = new DataView(await file.arrayBuffer())
    expect([wav.getUint16(22, true), wav.getUint32(24, true), wav.getUint16(34, true)]).toEqual([
      1, 16_000, 16,
    ])
    expect(wav.getUint32(40, true)).toBe(2 * 16_000)
    expect(wav.byteLength).toBe(44 + 2 * 16_000)
  })

  it('tells language and words to be expected as the API names them, or leaves them out', async () => {
    await using kit = await setup()
    const { ears, transcriber } = kit
    const sound = { ears, from: 0, to: 8000, signal: new AbortController().signal }
    await transcriber.recognise({ ...sound, language: 'pt-BR', prompt: 'Margherita' })
    await transcriber.recognise(sound)
    await transcriber.recognise({ ...sound, language: 'und' })
    const told = kit.server.transcriptions.map((form) => [form.get('language'), form.get('prompt')])
    expect(told).toEqual([
      ['pt', 'Margherita'],
      [null, null],
      [null, null],
    ])
  })

  it('drops a partial text that a later request for the same ears overtakes', async () => {
    await using kit = await setup()
    const { ears, transcriber } = kit
    const sound = { ears, from: 0, to: 8000, signal: new AbortController().signal }
    const first = transcriber.recognise({ ...sound, partial: true })
    const second = transcriber.recognise({ ...sound, partial: true })
    const whole = transcriber.recognise(sound)
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await expect(second).rejects.toMatchObject({ name: 'AbortError' })
    expect((await whole).text).toBe('hello')
  })

  it('keeps the sound through the change of rate', async () => {
    await using kit = await setup()
    await kit.recognise()
    const file = kit.server.transcriptions[0]?.get('file') as File
    const samples = new Int16Array((await file.arrayBuffer()).slice(44))
    const middle = samples.subarray(4000, 12_000)
    const crossings = middle.filter((v, i) => i > 0 && v >= 0 !== (middle[i - 1] ?? 0) >= 0).length
    // 0.5 s of 400 Hz crosses zero 400 times.
    expect(Math.abs(crossings - 400)).toBeLessThanOrEqual(2)
    expect(Math.max(...middle)).toBeGreaterThan(3800)
  })

  it('reads the sound and makes the WAV on a thread of its own, begun when first needed', async () => {
    await using kit = await setup()
    kit.ears.read = () => {
      throw new Error('read on the main thread')
    }
    expect(kit.workers).toHaveLength(0)
    const both = await Promise.all([kit.recognise(), kit.recognise(undefined, 4000, 6000)])
    expect(both.map(({ text }) => text)).toEqual(['hello', 'hello'])
    expect(kit.workers).toHaveLength(1)
    const sizes = kit.server.transcriptions.map((form) => (form.get('file') as File).size)
    // With the 100 ms before its first sample.
    expect(sizes.toSorted()).toEqual([44 + 2 * 16_000, 44 + 2 * 5600].toSorted())
  })

  it('fails what was asked when its thread dies, and begins another with the next request', async () => {
    await using kit = await setup()
    await kit.recognise()
    kit.workers[0]?.postMessage({ type: 'end' })
    await expect(kit.recognise()).rejects.toThrow('speech-to-text died: its thread ended')
    expect((await kit.recognise()).text).toBe('hello')
  })

  it('does not ask about no sound at all', async () => {
    await using kit = await setup()
    expect(await kit.recognise(undefined, 5, 5)).toEqual({ text: '', noSpeech: 1 })
    expect(kit.server.transcriptions).toHaveLength(0)
  })

  it('rejects with AbortError on abort', async () => {
    await using kit = await setup()
    kit.server.transcript = new Promise(() => {})
    const stop = new AbortController()
    const text = kit.recognise(stop.signal)
    await until(() => kit.server.transcriptions.length === 1)
    stop.abort('canceled')
    await expect(text).rejects.toMatchObject({ name: 'AbortError' })
  })

  it.each([
    ['<html>', 'its answer is not JSON'],
    [{ words: [] }, 'its answer has no text'],
    [null, 'its answer has no text'],
  ])('tells that the answer %j is not understood', async (answer, reason) => {
    await using kit = await setup()
    kit.server.transcript = answer
    await expect(kit.recognise()).rejects.toThrow(
      `speech server at ${kit.server.url} failed: ${reason}`,
    )
  })

  it('tells that nobody answers, in the error and in the probe', async () => {
    const kit = await setup()
    await kit.server.stop()
    await expect(kit.recognise()).rejects.toThrow('does not answer: connection refused')
    expect(await kit.transcriber.probe()).toMatchObject({
      name: 'speech-to-text',
      state: 'away',
      mend: 'start the server, or set speech.stt.url',
    })
  })

  it('is ready when the server has its model', async () => {
    await using kit = await setup()
    expect(await kit.transcriber.probe()).toMatchObject({ state: 'ready' })
  })
})
