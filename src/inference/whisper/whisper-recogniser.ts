import { availableParallelism } from 'node:os'
import type { Recogniser, Recognition } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import type { Probe } from '../../core/probe.ts'
import { createEngineQuestions } from '../engine-questions.ts'
import { createEngineThread } from '../engine-thread.ts'
import { type ChosenModel, chooseWhisper } from '../models.ts'
import { TimeLimitError, within } from '../time-limit.ts'
import type { SttReply, SttRequest } from './stt-messages.ts'

const NAME = 'speech-to-text'
/** More threads on one recognition gain little and take cores from calls; one core is left to them. */
const MOST_THREADS = 4

/** Loading a large model takes a while; a thread that says nothing for longer than this hangs. */
const PROBE_MS = 30_000

export interface WhisperRecogniserDeps {
  clock: Clock
  log: Log
  dataDir: string
  /** A model's id, `demo` for the embedded one, null for the best installed. */
  model: string | null
  threads?: number
  spawn?: () => Worker
}

/**
 * Whisper in a worker of its own, begun (and the model loaded) with the first recognition or probe. A model that is
 * installed later is found then. When the thread dies, what it was asked rejects and the next request begins another.
 * `recognise` rejects with an Error that says which file is wrong when the model does not load.
 */
export function createWhisperRecogniser(deps: WhisperRecogniserDeps): Recogniser & Part {
  const { log, dataDir, spawn = spawnWorker } = deps
  const threads = deps.threads ?? Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))
  const questions = createEngineQuestions<SttReply>()
  let chosen: ChosenModel | undefined
  const thread = createEngineThread<SttRequest, SttReply>({
    clock: deps.clock,
    spawn,
    onBegin: () => ({ type: 'begin', dataDir, threads }),
    onReply: (reply) => questions.answer(reply.id, reply),
    onLost(reason) {
      log.error('speech-to-text lost', { reason, waiting: questions.waiting })
      questions.failAll(`speech-to-text died: ${reason}`)
    },
  })

  /** Looks on the disk again while there is none. */
  function choose(): ChosenModel {
    if (!chosen || chosen.id === null) chosen = chooseWhisper(dataDir, deps.model)
    return chosen
  }

  async function ask(
    request: (id: number) => SttRequest,
    signal: AbortSignal,
  ): Promise<Recognition> {
    const reply = await questions.ask((id) => thread.post(request(id)), signal)
    if ('failed' in reply) throw new Error(`speech-to-text failed: ${reply.failed}`)
    return { text: reply.text, noSpeech: reply.noSpeech }
  }

  async function recognise(o: Parameters<Recogniser['recognise']>[0]): Promise<Recognition> {
    const { ears, from, to, language, signal } = o
    if (signal.aborted) throw abortError()
    const model = choose()
    if (model.id === null) throw new Error(`${model.reason}: ${model.mend}`)
    const aborted = new SharedArrayBuffer(4)
    const raise = (): void => void Atomics.store(new Int32Array(aborted), 0, 1)
    signal.addEventListener('abort', raise, { once: true })
    const sound = { model: model.dir, ears: ears.buffer, from, to, language }
    try {
      return await ask((id) => ({ type: 'recognise', id, aborted, ...sound }), signal)
    } finally {
      signal.removeEventListener('abort', raise)
    }
  }

  return {
    recognise,
    async probe(): Promise<Probe> {
      const model = choose()
      if (model.id === null)
        return { name: NAME, state: 'missing', reason: model.reason, mend: model.mend }
      try {
        await within(deps.clock, PROBE_MS, (signal) =>
          ask((id) => ({ type: 'probe', id, model: model.dir }), signal),
        )
        return { name: NAME, state: 'ready', reason: `Whisper, model ${model.id}` }
      } catch (error) {
        const reason = reasonOf(error)
        return error instanceof TimeLimitError
          ? { name: NAME, state: 'away', reason, mend: 'restart Landline when this stays' }
          : { name: NAME, state: 'missing', reason, mend: 'landline models verify' }
      }
    },
    async start() {},
    async stop() {
      questions.failAll('speech-to-text was stopped')
      await thread.stop()
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./stt-worker.ts', import.meta.url).href)
}
