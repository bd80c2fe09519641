import { isFinal } from './call.ts'
import type { CallStore, StoredEvent } from './call-store.ts'

/** The event streams of calls: what is stored is the truth, a notice only says that there is more. */
export interface CallEvents {
  /** Something was stored for this call. */
  notify(callId: string): void
  /** All events after `afterSeq`, then each as it is stored; ends with the call, or when `signal` aborts. */
  watch(callId: string, afterSeq: number, signal: AbortSignal): AsyncGenerator<StoredEvent>
}

export function createCallEvents(d: { calls: Pick<CallStore, 'events' | 'get'> }): CallEvents {
  const watchers = new Map<string, Set<() => void>>()

  function listen(callId: string, wake: () => void): () => void {
    const set = watchers.get(callId) ?? new Set()
    watchers.set(callId, set.add(wake))
    return () => {
      set.delete(wake)
      if (set.size === 0 && watchers.get(callId) === set) watchers.delete(callId)
    }
  }

  return {
    notify(callId) {
      for (const wake of watchers.get(callId) ?? []) wake()
    },
    async *watch(callId, afterSeq, signal) {
      let last = afterSeq
      let news = true
      let wake = (): void => undefined
      const onNews = (): void => {
        news = true
        wake()
      }
      const forget = listen(callId, onNews)
      signal.addEventListener('abort', onNews)
      try {
        // A client that comes back after the end has nothing to wait for.
        const call = await d.calls.get(callId)
        const over = !call || isFinal(call.status)
        while (!signal.aborted) {
          news = false
          for (const event of await d.calls.events(callId, last)) {
            last = event.seq
            yield event
            if (event.type === 'end') return
          }
          if (over) return
          if (!news && !signal.aborted) await new Promise<void>((done) => (wake = done))
        }
      } finally {
        forget()
        signal.removeEventListener('abort', onNews)
      }
    },
  }
}
