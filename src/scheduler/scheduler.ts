import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Part } from '../core/lifecycle.ts'
import type { Log } from '../core/log.ts'
import type { Job, JobStore } from './ports.ts'
import { createRunner, type Handler } from './runner.ts'

/** A jump of the wall clock is noticed after this at the latest. */
const LONGEST_SLEEP_MS = 30_000
/** What is due but cannot be claimed (another process's, or the store is away) is looked at again after this. */
const LOOK_AGAIN_MS = 1000

export interface SchedulerOptions {
  clock: Clock
  ids: Ids
  log: Log
  jobs: JobStore
  /** What to do for each kind of job; a handler that throws gets its job again after a rest. */
  handlers: Record<string, Handler>
  /** How long a claim holds without a sign of life. */
  leaseMs: number
  /**
   * How many handlers of each kind run at once, over all lanes: the room of one kind is never taken by another. A kind
   * that is not named has no limit.
   */
  maxParallel: Readonly<Record<string, number>>
}

export interface Scheduler extends Part {
  /** Something was added: looks for due jobs now. */
  wake(): void
  /**
   * Runs a job that `claim` writes as leased by us already, by `handler` in place of its kind's; resolves at its end. Null:
   * there is none.
   */
  adopt(
    claim: (lease: { owner: string; leaseUntil: number }) => Promise<Job | null>,
    handler: Handler,
  ): Promise<void>
  /**
   * Tells the handlers of a kind that run now to stop, by their signals. What they throw then is no failure: their jobs
   * are due at once for the next process.
   */
  abort(kind: string, reason: unknown): void
  /** Claims nothing more and waits for what runs. */
  stop(): Promise<void>
}

/**
 * Runs jobs when they are due. It sleeps until the next due time instead of polling; a wake, a finished handler or
 * that time make it look. For one scheduler per database: at its start it takes all leases for a dead process's.
 */
export function createScheduler(o: SchedulerOptions): Scheduler {
  const { clock, log, jobs } = o
  const owner = o.ids.uuid()
  const kinds = Object.keys(o.handlers)
  const runner = createRunner(o)
  let started = false
  let stopped = false
  let again = false
  let looking: Promise<void> | undefined
  let forget = (): void => undefined
  /** The clock at the last look. */
  let seen = clock.now()

  function look(): void {
    if (!started || stopped) return
    again = true
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined
      // Asked between the last look and here.
      if (again) look()
    })
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !stopped) {
      again = false
      forget()
      let sleepMs = LOOK_AGAIN_MS
      try {
        // First our own leases: after a jump of the clock they would pass for run out.
        await runner.renewRunOut()
        await jobs.rescue({ now: clock.now(), all: false })
        await keepDue()
        await claimWhileRoom()
        sleepMs = await untilNextDue()
      } catch (error) {
        log.error('jobs could not be looked at', { reason: reasonOf(error) })
      }
      forget()
      if (!stopped) forget = clock.after(sleepMs, look)
    }
  }

  async function keepDue(): Promise<void> {
    const now = clock.now()
    if (now < seen) await jobs.keepDue({ seen, now })
    seen = now
  }

  function kindsWithRoom(): string[] {
    return kinds.filter(
      (kind) => runner.running(kind) < (o.maxParallel[kind] ?? Number.POSITIVE_INFINITY),
    )
  }

  async function claimWhileRoom(): Promise<void> {
    for (let free = kindsWithRoom(); !stopped && free.length > 0; free = kindsWithRoom()) {
      const now = clock.now()
      const leaseUntil = now + o.leaseMs
      const job = await jobs.claim({ kinds: free, owner, now, leaseUntil })
      if (!job) return
      const { id, fence, runAt } = job
      if (stopped) await jobs.release({ id, fence, runAt, unbegun: true })
      else void runner.run(job, leaseUntil).then(look)
    }
  }

  async function untilNextDue(): Promise<number> {
    // Of a kind without room nothing is to be woken for: a handler's end looks anyway.
    const due = await jobs.nextDue({ kinds: kindsWithRoom() })
    if (due === null) return LONGEST_SLEEP_MS
    const wait = due - clock.now()
    return wait <= 0 ? LOOK_AGAIN_MS : Math.min(wait, LONGEST_SLEEP_MS)
  }

  return {
    async start() {
      if (started || stopped) return
      const rescued = await jobs.rescue({ now: clock.now(), all: true })
      if (rescued > 0) log.info('jobs of an earlier process rescued', { count: rescued })
      started = true
      look()
    },
    wake: look,
    async adopt(claim, handler) {
      const leaseUntil = clock.now() + o.leaseMs
      const job = await claim({ owner, leaseUntil })
      if (!job) return
      await runner.run(job, leaseUntil, handler)
      look()
    },
    abort: (kind, reason) => runner.abort(kind, reason),
    async stop() {
      stopped = true
      forget()
      await looking
      await runner.idle()
    },
  }
}
