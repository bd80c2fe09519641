/** RFC 3711 §3.3.2: how far back a packet may come and still be told from one that was there before. */
const WINDOW = 64

/** Which packets of one stream have come, by index: the sequence number with the roll-over counter before it. */
export class ReplayWindow {
  private highest = -1
  /** Bit n is the packet n below the highest; two halves of 32. */
  private near = 0
  private far = 0

  /** The index that a sequence number stands for: the one nearest to what came last (§3.3.1). May be below 0. */
  guess(sequence: number): number {
    if (this.highest < 0) return sequence
    const distance = ((sequence - this.highest) << 16) >> 16
    return this.highest + distance
  }

  /** Whether it was there before, or so long ago that nobody knows. */
  has(index: number): boolean {
    const age = this.highest - index
    if (age < 0) return false
    if (age >= WINDOW) return true
    return ((age < 32 ? this.near >>> age : this.far >>> (age - 32)) & 1) === 1
  }

  /** Marks a packet as come. Only for one that is authentic and was not there before. */
  take(index: number): void {
    const ahead = index - this.highest
    if (ahead > 0) {
      this.shift(ahead)
      this.highest = index
      this.near |= 1
    } else if (-ahead < 32) this.near |= 1 << -ahead
    else if (-ahead < WINDOW) this.far |= 1 << (-ahead - 32)
  }

  private shift(by: number): void {
    if (by >= WINDOW) {
      this.near = 0
      this.far = 0
    } else if (by >= 32) {
      this.far = this.near << (by - 32)
      this.near = 0
    } else {
      this.far = (this.far << by) | (this.near >>> (32 - by))
      this.near <<= by
    }
  }
}
