import { Resampler } from '../../core/resample.ts'

/**
 * Changes the rate of a stream packet by packet: each piece gives its whole share at once, 4 ms late. For sound whose
 * codec was changed during the call to one of another rate than the call's ring.
 */
export class SteadyResampler {
  private readonly fromHz: number
  private readonly toHz: number
  private readonly resampler: Resampler | null

  constructor(fromHz: number, toHz: number) {
    this.fromHz = fromHz
    this.toHz = toHz
    this.resampler = fromHz === toHz ? null : new Resampler(fromHz, toHz)
    // The filter waits for what comes after a sample: with that much silence before, it never has to.
    this.resampler?.push(new Int16Array(this.resampler.delay))
  }

  /** Whether it changes from and to these rates. */
  isFor(fromHz: number, toHz: number): boolean {
    return this.fromHz === fromHz && this.toHz === toHz
  }

  push(samples: Int16Array): Int16Array {
    return this.resampler ? this.resampler.push(samples) : samples
  }
}
