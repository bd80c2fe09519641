import type { SpeechDetector, SpeechEvent } from '../../conversation/ports.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Part } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'
import type { Probe } from '../../core/probe.ts'
import type { Ring } from '../../core/ring.ts'
import { createEngineThread } from '../engine-thread.ts'
import { windowAt } from './silero.ts'
import type { VadReply, VadRequest } from './vad-messages.ts'

const NAME = 'speech-detector'
/** A lost thread is begun again after this, twice as long each time, up to the longest. */
const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 5_000
/** A thread that lived this long was sound: the next loss is a first one again. */
const SOUND_AFTER_MS = 10_000
const PROBE_TIMEOUT_MS = 10_000

interface Watcher {
  ears: Ring
  on: (event: SpeechEvent) => void
  /** Up to where its sound was judged as far as we were told, and the run of speech open there. */
  at: number
  speechFrom: number | null
}

export interface SpeechDetectorDeps {
  clock: Clock
  log: Log
  dataDir: string
  spawn?: () => Worker
}

/**
 * Silero VAD in a worker of its own, begun with the first `watch` or `probe`. When it dies it is begun again and
 * goes on listening where it stopped: a run of speech that was open stays open.
 * `watch` throws when the ring is at neither 8 nor 16 kHz.
 */
export function createSpeechDetector(deps: SpeechDetectorDeps): SpeechDetector & Part {
  const { clock, log, dataDir, spawn = spawnWorker } = deps
  const watchers = new Map<number, Watcher>()
  const probes = new Map<number, (failure: string | null) => void>()
  let lastId = 0
  let losses = 0
  let begunAt = 0
  /** Set while a lost thread waits to be begun anew. */
  let forgetRestart: (() => void) | undefined
  const thread = createEngineThread<VadRequest, VadReply>({
    clock,
    spawn,
    onBegin() {
      begunAt = clock.steady()
      return { type: 'begin', dataDir }
    },
    onReply: receive,
    onLost: lose,
  })

  function receive(reply: VadReply): void {
    if (reply.type === 'probed') probes.get(reply.id)?.(null)
    else if (reply.type === 'event') tell(reply.id, reply.event)
    else {
      void thread.stop()
      lose(reply.reason)
    }
  }

  function tell(id: number, event: SpeechEvent): void {
    const watcher = watchers.get(id)
    if (!watcher) return
    watcher.at = event.at
    if (event.type !== 'tone')
      watcher.speechFrom = event.type === 'speech_paused' ? null : event.from
    watcher.on(event)
  }

  function lose(reason: string): void {
    log.error('speech detector lost', { reason, calls: watchers.size })
    for (const answer of [...probes.values()]) answer(reason)
    losses = clock.steady() - begunAt < SOUND_AFTER_MS ? losses + 1 : 1
    const wait = Math.min(FIRST_RESTART_MS * 2 ** (losses - 1), LONGEST_RESTART_MS)
    forgetRestart?.()
    forgetRestart = clock.after(wait, () => {
      forgetRestart = undefined
      try {
        for (const [id, watcher] of watchers) post(id, watcher)
      } catch (error) {
        lose(reasonOf(error))
      }
    })
  }

  function post(id: number, { ears, at, speechFrom }: Watcher): void {
    thread.post({ type: 'watch', id, ears: ears.buffer, at, speechFrom })
  }

  function ask(): Promise<string | null> {
    return new Promise((done) => {
      const id = ++lastId
      const answer = (failure: string | null): void => {
        probes.delete(id)
        forget()
        done(failure)
      }
      const forget = clock.after(PROBE_TIMEOUT_MS, () => answer('it does not answer'))
      probes.set(id, answer)
      thread.post({ type: 'probe', id })
    })
  }

  return {
    watch(ears, on) {
      windowAt(ears.rateHz)
      const id = ++lastId
      const watcher: Watcher = { ears, on, at: ears.written, speechFrom: null }
      watchers.set(id, watcher)
      if (!forgetRestart) post(id, watcher)
      return () => {
        if (watchers.delete(id) && thread.running) thread.post({ type: 'unwatch', id })
      }
    },
    async probe(): Promise<Probe> {
      const failure = await ask()
      return failure === null
        ? { name: NAME, state: 'ready', reason: 'Silero VAD' }
        : { name: NAME, state: 'missing', reason: failure }
    },
    async start() {},
    async stop() {
      forgetRestart?.()
      forgetRestart = undefined
      watchers.clear()
      for (const answer of [...probes.values()]) answer('it was stopped')
      await thread.stop()
    },
  }
}

function spawnWorker(): Worker {
  return new Worker(new URL('./vad-worker.ts', import.meta.url).href)
}
