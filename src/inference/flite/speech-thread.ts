import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { type Clip, createPhraseLine } from '../phrase-line.ts'
import type { SpeechReply, SpeechRequest } from './synthesis.ts'

/** A phrase takes tens of milliseconds. Less than the conversation waits, so that its second try meets a new thread. */
const PHRASE_MS = 8_000

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
  let worker: Worker | undefined
  const line = createPhraseLine<Omit<SpeechRequest, 'id'>>({
    clock: o.clock,
    log: o.log,
    name: 'Flite',
    engine: 'flite',
    phraseMs: PHRASE_MS,
    next: () => 0,
    send(id, phrase) {
      worker ??= begin()
      worker.postMessage({ ...phrase, id } satisfies SpeechRequest)
    },
    onHang: end,
  })

  function begin(): Worker {
    const begun = o.spawn()
    // What an abandoned thread still says is nobody's business.
    const whileOurs = (act: () => void): void => {
      if (worker === begun) act()
    }
    begun.onmessage = ({ data }: MessageEvent<SpeechReply>) =>
      whileOurs(() => line.replied(data.id, data))
    begun.onerror = (event) => {
      event.preventDefault()
      whileOurs(() => lose(event.message))
    }
    begun.addEventListener('close', () => whileOurs(() => lose('its thread ended')))
    return begun
  }

  function end(): void {
    worker?.terminate()
    worker = undefined
  }

  /** Its phrase is lost; those in line get a new thread. */
  function lose(reason: string): void {
    end()
    line.lost(reason)
  }

  return {
    synthesise: line.speak,
    get failure() {
      return line.failure
    },
    async stop() {
      line.clear()
      end()
    },
  }
}
