/** A delivery has its first attempt and this many retries. */
export const MAX_RETRIES = 10
/** This many failed attempts in a row at one webhook disable it. */
export const DISABLE_AFTER = 10
/** How many deliveries go to one healthy webhook at once; while it fails, one probes it. */
export const LANE_CAPACITY = 4
const FACTOR = 3
const LONGEST_MS = 6 * 3600_000
const LONGEST_RETRY_AFTER_MS = 3600_000
const JITTER = 0.1

/**
 * How long to wait after the `failures`-th failure in a row (from 1): base × 3ⁿ, ±10 % by `fraction` in [0, 1), at
 * most six hours. A receiver's Retry-After lengthens the wait, to one hour at most, and never shortens it.
 */
export function waitAfter(o: {
  failures: number
  baseMs: number
  fraction: number
  retryAfterMs: number | null
}): number {
  const plain = Math.min(o.baseMs * FACTOR ** (o.failures - 1), LONGEST_MS)
  const jittered = Math.min(plain * (1 - JITTER + 2 * JITTER * o.fraction), LONGEST_MS)
  return Math.round(Math.max(jittered, Math.min(o.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)))
}
