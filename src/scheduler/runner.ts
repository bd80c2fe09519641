import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Job, JobStore } from './ports.ts'
import { restAfter } from './retry.ts'

/**
 * Does what a job is about. `signal` aborts when the lease is lost (no write under its fence succeeds any more) or
 * when its kind is stopped with a reason. A handler may end its job in its own transaction.
 */
export type Handler = (job: Job, o: { signal: AbortSignal }) => Promise<void>

interface Run {
  job: Job
  handler: Handler | undefined
  leaseUntil: number
  abort: AbortController
  /** It was told to stop: what it throws then is no failure. */
  stopped: boolean
  done: Promise<void>
  forget(): void
}

/** The handlers that run now, and their leases. */
export interface Runner {
  /** How many handlers run for jobs of this kind. */
  running(kind: string): number
  /** Runs a claimed job to its end, by `handler` where it is not to be its kind's; never rejects. */
  run(job: Job, leaseUntil: number, handler?: Handler): Promise<void>
  /** Renews those of our leases that look run out by the clock. */
  renewRunOut(): Promise<void>
  /** Tells the running handlers of a kind to stop; what they then leave undone is due at once for the next process. */
  abort(kind: string, reason: unknown): void
  /** Resolves when nothing runs. */
  idle(): Promise<void>
}

export function createRunner(o: {
  clock: Clock
  ids: Ids
  log: Log
  jobs: JobStore
  handlers: Record<string, Handler>
  leaseMs: number
}): Runner {
  const { clock, log, jobs } = o
  const runs = new Set<Run>()
  const ofKind = (kind: string): Run[] => [...runs].filter((run) => run.job.kind === kind)

  function fields(job: Job): Record<string, unknown> {
    return { kind: job.kind, about: job.key, attempt: job.attempt }
  }

  async function renew(run: Run): Promise<void> {
    const leaseUntil = clock.now() + o.leaseMs
    const { id, fence } = run.job
    try {
      if (await jobs.renew({ id, fence, leaseUntil })) run.leaseUntil = leaseUntil
      else if (runs.has(run)) lose(run)
    } catch (error) {
      log.error('a lease could not be renewed', { ...fields(run.job), reason: reasonOf(error) })
    }
  }

  function lose(run: Run): void {
    run.forget()
    run.abort.abort(new Error('the lease on this job was lost'))
  }

  function keepRenewing(run: Run): void {
    run.forget = clock.after(o.leaseMs / 3, () => {
      keepRenewing(run)
      void renew(run)
    })
  }

  async function execute(run: Run): Promise<void> {
    const { job } = run
    const { id, fence } = job
    try {
      await perform(run)
      await jobs.complete({ id, fence })
    } catch (error) {
      if (!run.stopped) log.warn('job failed', { ...fields(job), reason: reasonOf(error) })
      const rest = run.stopped ? 0 : restAfter(job.attempt, o.ids.fraction())
      await jobs
        .release({ id, fence, runAt: clock.now() + rest })
        .catch((problem: unknown) =>
          log.error('a job could not be released', { ...fields(job), reason: reasonOf(problem) }),
        )
    } finally {
      run.forget()
      runs.delete(run)
    }
  }

  async function perform({ job, handler, abort: { signal } }: Run): Promise<void> {
    if (!handler) throw new Error(`there is no handler for jobs of kind ${job.kind}`)
    await handler(job, { signal })
  }

  return {
    running: (kind) => ofKind(kind).length,
    run(job, leaseUntil, handler = o.handlers[job.kind]) {
      const run: Run = {
        job,
        handler,
        leaseUntil,
        abort: new AbortController(),
        stopped: false,
        done: Promise.resolve(),
        forget: () => undefined,
      }
      runs.add(run)
      keepRenewing(run)
      run.done = execute(run)
      return run.done
    },
    async renewRunOut() {
      const now = clock.now()
      const runOut = [...runs].filter((run) => run.leaseUntil <= now)
      await Promise.all(runOut.map(renew))
    },
    abort(kind, reason) {
      for (const run of ofKind(kind)) {
        run.stopped = true
        run.abort.abort(reason)
      }
    },
    async idle() {
      while (runs.size > 0) await Promise.all([...runs].map((run) => run.done))
    },
  }
}
