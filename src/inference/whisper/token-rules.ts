/** One byte a token: 1 where it may not be written. */
export interface Bans {
  first: Uint8Array
  later: Uint8Array
}

/** What greedy decoding may not choose: `suppressed` ever, `suppressedFirst` first, nor anything from `none` on. */
export function bansOf(o: {
  vocabularySize: number
  suppressed: readonly number[]
  suppressedFirst: readonly number[]
  none: number
  end: number
}): Bans {
  const later = new Uint8Array(o.vocabularySize)
  for (const id of o.suppressed) later[id] = 1
  later.fill(1, o.none)
  later[o.end] = 0
  const first = later.slice()
  for (const id of o.suppressedFirst) first[id] = 1
  return { first, later }
}

/** The likeliest token that is not banned, and the logarithm of its probability among those. */
export function likeliest(
  logits: Float32Array,
  banned: Uint8Array,
): { token: number; logProbability: number } {
  let token = -1
  let top = Number.NEGATIVE_INFINITY
  for (let id = 0; id < logits.length; id++)
    if (banned[id] === 0 && (logits[id] as number) > top) {
      top = logits[id] as number
      token = id
    }
  let sum = 0
  for (let id = 0; id < logits.length; id++)
    if (banned[id] === 0) sum += Math.exp((logits[id] as number) - top)
  return { token, logProbability: -Math.log(sum) }
}

/** The probability of one token among all. */
export function probabilityOf(token: number, logits: Float32Array): number {
  let top = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > top) top = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - top)
  return Math.exp((logits[token] as number) - top) / sum
}

/** Nobody says anything this often in a row; a telephone number may hold four equal digits. */
const LEAST_REPEATS = 4
const LEAST_REPEATED_TOKENS = 16
const LONGEST_PATTERN = 32

/**
 * Whisper's way of failing is to write the same words for ever. Once the end of `tokens` is some pattern several
 * times over, returns how many tokens to keep: those up to the end of its first occurrence. Else undefined.
 */
export function lengthBeforeLoop(tokens: readonly number[]): number | undefined {
  for (let size = 1; size <= LONGEST_PATTERN; size++) {
    const repeats = Math.max(LEAST_REPEATS, Math.ceil(LEAST_REPEATED_TOKENS / size))
    const from = tokens.length - size * repeats
    if (from < 0) continue
    if (isPeriodic(tokens, from, size)) return from + size
  }
  return undefined
}

function isPeriodic(tokens: readonly number[], from: number, size: number): boolean {
  for (let at = from + size; at < tokens.length; at++)
    if (tokens[at] !== tokens[at - size]) return false
  return true
}
