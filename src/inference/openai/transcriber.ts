import type { Recogniser } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import { resample } from '../../core/resample.ts'
import { probeServer, send, toServer } from './server.ts'
import { field, readBounded, toServerError } from './server-error.ts'

/** What Whisper and its relatives are trained on. */
const RATE_HZ = 16_000
const HEADER_BYTES = 44
const MAX_ANSWER = 256 * 1024
/** More text than anybody says in one utterance. */
const MAX_TEXT = 8000

/**
 * Speech to text by any server with `/v1/audio/transcriptions`. The utterance travels whole, as a 16 kHz mono WAV.
 * `noSpeech` is 0: the JSON form of the answer does not tell it. Throws when `url` is no address.
 */
export function createOpenAiTranscriber(o: {
  clock: Clock
  url: string
  model: string
  apiKey?: string | undefined
}): Recogniser & Part {
  const server = toServer('speech server', o.url, o.apiKey)
  return {
    start: async () => {},
    stop: async () => {},
    async recognise({ ears, from, to, language, signal }) {
      if (signal.aborted) throw abortError()
      const samples = resample(ears.read(from, to), ears.rateHz, RATE_HZ)
      if (samples.length === 0) return { text: '', noSpeech: 1 }
      const form = toForm({ samples, model: o.model, language })
      const response = await send(server, '/v1/audio/transcriptions', { signal, form })
      try {
        return { text: toText(await readBounded(response, MAX_ANSWER)), noSpeech: 0 }
      } catch (error) {
        throw toServerError(server.name, error, signal)
      }
    },
    probe: () =>
      probeServer({
        clock: o.clock,
        server,
        name: 'speech-to-text',
        model: o.model,
        section: 'speech.stt',
      }),
  }
}

function toForm(o: { samples: Int16Array; model: string; language: string }): FormData {
  const form = new FormData()
  form.append('file', new Blob([toWav(o.samples)], { type: 'audio/wav' }), 'utterance.wav')
  form.append('model', o.model)
  if (o.language !== '') form.append('language', o.language)
  form.append('response_format', 'json')
  return form
}

/** RIFF WAVE, PCM, mono, 16 bits, little-endian. */
function toWav(samples: Int16Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + samples.length * 2)
  const view = new DataView(bytes.buffer)
  const tag = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at)
  tag(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  tag(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, RATE_HZ, true)
  view.setUint32(28, RATE_HZ * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  tag(36, 'data')
  view.setUint32(40, samples.length * 2, true)
  for (let i = 0; i < samples.length; i++)
    view.setInt16(HEADER_BYTES + 2 * i, samples[i] as number, true)
  return bytes
}

function toText(body: string): string {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    throw new Error('its answer is not JSON')
  }
  const text = field(answer, 'text')
  if (typeof text !== 'string') throw new Error('its answer has no text')
  return text.slice(0, MAX_TEXT).trim()
}
