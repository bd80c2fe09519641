import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { createEngineThread } from '../engine-thread.ts'
import type { VoiceReply, VoiceRequest, VoiceSource } from './voice-messages.ts'

/** Loading a model and a long phrase on a slow machine are done by then; a thread that is silent for longer hangs. */
const PHRASE_MS = 30_000
/** What nobody waits for yet has waited long enough after this to go before later phrases. */
const PATIENCE_MS = 3_000

type Clip = Int16Array<SharedArrayBuffer> | null

/** How soon a phrase is wanted: while somebody hears silence, while speech goes on, some time. */
export const RANKS = { first: 0, later: 1, ahead: 2 } as const
export type Rank = keyof typeof RANKS

export interface Phrase {
  source: VoiceSource
  /** Spoken text. */
  text: string
  rateHz: number
}

/** The line before the thread of the voices, which all calls share: one phrase at a time, the most wanted first. */
export interface VoiceLine {
  /** The sound of one phrase, null when it has none. Rejects with AbortError at once when `signal` aborts. */
  speak(phrase: Phrase, rank: Rank, signal: AbortSignal): Promise<Clip>
  /** Why the last phrase failed; undefined when it did not. */
  readonly failure: string | undefined
  /** Ends the thread; what waits rejects. A later phrase starts another. */
  stop(): Promise<void>
}

interface Job {
  id: number
  phrase: Phrase
  rank: Rank
  since: number
  resolve(clip: Clip): void
  reject(error: Error): void
}

export function createVoiceLine(o: {
  clock: Clock
  log: Log
  /** How errors call the engine. */
  name: string
  spawn(): Worker
  begin(): Extract<VoiceRequest, { type: 'begin' }>
}): VoiceLine {
  const waiting: Job[] = []
  let active: Job | undefined
  let forgetWatchdog = (): void => undefined
  let failure: string | undefined
  let lastId = 0
  const thread = createEngineThread<VoiceRequest, VoiceReply>({
    clock: o.clock,
    spawn: o.spawn,
    onBegin: o.begin,
    onReply(reply) {
      if (active?.id !== reply.id) return
      if ('failed' in reply) return fail(reply.failed)
      failure = undefined
      settle((job) => job.resolve(reply.clip))
    },
    onLost: (reason) => fail(reason),
  })

  function fail(reason: string): void {
    failure = `${o.name} could not speak: ${reason}`
    o.log.error('speech failed', { engine: o.name, reason })
    const error = new Error(failure)
    settle((job) => job.reject(error))
  }

  function settle(end: (job: Job) => void): void {
    const job = active
    active = undefined
    forgetWatchdog()
    if (job) end(job)
    next()
  }

  function next(): void {
    if (active || waiting.length === 0) return
    const job = takeMostWanted(waiting, o.clock.steady())
    active = job
    forgetWatchdog = o.clock.after(PHRASE_MS, () => {
      // It may be in the model's own code, where it cannot be ended: it is told to leave, and another begins.
      void thread.stop()
      fail(`nothing came for ${PHRASE_MS / 1000} s`)
    })
    try {
      thread.post({ type: 'speak', id: job.id, ...job.phrase })
    } catch (error) {
      fail(String(error))
    }
  }

  return {
    speak(phrase, rank, signal) {
      if (signal.aborted) return Promise.reject(abortError())
      const { promise, resolve, reject } = Promise.withResolvers<Clip>()
      const job: Job = { id: ++lastId, phrase, rank, since: o.clock.steady(), resolve, reject }
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
    get failure() {
      return failure
    },
    async stop() {
      const left = active ? [active, ...waiting] : [...waiting]
      waiting.length = 0
      active = undefined
      forgetWatchdog()
      for (const job of left) job.reject(new Error(`${o.name} could not speak: it was stopped`))
      await thread.stop()
    },
  }
}

function takeMostWanted(waiting: Job[], now: number): Job {
  const rankOf = (job: Job): number =>
    job.rank === 'ahead' && now - job.since > PATIENCE_MS ? RANKS.later : RANKS[job.rank]
  // The first of the lowest: within a rank, first come, first served.
  const best = waiting.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a))
  waiting.splice(waiting.indexOf(best), 1)
  return best
}
