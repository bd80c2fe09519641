import type { Leg } from '../calls/ports.ts'
import type { SpeechDetector } from '../conversation/ports.ts'
import { type Clock, sleep } from '../core/clock.ts'
import { toMs } from '../core/pcm.ts'

/** What the callee hears of the other side, by a speech detector of its own. */
export interface Ears {
  /** What was heard until now does not count as an answer to what is said next. */
  forget(): void
  /** The silence that counts as the end of the other side's turn begins now at the earliest: it listened until now. */
  listenAnew(): void
  /** True when the other side has spoken and been silent for the callee's patience; false after `limitMs`. */
  turnEnded(limitMs: number, over: AbortSignal): Promise<boolean>
  /** True when the other side has spoken for `ms`, breaths included, and still does; false when it did not within `limitMs`. */
  spokenFor(ms: number, limitMs: number, over: AbortSignal): Promise<boolean>
  close(): void
}

const LOOK_MS = 20
/** Within what somebody says there are silences as long as this. */
const BREATH_MS = 300

export function createEars(
  d: { clock: Clock; speech: SpeechDetector },
  leg: Leg,
  o: { patienceMs: number },
): Ears {
  const { clock } = d
  let heard = false
  let speaking = false
  /** Position at which the other side began to speak; a breath does not count. */
  let speakingFrom = 0
  let silentSince = Number.NEGATIVE_INFINITY
  let listeningSince = Number.NEGATIVE_INFINITY
  const stop = d.speech.watch(leg.ears, (event) => {
    if (event.type === 'tone') return
    const now = clock.steady()
    heard = true
    if (event.type !== 'speech_paused') {
      if (!speaking && now - silentSince > BREATH_MS) speakingFrom = event.from
      speaking = true
      return
    }
    speaking = false
    silentSince = now
  })
  return {
    forget() {
      heard = speaking
    },
    listenAnew() {
      listeningSince = clock.steady()
    },
    async turnEnded(limitMs, over) {
      const giveUpAt = clock.steady() + limitMs
      while (!over.aborted) {
        const now = clock.steady()
        const quietSince = Math.max(silentSince, listeningSince)
        if (heard && !speaking && now - quietSince >= o.patienceMs) return true
        if (!heard && now >= giveUpAt) return false
        await sleep(clock, LOOK_MS, over)
      }
      return false
    },
    async spokenFor(ms, limitMs, over) {
      const giveUpAt = clock.steady() + limitMs
      while (!over.aborted && clock.steady() < giveUpAt) {
        const { written, rateHz } = leg.ears
        if (speaking && toMs(written - speakingFrom, rateHz) >= ms) return true
        await sleep(clock, LOOK_MS, over)
      }
      return false
    },
    close: stop,
  }
}
