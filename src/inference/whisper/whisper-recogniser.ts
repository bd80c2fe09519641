import { availableParallelism } from 'node:os'
import type { Recogniser, Recognition } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import type { Probe } from '../../core/probe.ts'
import { createEngineThread } from '../engine-thread.ts'
import { type ChosenModel, chooseWhisper } from '../models.ts'
import type { SttReply, SttRequest } from './stt-messages.ts'

const NAME = 'speech-to-text'
/** More threads on one recognition gain little and take cores from calls; one core is left to them. */
const MOST_THREADS = 4

interface Pending {
  resolve(recognition: Recognition): void
  reject(error: Error): void
}

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
  const pending = new Map<number, Pending>()
  let lastId = 0
  let chosen: ChosenModel | undefined
  const thread = createEngineThread<SttRequest, SttReply>({
    clock: deps.clock,
    spawn,
    onBegin: () => ({ type: 'begin', dataDir, threads }),
    onReply(reply) {
      const waiting = pending.get(reply.id)
      if (!waiting) return
      if ('failed' in reply) waiting.reject(new Error(`speech-to-text failed: ${reply.failed}`))
      else waiting.resolve({ text: reply.text, noSpeech: reply.noSpeech })
    },
    onLost(reason) {
      log.error('speech-to-text lost', { reason, waiting: pending.size })
      rejectAll(`speech-to-text died: ${reason}`)
    },
  })

  function rejectAll(message: string): void {
    for (const { reject } of [...pending.values()]) reject(new Error(message))
  }

  /** Looks on the disk again while there is none. */
  function choose(): ChosenModel {
    if (!chosen || chosen.id === null) chosen = chooseWhisper(dataDir, deps.model)
    return chosen
  }

  /** Posts a request under a new id; settles with its reply, the thread's death, or the abort that raises `flag`. */
  async function ask(
    request: (id: number) => SttRequest,
    abort?: { signal: AbortSignal; flag: Int32Array },
  ): Promise<Recognition> {
    const id = ++lastId
    let giveUp = (): void => {}
    try {
      return await new Promise<Recognition>((resolve, reject) => {
        giveUp = () => {
          if (abort) Atomics.store(abort.flag, 0, 1)
          reject(abortError())
        }
        abort?.signal.addEventListener('abort', giveUp, { once: true })
        pending.set(id, { resolve, reject })
        thread.post(request(id))
      })
    } finally {
      pending.delete(id)
      abort?.signal.removeEventListener('abort', giveUp)
    }
  }

  async function recognise(o: Parameters<Recogniser['recognise']>[0]): Promise<Recognition> {
    const { ears, from, to, language, signal } = o
    if (signal.aborted) throw abortError()
    const model = choose()
    if (model.id === null) throw new Error(`${model.reason}: ${model.mend}`)
    const aborted = new SharedArrayBuffer(4)
    return ask(
      (id) => ({
        type: 'recognise',
        id,
        model: model.dir,
        ears: ears.buffer,
        from,
        to,
        language,
        aborted,
      }),
      { signal, flag: new Int32Array(aborted) },
    )
  }

  return {
    recognise,
    async probe(): Promise<Probe> {
      const model = choose()
      if (model.id === null)
        return { name: NAME, state: 'missing', reason: model.reason, mend: model.mend }
      try {
        await ask((id) => ({ type: 'probe', id, model: model.dir }))
        return { name: NAME, state: 'ready', reason: `Whisper, model ${model.id}` }
      } catch (error) {
        return {
          name: NAME,
          state: 'missing',
          reason: reasonOf(error),
          mend: 'landline models verify',
        }
      }
    },
    async start() {},
    async stop() {
      rejectAll('speech-to-text was stopped')
      await thread.stop()
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./stt-worker.ts', import.meta.url).href)
}
