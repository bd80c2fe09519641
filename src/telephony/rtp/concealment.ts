/** How long a repeat may be heard: after 60 ms it is silent. */
const FADE_SAMPLES = 480
/** What is repeated: the last 20 ms. */
const MEMORY_SAMPLES = 160

/** Fills the place of lost sound: the last frame again, fading to silence, so that a lost packet is no click. */
export class Concealment {
  private readonly memory = new Int16Array(MEMORY_SAMPLES)
  private faded = FADE_SAMPLES

  /** Remembers sound that did come. */
  hear(samples: Int16Array): void {
    const tail = samples.subarray(Math.max(0, samples.length - MEMORY_SAMPLES))
    this.memory.copyWithin(0, tail.length)
    this.memory.set(tail, MEMORY_SAMPLES - tail.length)
    this.faded = 0
  }

  /** The next `count` samples in place of what is lost. */
  fill(count: number): Int16Array {
    const out = new Int16Array(count)
    for (let i = 0; i < count && this.faded < FADE_SAMPLES; i++, this.faded++) {
      const sample = this.memory[this.faded % MEMORY_SAMPLES] as number
      out[i] = Math.round(sample * (1 - this.faded / FADE_SAMPLES))
    }
    return out
  }
}
