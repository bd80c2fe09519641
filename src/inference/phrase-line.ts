import { abortError } from '../core/abort.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

/** The sound of one phrase; null when it has none. */
export type Clip = Int16Array<SharedArrayBuffer> | null

/** A phrase that nobody has begun yet; `since` by `Clock.steady`. */
export interface Waiting<Phrase> {
  phrase: Phrase
  since: number
}

interface Job<Phrase> extends Waiting<Phrase> {
  id: number
  resolve(clip: Clip): void
  reject(error: Error): void
}

/** The line before a thread that speaks: one phrase at a time, so that an aborted one in line costs nothing. */
export interface PhraseLine<Phrase> {
  /** Rejects with AbortError at once when `signal` aborts. */
  speak(phrase: Phrase, signal: AbortSignal): Promise<Clip>
  /** The thread answered the phrase `id`; what it says of another is passed over. */
  replied(id: number, reply: { clip: Clip } | { failed: string }): void
  /** The phrase that the thread had is lost; those in line go on. */
  lost(reason: string): void
  /** Why the last phrase failed; undefined when it did not. */
  readonly failure: string | undefined
  /** What is there rejects. */
  clear(): void
}

export function createPhraseLine<Phrase>(o: {
  clock: Clock
  log: Log
  /** How errors call the engine, and how the log does. */
  name: string
  engine: string
  /** A thread that is silent for longer hangs. */
  phraseMs: number
  /** The index of who is next of those that wait; there is one at least. */
  next(waiting: readonly Waiting<Phrase>[], now: number): number
  /** Hands a phrase to the thread; throws when there is none to be had. */
  send(id: number, phrase: Phrase): void
  /** The thread hangs, or takes nothing: another is to be begun. Its phrase is lost after this. */
  onHang(): void
}): PhraseLine<Phrase> {
  const waiting: Job<Phrase>[] = []
  let active: Job<Phrase> | undefined
  let forgetWatchdog = (): void => undefined
  let failure: string | undefined
  let lastId = 0

  function lost(reason: string): void {
    failure = `${o.name} could not speak: ${reason}`
    o.log.error('speech failed', { engine: o.engine, reason })
    const error = new Error(failure)
    settle((job) => job.reject(error))
  }

  function settle(end: (job: Job<Phrase>) => void): void {
    const job = active
    active = undefined
    forgetWatchdog()
    if (job) end(job)
    next()
  }

  function next(): void {
    if (active || waiting.length === 0) return
    const [job] = waiting.splice(o.next(waiting, o.clock.steady()), 1)
    if (!job) return
    active = job
    forgetWatchdog = o.clock.after(o.phraseMs, () => {
      o.onHang()
      lost(`nothing came for ${o.phraseMs / 1000} s`)
    })
    try {
      o.send(job.id, job.phrase)
    } catch (error) {
      o.onHang()
      lost(reasonOf(error))
    }
  }

  return {
    speak(phrase, signal) {
      if (signal.aborted) return Promise.reject(abortError())
      const { promise, resolve, reject } = Promise.withResolvers<Clip>()
      const since = o.clock.steady()
      const job: Job<Phrase> = { id: ++lastId, phrase, since, resolve, reject }
      // A phrase that the thread has begun runs to its end there; its sound is thrown away.
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
    replied(id, reply) {
      if (active?.id !== id) return
      if ('failed' in reply) return lost(reply.failed)
      failure = undefined
      settle((job) => job.resolve(reply.clip))
    },
    lost,
    get failure() {
      return failure
    },
    clear() {
      const left = active ? [active, ...waiting] : [...waiting]
      waiting.length = 0
      active = undefined
      forgetWatchdog()
      for (const job of left) job.reject(new Error(`${o.name} could not speak: it was stopped`))
    },
  }
}
