import type { Recogniser } from '../../conversation/ports.ts'
import type { Clock } from '../../core/clock.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import { createEngineQuestions } from '../engine-questions.ts'
import { createEngineThread } from '../engine-thread.ts'
import { probeServer, send, toServer } from './server.ts'
import { field, readBounded, toServerError } from './server-error.ts'
import type { WavReply, WavRequest } from './wav-messages.ts'

const MAX_ANSWER = 256 * 1024
/** More text than anybody says in one utterance. */
const MAX_TEXT = 8000

/**
 * Speech to text by any server with `/v1/audio/transcriptions`. The utterance travels whole, as a 16 kHz mono WAV that a
 * thread of its own makes, begun with the first one. `noSpeech` is 0: the JSON form of the answer does not tell it.
 * Throws when `url` is no address.
 */
export function createOpenAiTranscriber(o: {
  clock: Clock
  log: Log
  url: string
  model: string
  apiKey?: string | undefined
  spawn?: () => Worker
}): Recogniser & Part {
  const server = toServer('speech server', o.url, o.apiKey)
  const questions = createEngineQuestions<ArrayBuffer | null>()
  const thread = createEngineThread<WavRequest, WavReply>({
    clock: o.clock,
    spawn: o.spawn ?? spawnWorker,
    onReply: ({ id, wav }) => questions.answer(id, wav),
    onLost(reason) {
      o.log.error('speech-to-text lost', { reason, waiting: questions.waiting })
      questions.failAll(`speech-to-text died: ${reason}`)
    },
  })
  return {
    async recognise({ ears, from, to, language, signal }) {
      const wav = await questions.ask(
        (id) => thread.post({ type: 'make', id, ears: ears.buffer, from, to }),
        signal,
      )
      if (wav === null) return { text: '', noSpeech: 1 }
      const form = toForm({ wav, model: o.model, language })
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
    async start() {},
    async stop() {
      questions.failAll('speech-to-text was stopped')
      await thread.stop()
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./wav-worker.ts', import.meta.url).href)
}

function toForm(o: { wav: ArrayBuffer; model: string; language: string }): FormData {
  const form = new FormData()
  form.append('file', new Blob([o.wav], { type: 'audio/wav' }), 'utterance.wav')
  form.append('model', o.model)
  // The servers know languages by ISO 639-1, without a region.
  const language = o.language.split('-')[0]
  if (language) form.append('language', language)
  form.append('response_format', 'json')
  return form
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
