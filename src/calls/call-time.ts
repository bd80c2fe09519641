import type { Clock } from '../core/clock.ts'

/** Milliseconds since the epoch (whole), counted on from when it was made. */
export type CallTime = () => number

/** The time of one call from its answer on: setting the machine's clock changes neither its length nor its price. */
export function createCallTime(clock: Clock): CallTime {
  const answeredAt = clock.now()
  const from = clock.steady()
  return () => answeredAt + Math.round(clock.steady() - from)
}
