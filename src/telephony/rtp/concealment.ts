/** A repeat is as loud as what it repeats for so long, and silent after so long. */
const LOUD_MS = 10
const FADED_MS = 60
/** The voice's period is sought between these: 400 Hz to 66 Hz. */
const SHORTEST_PERIOD_MS = 2.5
const LONGEST_PERIOD_MS = 15
/** Two stretches of this length are compared. */
const COMPARED_MS = 20
/** Less alike than this (1: the same) is no voice but noise; that is repeated at the longest period, or it would hum. */
const VOICED = 0.5
/** True sound that comes after a repeat is blended with its continuation for so long. */
const BLEND_MS = 4

/**
 * Fills the place of lost sound, so that a lost packet is no click and no hole: the last period of the voice goes on,
 * fading to silence, and what comes then is blended in. It adds no delay.
 */
export class Concealment {
  private readonly last: (count: number) => Int16Array
  private readonly memory: number
  private readonly shortest: number
  private readonly longest: number
  private readonly compared: number
  private readonly loud: number
  private readonly faded: number
  private readonly blend: number
  /** Nothing was heard since silence. */
  private empty = true
  /** Samples filled in since sound came. */
  private filled = 0
  private cycle: Int16Array
  /** How far the first sample of the cycle is from where the sound broke off. */
  private step = 0

  /** `last` gives the last `count` samples that were written, fewer where there are no more. */
  constructor(rateHz: number, last: (count: number) => Int16Array) {
    const samples = (ms: number): number => Math.round((ms * rateHz) / 1000)
    this.shortest = samples(SHORTEST_PERIOD_MS)
    this.longest = samples(LONGEST_PERIOD_MS)
    this.compared = samples(COMPARED_MS)
    this.loud = samples(LOUD_MS)
    this.faded = samples(FADED_MS)
    this.blend = samples(BLEND_MS)
    this.memory = this.compared + this.longest + (this.longest >> 2) + 1
    this.last = last
    this.cycle = new Int16Array(0)
  }

  /** Sound that did come: itself, or after a fill a copy whose beginning is blended with that. To be written. */
  hear(samples: Int16Array): Int16Array {
    const heard = this.filled === 0 ? samples : this.blended(samples)
    this.filled = 0
    this.empty = false
    return heard
  }

  /** The next `count` samples in place of what is lost. */
  fill(count: number): Int16Array {
    const out = new Int16Array(count)
    if (this.empty) return out
    if (this.filled === 0) this.findCycle()
    for (let i = 0; i < count && this.filled < this.faded; i++) out[i] = this.nextFilled()
    return out
  }

  /** Silence came: there is nothing to go on from. */
  forget(): void {
    this.empty = true
    this.filled = 0
  }

  private nextFilled(): number {
    const { cycle, filled, blend } = this
    this.filled++
    const on = cycle[filled % cycle.length] as number
    const joined = filled < blend ? on + this.step * (1 - (filled + 1) / (blend + 1)) : on
    const gain = 1 - Math.max(0, filled - this.loud) / (this.faded - this.loud)
    return Math.max(-32_768, Math.min(32_767, Math.round(joined * gain)))
  }

  private blended(samples: Int16Array): Int16Array {
    const out = samples.slice()
    const count = Math.min(this.blend, out.length)
    for (let i = 0; i < count; i++) {
      const filled = this.filled < this.faded ? this.nextFilled() : 0
      const weight = (i + 1) / (count + 1)
      out[i] = Math.round(filled * (1 - weight) + (out[i] as number) * weight)
    }
    return out
  }

  /** The last period; its end is bent towards what came before its beginning, so that it goes round without a seam. */
  private findCycle(): void {
    const past = this.remembered()
    const period = this.findPeriod(past)
    const begin = past.length - period
    const bent = period >> 2
    this.cycle = past.slice(begin)
    for (let i = 0; i < bent; i++) {
      const weight = (i + 1) / (bent + 1)
      const at = period - bent + i
      const before = past[begin - bent + i] as number
      this.cycle[at] = Math.round((this.cycle[at] as number) * (1 - weight) + before * weight)
    }
    this.step = (past[past.length - 1] as number) - (past[begin - 1] as number)
  }

  private remembered(): Int16Array {
    const last = this.last(this.memory)
    if (last.length === this.memory) return last
    const past = new Int16Array(this.memory)
    past.set(last, this.memory - last.length)
    return past
  }

  /** Every other lag first, then those beside the best. */
  private findPeriod(past: Int16Array): number {
    let best = this.longest
    let alike = VOICED
    const consider = (lag: number): void => {
      const now = this.likeness(past, lag)
      if (now <= alike) return
      alike = now
      best = lag
    }
    for (let lag = this.shortest; lag <= this.longest; lag += 2) consider(lag)
    const coarse = best
    if (coarse > this.shortest) consider(coarse - 1)
    if (coarse < this.longest) consider(coarse + 1)
    return best
  }

  /** How alike the last 20 ms and those `lag` samples earlier are: their correlation, 1 for the same. */
  private likeness(past: Int16Array, lag: number): number {
    const { compared } = this
    let both = 0
    let now = 1
    let then = 1
    for (let i = past.length - compared; i < past.length; i += 2) {
      const a = past[i] as number
      const b = past[i - lag] as number
      both += a * b
      now += a * a
      then += b * b
    }
    return both / Math.sqrt(now * then)
  }
}
