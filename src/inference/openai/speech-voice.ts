import { ANY_LANGUAGE } from '../../calls/voice-choice.ts'
import type { Voice } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import { sharedSamples, toSamples } from '../../core/pcm.ts'
import { Resampler } from '../../core/resample.ts'
import { toSpokenForm } from '../spoken-form/spoken-form.ts'
import { probeServer, send, toServer } from './server.ts'
import { toServerError } from './server-error.ts'
import { SoundStream } from './sound-stream.ts'

/** About three minutes of speech; what is longer is cut there. */
const MAX_TEXT = 3000
/** As much sound as that text could be, at the highest rate. */
const MOST_SECONDS = 300
/** The first clip is short, to sound soon; later ones are fewer. */
const FIRST_CLIP_MS = 60
const CLIP_MS = 200

/**
 * Text to speech by any server with `/v1/audio/speech`. Sound is passed on as it comes: it plays before the answer has
 * ended. Asks for WAV; takes WAV of any rate, or bare 16-bit samples at 24 kHz. Throws when `url` is no address.
 */
export function createOpenAiVoice(o: {
  clock: Clock
  url: string
  model: string
  voice: string
  apiKey?: string | undefined
}): Voice & Part {
  const server = toServer('speech server', o.url, o.apiKey)

  async function* speak({
    text,
    rateHz,
    language,
    signal,
  }: Parameters<Voice['speak']>[0]): AsyncGenerator<Int16Array<SharedArrayBuffer>> {
    if (signal.aborted) throw abortError()
    const form = { language: language ?? 'en', englishLetters: false }
    const input = toSpokenForm(text.slice(0, MAX_TEXT), form)
    if (input === '') return
    // Whoever stops listening ends the request too.
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    try {
      const json = { model: o.model, voice: o.voice, input, response_format: 'wav' }
      const response = await send(server, '/v1/audio/speech', { signal: either, json })
      const stream = new SoundStream(response.headers.get('content-type') ?? '')
      yield* clipsOf(response.body ?? nothing(), stream, rateHz)
    } catch (error) {
      throw toServerError(server.name, error, signal)
    } finally {
      over.abort()
    }
  }

  return {
    speak,
    voices: () => [{ id: o.voice, engine: 'openai', language: ANY_LANGUAGE, name: o.voice }],
    probe: () =>
      probeServer({
        clock: o.clock,
        server,
        name: 'text-to-speech',
        model: o.model,
        section: 'speech.tts',
      }),
    async start() {},
    async stop() {},
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Clips at the asked rate out of bytes as they come. Throws an Error that completes the server's name. */
async function* clipsOf(
  body: AsyncIterable<Uint8Array>,
  stream: SoundStream,
  rateHz: number,
): AsyncGenerator<Int16Array<SharedArrayBuffer>> {
  const clips = new ClipMaker(rateHz)
  let resampler: Resampler | undefined
  let taken = 0
  for await (const bytes of body) {
    const samples = stream.push(bytes)
    if (stream.rateHz === undefined) continue
    resampler ??= new Resampler(stream.rateHz, rateHz)
    taken += samples.length
    if (taken > MOST_SECONDS * stream.rateHz) throw new Error('its answer does not end')
    clips.add(resampler.push(samples))
    for (let clip = clips.next(false); clip; clip = clips.next(false)) yield clip
  }
  if (!resampler) throw new Error('its answer has no sound')
  clips.add(resampler.flush())
  for (let clip = clips.next(true); clip; clip = clips.next(true)) yield clip
}

/** Cuts a stream of samples into clips in shared memory. */
class ClipMaker {
  private readonly rateHz: number
  private pending = new Int16Array(0)
  private wanted: number

  constructor(rateHz: number) {
    this.rateHz = rateHz
    this.wanted = toSamples(FIRST_CLIP_MS, rateHz)
  }

  add(samples: Int16Array): void {
    const all = new Int16Array(this.pending.length + samples.length)
    all.set(this.pending)
    all.set(samples, this.pending.length)
    this.pending = all
  }

  /** The next clip that is long enough, or what is left when nothing more comes. */
  next(ended: boolean): Int16Array<SharedArrayBuffer> | undefined {
    const length = this.pending.length
    if (length === 0 || (length < this.wanted && !ended)) return undefined
    const clip = sharedSamples(length)
    clip.set(this.pending)
    this.pending = new Int16Array(0)
    this.wanted = toSamples(CLIP_MS, this.rateHz)
    return clip
  }
}
