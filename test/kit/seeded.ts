/** Numbers in [0, 1) that are the same on every run with the same seed (a 32-bit xorshift). */
export function randomSource(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 0x9e37_79b9) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
