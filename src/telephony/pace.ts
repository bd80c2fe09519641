/** So many INVITEs a second over one trunk, evenly spaced: some count in windows that nobody knows the edges of. */
import { type Clock, sleep } from '../core/clock.ts'

export interface Pace {
  /** Resolves when the next INVITE may leave: true; false when `signal` aborted meanwhile. */
  wait(signal: AbortSignal): Promise<boolean>
}

/** `perSecond` null: nobody waits. */
export function createPace(clock: Clock, perSecond: number | null): Pace {
  let freeAt = 0
  return {
    async wait(signal) {
      if (perSecond !== null) {
        const now = clock.steady()
        const turn = Math.max(now, freeAt)
        freeAt = turn + 1_000 / perSecond
        if (turn > now) await sleep(clock, turn - now, signal)
      }
      return !signal.aborted
    },
  }
}
