/**
 * The shared memory of one call: what the human said, and the flags by which the speech detector pauses our sound.
 *
 * Layout, little words first: SLOTS 32-bit integers, then `capacity` 16-bit samples.
 * The media worker writes sound; everybody else reads. Positions count samples since the answer and never wrap
 * within a call (2^31 samples at 8 kHz are 74 hours).
 */
const SLOTS = 32
const SLOT = {
  rateHz: 0,
  capacity: 1,
  /** Samples written since the answer. */
  written: 2,
  /** 1 while human speech may pause our sound. */
  armed: 3,
  /** Speech of this many samples pauses it. */
  minSpeech: 4,
  /** Speech that began before this position … */
  graceUntil: 5,
  /** … pauses it only when it lasts this many samples. */
  graceMinSpeech: 6,
  /** 1 while our sound waits where it is: raised by the speech detector, obeyed by the media worker. */
  paused: 7,
  /** Samples of our own speech that left for the human since the answer. */
  heard: 8,
} as const

/** When human speech pauses ours: the rule that `arm` writes and the speech detector reads. All in samples. */
export interface BargeInRule {
  minSpeech: number
  /** An utterance begun before this position (a "Hello?" at the answer) has to last `graceMinSpeech`. */
  graceUntil: number
  graceMinSpeech: number
}

export class Ring {
  readonly buffer: SharedArrayBuffer
  readonly rateHz: number
  readonly capacity: number
  private readonly slots: Int32Array
  private readonly samples: Int16Array

  /** Opens shared memory that `Ring.create` made, on any thread. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.slots = new Int32Array(buffer, 0, SLOTS)
    this.samples = new Int16Array(buffer, SLOTS * 4)
    this.rateHz = this.slots[SLOT.rateHz] as number
    this.capacity = this.slots[SLOT.capacity] as number
  }

  /** Memory for the last `seconds` of sound at `rateHz`. */
  static create(rateHz: number, seconds: number): Ring {
    const capacity = rateHz * seconds
    const buffer = new SharedArrayBuffer(SLOTS * 4 + capacity * 2)
    const slots = new Int32Array(buffer, 0, SLOTS)
    slots[SLOT.rateHz] = rateHz
    slots[SLOT.capacity] = capacity
    return new Ring(buffer)
  }

  /** Samples written since the answer. */
  get written(): number {
    return Atomics.load(this.slots, SLOT.written)
  }

  /** Appends sound. One writer only. */
  write(frame: Int16Array): void {
    const at = this.written
    const start = at % this.capacity
    const head = Math.min(frame.length, this.capacity - start)
    this.samples.set(frame.subarray(0, head), start)
    if (head < frame.length) this.samples.set(frame.subarray(head), 0)
    Atomics.store(this.slots, SLOT.written, at + frame.length)
    Atomics.notify(this.slots, SLOT.written)
  }

  /** Resolves once something else than `seen` samples is written, on whichever thread; after `ms` at the latest. */
  async grown(seen: number, ms: number): Promise<void> {
    await Atomics.waitAsync(this.slots, SLOT.written, seen, ms).value
  }

  /** A copy of the samples from position `from` up to `to`, less what was overwritten or is not written yet. */
  read(from: number, to: number): Int16Array {
    const written = this.written
    const end = Math.min(to, written)
    const begin = Math.max(from, written - this.capacity, 0)
    const out = new Int16Array(Math.max(0, end - begin))
    const start = begin % this.capacity
    const head = Math.min(out.length, this.capacity - start)
    out.set(this.samples.subarray(start, start + head))
    out.set(this.samples.subarray(0, out.length - head), head)
    return out
  }

  /** Lets human speech pause our sound by `rule`; null forbids it, and what is paused goes on. */
  arm(rule: BargeInRule | null): void {
    Atomics.store(this.slots, SLOT.armed, 0)
    if (!rule) {
      this.resume()
      return
    }
    Atomics.store(this.slots, SLOT.minSpeech, rule.minSpeech)
    Atomics.store(this.slots, SLOT.graceUntil, rule.graceUntil)
    Atomics.store(this.slots, SLOT.graceMinSpeech, rule.graceMinSpeech)
    Atomics.store(this.slots, SLOT.armed, 1)
  }

  /**
   * Pauses our sound when speech that began at `from` and lasts until `to` is enough by the armed rule; the rule has
   * then had its effect, until it is armed again.
   */
  pauseIfArmed(from: number, to: number): boolean {
    if (Atomics.load(this.slots, SLOT.armed) === 0) return false
    const graced = from < Atomics.load(this.slots, SLOT.graceUntil)
    const enough = Atomics.load(this.slots, graced ? SLOT.graceMinSpeech : SLOT.minSpeech)
    if (to - from < enough) return false
    Atomics.store(this.slots, SLOT.armed, 0)
    Atomics.store(this.slots, SLOT.paused, 1)
    return true
  }

  /** True while our sound has to wait where it is: the media worker sends silence. */
  get paused(): boolean {
    return Atomics.load(this.slots, SLOT.paused) === 1
  }

  /** Our sound goes on from the sample at which it was paused. */
  resume(): void {
    Atomics.store(this.slots, SLOT.paused, 0)
  }

  /** Samples of our own speech that left for the human since the answer. */
  get heard(): number {
    return Atomics.load(this.slots, SLOT.heard)
  }

  addHeard(samples: number): void {
    Atomics.add(this.slots, SLOT.heard, samples)
  }
}
