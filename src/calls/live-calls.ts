import type { StopReason } from './ports.ts'

/** The calls that run in this process, so that a cancel or a shutdown reaches them. No truth lives here. */
export interface LiveCalls {
  /** A call begins to run; its controller aborts at once when all were stopped. Returns the function that leaves. */
  enter(callId: string, controller: AbortController): () => void
  /** False when the call does not run here. */
  stop(callId: string, reason: StopReason): boolean
  /** Stops every call, and every one that would begin after. */
  stopAll(reason: StopReason): void
  readonly size: number
}

/** `onSize` is told how many run, each time that changes. */
export function createLiveCalls(d: { onSize?(size: number): void } = {}): LiveCalls {
  const running = new Map<string, AbortController>()
  let stopped: StopReason | undefined
  return {
    enter(callId, controller) {
      running.set(callId, controller)
      d.onSize?.(running.size)
      if (stopped !== undefined) controller.abort(stopped)
      return () => {
        if (running.get(callId) === controller) running.delete(callId)
        d.onSize?.(running.size)
      }
    },
    stop(callId, reason) {
      const controller = running.get(callId)
      controller?.abort(reason)
      return controller !== undefined
    },
    stopAll(reason) {
      stopped = reason
      for (const controller of running.values()) controller.abort(reason)
    },
    get size() {
      return running.size
    },
  }
}
