/** What is due at certain times. */
export interface Due {
  /** When it is due next; Infinity: not at all. */
  readonly dueAt: number
  /** Does what is due; `dueAt` is later then. It may remove itself from its schedule, nothing else. */
  beat(now: number): void
}

const ROOM = 64

/** All that is due some time, with the times side by side in memory: looking through hundreds costs a microsecond. */
export class Schedule<T extends Due> {
  private readonly all: T[] = []
  private times = new Float64Array(ROOM)

  add(one: T): void {
    if (this.all.length === this.times.length) {
      const larger = new Float64Array(2 * this.times.length)
      larger.set(this.times)
      this.times = larger
    }
    this.times[this.all.length] = one.dueAt
    this.all.push(one)
  }

  /** Nothing changes when it is not there. */
  remove(one: T): void {
    const at = this.all.indexOf(one)
    const last = this.all.pop()
    if (last === undefined) return
    if (at < 0) this.all.push(last)
    else if (last !== one) {
      this.all[at] = last
      this.times[at] = this.times[this.all.length] as number
    }
  }

  /** Looks when `one` is due, which something else than its beat has changed. */
  changed(one: T): void {
    const at = this.all.indexOf(one)
    if (at >= 0) this.times[at] = one.dueAt
  }

  /** Beats everything that is due by `until`. Returns when the next is due, Infinity when nothing is. */
  run(now: number, until: number): number {
    let next = Number.POSITIVE_INFINITY
    // Backwards: what ends at its beat is replaced by what has had its turn.
    for (let at = this.all.length - 1; at >= 0; at--) {
      const one = this.all[at] as T
      if ((this.times[at] as number) <= until) {
        one.beat(now)
        if (this.all[at] !== one) continue
        this.times[at] = one.dueAt
      }
      const due = this.times[at] as number
      if (due < next) next = due
    }
    return next
  }
}
