/** A durable job: something to do at a time, once. */
export interface Job {
  id: string
  kind: string
  /** Unique within a kind: what the job is about (a call's or a delivery's id). */
  key: string
  /** Counts claims, from 1; those that began nothing are not counted. */
  attempt: number
  /** Grows with each claim; every write by a worker names it, and a worker whose fence is old has lost. */
  fence: number
  runAt: number
}

/**
 * Jobs on disk. A lane limits how many of its jobs run at once (`capacity`), from when (`openAt`), and how far apart
 * they start (`paceMs`). All methods are one transaction each.
 */
export interface JobStore {
  add(job: { kind: string; key: string; lane: string | null; runAt: number }): Promise<boolean>
  /** The due job that waited longest in a lane with room, leased until `leaseUntil`; null when there is none. */
  claim(o: {
    kinds: readonly string[]
    owner: string
    now: number
    leaseUntil: number
  }): Promise<Job | null>
  /** False when the lease was lost. */
  renew(o: { id: string; fence: number; leaseUntil: number }): Promise<boolean>
  /** Ends a job that ran; false when the lease was lost. */
  complete(o: { id: string; fence: number }): Promise<boolean>
  /**
   * Gives a job back, to run again at `runAt`. `unbegun`: nothing was begun, so that the claim counts neither as an
   * attempt nor in its lane's pace.
   */
  release(o: { id: string; fence: number; runAt: number; unbegun?: boolean }): Promise<boolean>
  /** Jobs whose lease ran out become ready again; with `all` every lease counts as run out (at start). */
  rescue(o: { now: number; all: boolean }): Promise<number>
  /** The clock was set back from `seen` to `now`: ready jobs that were due stay due, in their order. */
  keepDue(o: { seen: number; now: number }): Promise<void>
  /** When the next ready job of these kinds may start or the next lease runs out; null when nothing waits. */
  nextDue(o: { kinds: readonly string[] }): Promise<number | null>
  setLane(lane: { name: string; capacity: number; openAt?: number; paceMs?: number }): Promise<void>
}
