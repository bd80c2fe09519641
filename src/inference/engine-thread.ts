import type { Clock } from '../core/clock.ts'

/** Told to every engine's thread last: it has to leave by `process.exit`, which in a worker ends the worker only. */
export interface EndRequest {
  type: 'end'
}

/** The main thread's end of one engine's worker: begun when first needed, and told about when it dies. */
export interface EngineThread<Request> {
  /** Sends a message; begins the thread when there is none. */
  post(message: Request): void
  readonly running: boolean
  /** Asks the thread to leave and waits until it has, 3 s at most; `onLost` is not told. A later `post` begins another. */
  stop(): Promise<void>
}

/** A thread in the middle of a long run of its model leaves after it; nobody waits longer than this. */
const LEAVE_MS = 3_000

/**
 * `spawn` makes the worker; `onBegin` tells what to post to a new one before anything else. `onLost` is called once
 * when the thread ended by itself, with the reason in words.
 * The worker is never terminated from outside: a native model that is interrupted in a run aborts the whole process.
 */
export function createEngineThread<Request, Reply>(o: {
  clock: Clock
  spawn: () => Worker
  onReply: (reply: Reply) => void
  onLost: (reason: string) => void
  onBegin?: () => Request
}): EngineThread<Request> {
  let worker: Worker | undefined

  function begin(): Worker {
    const begun = o.spawn()
    const lose = (reason: string): void => {
      if (worker !== begun) return
      worker = undefined
      o.onLost(reason)
    }
    begun.onmessage = (event: MessageEvent<Reply>) => {
      if (worker === begun) o.onReply(event.data)
    }
    // A worker that throws ends by itself.
    begun.onerror = (event) => {
      event.preventDefault()
      lose(event.message)
    }
    begun.addEventListener('close', () => lose('its thread ended'))
    worker = begun
    if (o.onBegin) begun.postMessage(o.onBegin())
    return begun
  }

  return {
    post: (message) => (worker ?? begin()).postMessage(message),
    get running() {
      return worker !== undefined
    },
    stop() {
      const last = worker
      worker = undefined
      if (!last) return Promise.resolve()
      return new Promise((done) => {
        const forget = o.clock.after(LEAVE_MS, done)
        last.addEventListener('close', () => {
          forget()
          done()
        })
        last.postMessage({ type: 'end' } satisfies EndRequest)
      })
    },
  }
}
