const FIRST_MS = 1000
const LONGEST_MS = 10 * 60_000
const JITTER = 0.1

/**
 * How long a job rests after its `attempt`th failure (from 1), in ms: 1 s, doubled each time, 10 min at most; ±10 % by
 * `fraction` in [0, 1), so that jobs that failed together do not come back together.
 */
export function restAfter(attempt: number, fraction: number): number {
  const rest = Math.min(FIRST_MS * 2 ** Math.min(attempt - 1, 30), LONGEST_MS)
  return Math.round(rest * (1 - JITTER + 2 * JITTER * fraction))
}
