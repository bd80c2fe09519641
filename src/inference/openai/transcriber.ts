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
const MAX_PROMPT = 4000

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
  const overtakes = createOvertaking()
  return {
    async recognise({ ears, from, to, language, prompt, partial, signal: left }) {
      const signal = overtakes(ears.buffer, { isPartial: partial === true, signal: left })
      const wav = await questions.ask(
        (id) => thread.post({ type: 'make', id, ears: ears.buffer, from, to }),
        signal,
      )
      if (wav === null) return { text: '', noSpeech: 1 }
      const form = toForm({ wav, model: o.model, language, prompt })
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

/** A later request for the same ears aborts the partial one before it. */
function createOvertaking(): (
  ears: SharedArrayBuffer,
  o: { isPartial: boolean; signal: AbortSignal },
) => AbortSignal {
  const partials = new WeakMap<SharedArrayBuffer, AbortController>()
  return (ears, { isPartial, signal }) => {
    partials.get(ears)?.abort()
    partials.delete(ears)
    if (!isPartial) return signal
    const overtaken = new AbortController()
    partials.set(ears, overtaken)
    return AbortSignal.any([signal, overtaken.signal])
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./wav-worker.ts', import.meta.url).href)
}

function toForm(o: {
  wav: ArrayBuffer
  model: string
  language: string | undefined
  prompt: string | undefined
}): FormData {
  const form = new FormData()
  form.append('file', new Blob([o.wav], { type: 'audio/wav' }), 'utterance.wav')
  form.append('model', o.model)
  const language = isoCode(o.language)
  if (language !== undefined) form.append('language', language)
  if (o.prompt) form.append('prompt', o.prompt.slice(-MAX_PROMPT))
  form.append('response_format', 'json')
  return form
}

/** The server is told a language as its own API names it, by ISO 639: the first part of a BCP 47 tag. */
function isoCode(language: string | undefined): string | undefined {
  const code = /^[a-z]{2,3}(?=[-_]|$)/.exec((language ?? '').toLowerCase())?.[0]
  return code === 'und' || code === 'mul' ? undefined : code
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
