/** How long this human pauses within what they say: who pauses long is waited for longer. Pure. */

/** So many of the newest pauses are remembered … */
const REMEMBERED = 8
/** … and fewer than these tell nothing. */
const ENOUGH = 3
/** A pause may last so much longer than the longest one heard. */
const MARGIN_MS = 100
const LEAST_MS = 500
const MOST_MS = 1600

/** The remembered pauses with one more, in ms. */
export function withPause(pauses: readonly number[], ms: number): readonly number[] {
  return [...pauses, ms].slice(-REMEMBERED)
}

/** How long to wait after words that may be the last or not; `usual` until this human's pauses are known. */
export function waitByPace(pauses: readonly number[], usual: number): number {
  const own = Math.max(0, ...pauses) + MARGIN_MS
  return Math.min(MOST_MS, pauses.length < ENOUGH ? Math.max(usual, own) : Math.max(LEAST_MS, own))
}
