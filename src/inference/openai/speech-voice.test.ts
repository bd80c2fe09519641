import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { rms, toMs } from '../../core/pcm.ts'
import { createOpenAiVoice } from './speech-voice.ts'
import { toWav } from './wav.ts'

const servers: { stop(now: boolean): unknown }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true)
})

/** A second of a 440 Hz tone. */
function tone(rateHz: number, ms = 1000): Int16Array {
  const samples = new Int16Array((rateHz * ms) / 1000)
  return samples.map((_, i) => 8000 * Math.sin((2 * Math.PI * 440 * i) / rateHz))
}

/** A server that answers `/v1/audio/speech` with what `answer` gives. */
function setup(answer: (request: Record<string, unknown>) => Response) {
  const asked: Record<string, unknown>[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const path = new URL(request.url).pathname
      if (path === '/v1/models') return Response.json({ data: [{ id: 'tts-1' }] })
      if (path !== '/v1/audio/speech') return new Response('', { status: 404 })
      asked.push((await request.json()) as Record<string, unknown>)
      return answer(asked.at(-1) ?? {})
    },
  })
  servers.push(server)
  const url = `http://127.0.0.1:${server.port}/v1`
  const voice = createOpenAiVoice({ clock: systemClock, url, model: 'tts-1', voice: 'nova' })
  const speak = (text: string, rateHz = 8000, signal = new AbortController().signal) =>
    voice.speak({ text, rateHz, signal })
  const all = async (text: string, rateHz = 8000) => {
    const clips = await Array.fromAsync(speak(text, rateHz))
    return Int16Array.from(clips.flatMap((clip) => [...clip]))
  }
  return { voice, speak, all, asked }
}

const wav = (bytes: Uint8Array<ArrayBuffer>) =>
  new Response(bytes, { headers: { 'content-type': 'audio/wav' } })

/** A stream of pieces; each is sent when `next` is called, and it ends after the last. */
function inPieces(...pieces: Uint8Array[]) {
  const gates = pieces.map(() => Promise.withResolvers<void>())
  let sent = 0
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await gates[sent]?.promise
      const piece = pieces[sent++]
      if (piece) controller.enqueue(piece)
      if (sent >= pieces.length) controller.close()
    },
  })
  let opened = 0
  return { stream, next: () => gates[opened++]?.resolve() }
}

describe('a speech server', () => {
  it('is asked for WAV in the spoken form, and its sound comes at the asked rate', async () => {
    const kit = setup(() => wav(toWav(tone(22_050), 22_050)))
    const sound = await kit.all('That is **$5** at 7pm.')
    expect(kit.asked).toEqual([
      {
        model: 'tts-1',
        voice: 'nova',
        input: 'That is 5 dollars at 7 p m.',
        response_format: 'wav',
      },
    ])
    expect(toMs(sound.length)).toBe(1000)
    expect(rms(sound)).toBeCloseTo(8000 / Math.SQRT2, -3)
  })

  it('is heard before its answer has ended', async () => {
    const file = toWav(tone(24_000), 24_000)
    const { stream, next } = inPieces(file.subarray(0, 20_001), file.subarray(20_001))
    const kit = setup(() => wav(stream as unknown as Uint8Array<ArrayBuffer>))
    const clips = kit.speak('Hello there.')[Symbol.asyncIterator]()
    next()
    const first = await clips.next()
    expect(toMs((first.value as Int16Array).length)).toBeGreaterThanOrEqual(60)
    next()
    let samples = (first.value as Int16Array).length
    for (let clip = await clips.next(); !clip.done; clip = await clips.next())
      samples += clip.value.length
    expect(toMs(samples)).toBe(1000)
  })

  it('may send stereo, floats, a header of a stream without a length, or bare samples', async () => {
    const mono = tone(16_000)
    const streamed = toWav(mono, 16_000)
    new DataView(streamed.buffer).setUint32(40, 0xffff_ffff, true)
    const stereo = toWav(Int16Array.from([...mono].flatMap((s) => [s, s])), 16_000)
    new DataView(stereo.buffer).setUint16(22, 2, true)
    const floats = toWav(new Int16Array(mono.length * 2), 16_000)
    const view = new DataView(floats.buffer)
    view.setUint16(20, 3, true)
    view.setUint16(34, 32, true)
    for (const [i, s] of mono.entries()) view.setFloat32(44 + 4 * i, s / 32767, true)
    const expected = await setup(() => wav(toWav(mono, 16_000))).all('Hi.')
    for (const file of [streamed, stereo, floats]) {
      const sound = await setup(() => wav(file)).all('Hi.')
      expect(sound.length).toBe(expected.length)
      expect(Math.max(...sound.map((s, i) => Math.abs(s - (expected[i] ?? 0))))).toBeLessThan(4)
    }
    const bare = new Uint8Array(tone(24_000).buffer as ArrayBuffer)
    const sound = await setup(
      () => new Response(bare, { headers: { 'content-type': 'audio/pcm' } }),
    ).all('Hi.')
    expect(toMs(sound.length)).toBe(1000)
  })

  it.each([
    ['ID3\u0004 and more of it', 'audio/mpeg', /is no WAV sound but MP3/],
    ['{"detail": "no voice"}', 'application/json', /is no WAV sound but text/],
    ['RIFF\0\0\0\0WAVEdata\0\0\0\0', 'audio/wav', /is a WAV sound without a format/],
    ['', 'audio/wav', /its answer has no sound/],
  ])('that answers %j fails in one sentence', async (body, type, sentence) => {
    const kit = setup(() => new Response(body, { headers: { 'content-type': type } }))
    await expect(kit.all('Hi.')).rejects.toThrow(sentence)
    await expect(kit.all('Hi.')).rejects.toThrow(/^speech server at http:/)
  })

  it('that refuses is quoted', async () => {
    const kit = setup(() => Response.json({ error: { message: 'no such voice' } }, { status: 400 }))
    await expect(kit.all('Hi.')).rejects.toThrow('answered 400: no such voice')
  })

  it('is left on abort', async () => {
    const { stream, next } = inPieces(toWav(tone(24_000), 24_000), new Uint8Array(9))
    const kit = setup(() => wav(stream as unknown as Uint8Array<ArrayBuffer>))
    const stop = new AbortController()
    next()
    const listen = async () => {
      for await (const _ of kit.speak('Hello.', 8000, stop.signal)) stop.abort()
    }
    await expect(listen()).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('speaks with the configured voice, in any language', async () => {
    const kit = setup(() => new Response(''))
    expect(kit.voice.voices()).toEqual([
      { id: 'nova', engine: 'openai', language: 'mul', name: 'nova' },
    ])
    expect(await kit.voice.probe()).toMatchObject({ name: 'text-to-speech', state: 'ready' })
    expect(await kit.all('😀')).toHaveLength(0)
    expect(kit.asked).toEqual([])
  })
})
