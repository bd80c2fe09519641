/** Who is recognised next, of all calls that share the thread. Pure. */

export interface SttJob {
  readonly id: number
  /** Whose speech it is. */
  readonly ring: number
  /** The text so far of speech that goes on: it gives way to texts that are waited for. */
  readonly isPartial: boolean
}

export interface SttLine<Job extends SttJob> {
  add(job: Job): void
  /** Nobody waits for this job any more. */
  remove(id: number): void
  /** The thread is done with a job, or gave it up. Returns whether its caller is to be told. */
  answered(id: number, o: { gaveUp: boolean }): boolean
  /** The thread is gone, and everything that waited for it. */
  clear(): void
}

/**
 * One job is with the thread at a time, so that what comes first is decided when it is free: texts that are waited for
 * before partial ones, each kind in the order of asking. A partial text is overtaken by a later request for the same speech
 * while it waits, and stopped for any text that is waited for; another call's then goes back to the head of the line.
 */
export function createSttLine<Job extends SttJob>(o: {
  start: (job: Job) => void
  /** The thread is to give up this job; it answers all the same. */
  stop: (job: Job) => void
  overtaken: (job: Job) => void
}): SttLine<Job> {
  let waiting: Job[] = []
  let running: { job: Job; fate: 'wanted' | 'unwanted' | 'displaced' } | undefined

  function next(): void {
    if (running) return
    const job = waiting.find((each) => !each.isPartial) ?? waiting[0]
    if (!job) return
    waiting = waiting.filter((each) => each !== job)
    running = { job, fate: 'wanted' }
    o.start(job)
  }

  function overtake(ring: number): void {
    const stale = waiting.filter((each) => each.isPartial && each.ring === ring)
    waiting = waiting.filter((each) => !stale.includes(each))
    for (const job of stale) o.overtaken(job)
  }

  function displace(ring: number): void {
    if (!running?.job.isPartial || running.fate !== 'wanted') return
    const { job } = running
    running.fate = job.ring === ring ? 'unwanted' : 'displaced'
    o.stop(job)
    if (job.ring === ring) o.overtaken(job)
  }

  return {
    add(job) {
      overtake(job.ring)
      if (!job.isPartial) displace(job.ring)
      waiting.push(job)
      next()
    },
    remove(id) {
      waiting = waiting.filter((job) => job.id !== id)
      if (running?.job.id !== id || running.fate === 'unwanted') return
      running.fate = 'unwanted'
      o.stop(running.job)
    },
    answered(id, { gaveUp }) {
      if (running?.job.id !== id) return false
      const { job, fate } = running
      running = undefined
      const isBack = fate === 'displaced' && gaveUp
      if (isBack && waiting.some(({ ring }) => ring === job.ring)) o.overtaken(job)
      else if (isBack) waiting.unshift(job)
      next()
      return !isBack && fate !== 'unwanted'
    },
    clear() {
      waiting = []
      running = undefined
    },
  }
}
