/** Counts of packets by how late they left, in steps of 0.1 ms; the last one takes all that were later. */
const STEPS = 512
const STEP_MS = 0.1

export interface LatenessFigures {
  packets: number
  /** In ms, rounded up to a step; 0 where nothing was sent. */
  p50: number
  p99: number
  max: number
}

/** How late packets leave, in memory that the worker writes and everybody may read. */
export class Lateness {
  readonly buffer: SharedArrayBuffer
  private readonly counts: Int32Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(STEPS * 4)) {
    this.buffer = buffer
    this.counts = new Int32Array(buffer)
  }

  /** A packet left `ms` after it was due. One writer only. */
  add(ms: number): void {
    const step = Math.max(0, Math.min(STEPS - 1, Math.floor(ms / STEP_MS)))
    this.counts[step] = (this.counts[step] as number) + 1
  }

  /** The counts as they are now, for `figures` to begin from. */
  mark(): Int32Array {
    return this.counts.slice()
  }

  /** All packets since the last `clear`, or between two marks that were made after it. */
  figures(since?: Int32Array, until: Int32Array = this.mark()): LatenessFigures {
    // The counts may wrap around; what lies between two marks does not.
    const counts = until.map((count, step) => (count - (since?.[step] ?? 0)) | 0)
    const packets = counts.reduce((sum, count) => sum + count, 0)
    const at = (rank: number): number => {
      let seen = 0
      for (let step = 0; step < STEPS; step++) {
        seen += counts[step] as number
        if (seen >= rank && seen > 0) return (step + 1) * STEP_MS
      }
      return 0
    }
    const part = (q: number): number => at(Math.ceil(packets * q))
    return { packets, p50: part(0.5), p99: part(0.99), max: at(packets) }
  }

  clear(): void {
    this.counts.fill(0)
  }
}
