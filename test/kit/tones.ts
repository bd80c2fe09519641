/** Sound for tests: pure tones, and how much of one is in what came out. */

/** `samples` samples of a sine at `hz`; `from` is the position of the first, so that pieces join. */
export function tone(
  hz: number,
  samples: number,
  o: { amplitude?: number; rateHz?: number; from?: number } = {},
): Int16Array {
  const { amplitude = 8000, rateHz = 8000, from = 0 } = o
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (n + from)) / rateHz)),
  )
}

/** A copy in memory that threads share. */
export function shared(samples: Int16Array): Int16Array<SharedArrayBuffer> {
  const copy = new Int16Array(new SharedArrayBuffer(samples.length * 2))
  copy.set(samples)
  return copy
}

/** The amplitude of the sine at `hz` in `samples`, by Goertzel's recurrence. */
export function amplitudeAt(samples: Int16Array, hz: number, rateHz = 8000): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / rateHz)
  let last = 0
  let beforeLast = 0
  for (const sample of samples) {
    const next = sample + turn * last - beforeLast
    beforeLast = last
    last = next
  }
  const power = last * last + beforeLast * beforeLast - turn * last * beforeLast
  return samples.length === 0 ? 0 : (2 * Math.sqrt(Math.max(0, power))) / samples.length
}

/** The median of the amplitudes in pieces of 100 ms: a gap that a busy machine made somewhere does not count. */
export function usualAmplitudeAt(samples: Int16Array, hz: number, rateHz = 8000): number {
  const piece = rateHz / 10
  const amplitudes: number[] = []
  for (let at = 0; at + piece <= samples.length; at += piece)
    amplitudes.push(amplitudeAt(samples.subarray(at, at + piece), hz, rateHz))
  amplitudes.sort((a, b) => a - b)
  return amplitudes[amplitudes.length >> 1] ?? 0
}
