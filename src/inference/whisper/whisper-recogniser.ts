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
import type { Device, WantedDevice } from '../onnx/device.ts'
import { TimeLimitError, within } from '../time-limit.ts'
import { createSttLine, type SttJob } from './stt-line.ts'
import type { SttReply, SttRequest } from './stt-messages.ts'

const NAME = 'speech-to-text'
/** More threads on one recognition gain little and take cores from calls; one core is left to them. */
const MOST_THREADS = 4

/** Loading a large model takes a while; a thread that says nothing for longer than this hangs. */
const PROBE_MS = 30_000
/** More than any model's place for it. */
const LONGEST_PROMPT = 4000
/** A probe is about no call's sound. */
const NO_RING = 0
const MOST_TOLD = 100

export interface WhisperRecogniserDeps {
  clock: Clock
  log: Log
  dataDir: string
  /** A model's id, `demo` for the embedded one, null for the best installed. */
  model: string | null
  device?: WantedDevice
  threads?: number
  spawn?: () => Worker
}

type RecogniseRequest = Parameters<Recogniser['recognise']>[0]
type Answer = Extract<SttReply, { text: string }>
interface Job extends SttJob {
  request: SttRequest
  aborted: SharedArrayBuffer
}

/**
 * Whisper or Moonshine in a worker of its own, begun (and the model loaded) with the first recognition or probe. A model
 * that is installed later is found then. When the thread dies, what it was asked rejects and the next request begins
 * another. `recognise` rejects with an Error that says which file is wrong when the model does not load.
 */
export function createWhisperRecogniser(deps: WhisperRecogniserDeps): Recogniser & Part {
  const { log, dataDir, spawn = spawnWorker, device = 'auto' } = deps
  const threads = deps.threads ?? Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1))
  const questions = createEngineQuestions<SttReply>()
  const rings = createRingNumbers()
  const tell = createTeller(log)
  let chosen: ChosenModel | undefined
  const thread = createEngineThread<SttRequest, SttReply>({
    clock: deps.clock,
    spawn,
    onBegin: () => ({ type: 'begin', dataDir, threads, device }),
    onReply(reply) {
      const isWaitedFor = line.answered(reply.id, { gaveUp: 'gaveUp' in reply })
      if (isWaitedFor) questions.answer(reply.id, reply)
    },
    onLost(reason) {
      log.error('speech-to-text lost', { reason, waiting: questions.waiting })
      line.clear()
      questions.failAll(`speech-to-text died: ${reason}`)
    },
  })
  const line = createSttLine<Job>({
    start(job) {
      Atomics.store(new Int32Array(job.aborted), 0, 0)
      thread.post(job.request)
    },
    stop: (job) => void Atomics.store(new Int32Array(job.aborted), 0, 1),
    overtaken: (job) => questions.answer(job.id, { id: job.id, gaveUp: true }),
  })

  /** Looks on the disk again while there is none. */
  function choose(): ChosenModel {
    if (!chosen || chosen.id === null) chosen = chooseWhisper(dataDir, deps.model)
    return chosen
  }

  async function ask(job: (id: number) => Job, signal: AbortSignal): Promise<Answer> {
    let id = 0
    const leave = (): void => line.remove(id)
    signal.addEventListener('abort', leave, { once: true })
    try {
      const reply = await questions.ask((given) => {
        id = given
        line.add(job(id))
      }, signal)
      if ('gaveUp' in reply) throw abortError()
      if ('failed' in reply) throw new Error(`speech-to-text failed: ${reply.failed}`)
      return reply
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async function recognise(o: RecogniseRequest): Promise<Recognition> {
    const { ears, from, to, language, prompt, partial = false, signal } = o
    if (signal.aborted) throw abortError()
    const model = choose()
    if (model.id === null) throw new Error(`${model.reason}: ${model.mend}`)
    const aborted = new SharedArrayBuffer(4)
    const ring = rings.of(ears.buffer)
    const sound = { model: model.dir, ears: ears.buffer, ring, from, to }
    const told = { language, prompt: prompt?.slice(-LONGEST_PROMPT), aborted }
    const answer = await ask((id) => {
      const request: SttRequest = { type: 'recognise', id, ...sound, ...told }
      return { id, ring, isPartial: partial, request, aborted }
    }, signal)
    tell(answer)
    const { text, noSpeech, logProbability } = answer
    return { text, noSpeech, ...(logProbability !== undefined && { logProbability }) }
  }

  function probeModel(dir: string | null): Promise<Answer> {
    const aborted = new SharedArrayBuffer(4)
    return within(deps.clock, PROBE_MS, (signal) =>
      ask((id) => {
        const request: SttRequest = { type: 'probe', id, model: dir }
        return { id, ring: NO_RING, isPartial: false, request, aborted }
      }, signal),
    )
  }

  return {
    recognise,
    async probe(): Promise<Probe> {
      const model = choose()
      if (model.id === null)
        return { name: NAME, state: 'missing', reason: model.reason, mend: model.mend }
      try {
        const answer = await probeModel(model.dir)
        tell(answer)
        const reason = `Whisper, model ${model.id}${deviceWords(answer.device)}`
        return { name: NAME, state: 'ready', reason }
      } catch (error) {
        return probeFailure(error)
      }
    },
    async start() {},
    async stop() {
      questions.failAll('speech-to-text was stopped')
      line.clear()
      await thread.stop()
    },
  }
}

function probeFailure(error: unknown): Probe {
  const reason = reasonOf(error)
  if (error instanceof TimeLimitError)
    return { name: NAME, state: 'away', reason, mend: 'restart Landline when this stays' }
  const mend = reason.includes('speech.device')
    ? 'put them there (docs/configuration.md), or set speech.device = "auto"'
    : 'landline models verify'
  return { name: NAME, state: 'missing', reason, mend }
}

function deviceWords({ name, reason }: Device): string {
  if (name === 'cuda') return ', on CUDA'
  return reason === null ? '' : `, on the CPU: ${reason}`
}

/** Says once in the log which device was taken and why, and what could not be done as asked. */
function createTeller(log: Log): (answer: Answer) => void {
  const told = new Set<string>()
  const once = (text: string, tellIt: () => void): void => {
    if (told.has(text) || told.size >= MOST_TOLD) return
    told.add(text)
    tellIt()
  }
  return ({ device, fallback }) => {
    if (device.name === 'cuda') once('cuda', () => log.info('speech-to-text runs on CUDA', {}))
    const { reason } = device
    if (reason !== null) once(reason, () => log.warn('speech-to-text runs on the CPU', { reason }))
    if (fallback !== null)
      once(fallback, () => log.warn('speech is heard in another language', { reason: fallback }))
  }
}

/** A number for each ring: shared memory is another object each time that it arrives in a thread. */
function createRingNumbers(): { of(buffer: SharedArrayBuffer): number } {
  const numbers = new WeakMap<SharedArrayBuffer, number>()
  let last = NO_RING
  return {
    of(buffer) {
      const number = numbers.get(buffer) ?? ++last
      numbers.set(buffer, number)
      return number
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./stt-worker.ts', import.meta.url).href)
}
