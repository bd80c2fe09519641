import type { TurnTiming } from './calls/call.ts'
import type { Metrics } from './observability/metrics.ts'

/** The stages of an answer as durations, where both of their ends are known. */
export function stagesOf(timing: TurnTiming): Parameters<Metrics['answer']>[0] {
  const between = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : to - from
  return {
    responseGapMs: between(timing.speechEnd, timing.onWire),
    firstTokenMs: between(timing.finalText, timing.firstToken),
    firstSoundMs: between(timing.firstToken, timing.firstSound),
  }
}
