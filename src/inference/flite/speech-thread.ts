import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { SpeechReply, SpeechRequest } from './synthesis.ts'

/** A phrase takes tens of milliseconds. Less than the conversation waits, so that its second try meets a new thread. */
const PHRASE_MS = 8_000

type Clip = Int16Array<SharedArrayBuffer> | null

interface Job {
  request: SpeechRequest
  resolve(clip: Clip): void
  reject(error: Error): void
}

/** The main thread's end of the Flite worker: one phrase at a time, so that an aborted one in line costs nothing. */
export interface SpeechThread {
  /** The sound of one phrase, null when it has none. Rejects with AbortError at once when `signal` aborts. */
  synthesise(request: Omit<SpeechRequest, 'id'>, signal: AbortSignal): Promise<Clip>
  /** Why the last phrase failed; undefined when it did not. */
  readonly failure: string | undefined
  /** Ends the thread; what waits rejects. A later phrase starts another. */
  stop(): Promise<void>
}

export function createSpeechThread(o: {
  clock: Clock
  log: Log
  spawn: () => Worker
}): SpeechThread {
  const waiting: Job[] = []
  let worker: Worker | undefined
  let active: Job | undefined
  let forgetWatchdog = (): void => undefined
  let failure: string | undefined
  let lastId = 0

  function begin(): Worker {
    const begun = o.spawn()
    // What an abandoned thread still says is nobody's business.
    const whileOurs = (act: () => void): void => {
      if (worker === begun) act()
    }
    begun.onmessage = ({ data }: MessageEvent<SpeechReply>) => whileOurs(() => receive(data))
    begun.onerror = (event) => {
      event.preventDefault()
      whileOurs(() => lose(event.message))
    }
    begun.addEventListener('close', () => whileOurs(() => lose('its thread ended')))
    return begun
  }

  function receive(reply: SpeechReply): void {
    if (active?.request.id !== reply.id) return
    settle((job) => ('clip' in reply ? succeed(job, reply.clip) : fail(job, reply.failed)))
  }

  /** Its phrase is lost; those in line get a new thread. */
  function lose(reason: string): void {
    worker?.terminate()
    worker = undefined
    settle((job) => fail(job, reason))
  }

  function settle(end: (job: Job) => void): void {
    const job = active
    active = undefined
    forgetWatchdog()
    if (job) end(job)
    next()
  }

  function succeed(job: Job, clip: Clip): void {
    failure = undefined
    job.resolve(clip)
  }

  function fail(job: Job, reason: string): void {
    failure = `Flite could not speak: ${reason}`
    o.log.error('speech failed', { engine: 'flite', reason })
    job.reject(new Error(failure))
  }

  function next(): void {
    if (active) return
    active = waiting.shift()
    if (!active) return
    forgetWatchdog = o.clock.after(PHRASE_MS, () => lose(`nothing came for ${PHRASE_MS / 1000} s`))
    try {
      worker ??= begin()
      worker.postMessage(active.request)
    } catch (error) {
      lose(reasonOf(error))
    }
  }

  return {
    synthesise(request, signal) {
      if (signal.aborted) return Promise.reject(abortError())
      const { promise, resolve, reject } = Promise.withResolvers<Clip>()
      const job: Job = { request: { ...request, id: ++lastId }, resolve, reject }
      // A phrase that the worker has begun runs to its end there; its sound is thrown away.
      const abort = (): void => {
        const at = waiting.indexOf(job)
        if (at >= 0) waiting.splice(at, 1)
        reject(abortError())
      }
      signal.addEventListener('abort', abort, { once: true })
      waiting.push(job)
      next()
      return promise.finally(() => signal.removeEventListener('abort', abort))
    },
    get failure() {
      return failure
    },
    async stop() {
      const left = active ? [active, ...waiting] : [...waiting]
      waiting.length = 0
      active = undefined
      forgetWatchdog()
      for (const job of left) job.reject(new Error('Flite could not speak: it was stopped'))
      worker?.terminate()
      worker = undefined
    },
  }
}
