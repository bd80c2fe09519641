/** A cut is looked for in this last part of a window … */
const SEARCHED_PART = 0.25
/** … at the quietest stretch of this length, at 16 kHz 50 ms. */
const STRETCH_SAMPLES = 800

/**
 * Cuts sound that is longer than a model's window into pieces of at most `longest` samples, each but the last ending
 * at the quietest place near its window's end, where a cut through a word is least likely.
 */
export function cutIntoWindows(samples: Int16Array, longest: number): Int16Array[] {
  const pieces: Int16Array[] = []
  let from = 0
  while (samples.length - from > longest) {
    const to = quietest(samples, from + Math.floor(longest * (1 - SEARCHED_PART)), from + longest)
    pieces.push(samples.subarray(from, to))
    from = to
  }
  pieces.push(samples.subarray(from))
  return pieces
}

/** The middle of the quietest stretch within [from, to). */
function quietest(samples: Int16Array, from: number, to: number): number {
  let best = to
  let least = Number.POSITIVE_INFINITY
  for (let at = from; at + STRETCH_SAMPLES <= to; at += STRETCH_SAMPLES / 2) {
    let energy = 0
    for (let i = at; i < at + STRETCH_SAMPLES; i++) energy += (samples[i] as number) ** 2
    if (energy < least) {
      least = energy
      best = at + STRETCH_SAMPLES / 2
    }
  }
  return best
}
