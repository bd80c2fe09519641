import { and, eq, sql } from 'drizzle-orm'
import type { Ids } from '../core/ids.ts'
import type { Rows } from './database.ts'
import { job } from './schema.ts'

/** The job that places a call; its key is the call's id. */
export const CALL_JOB = 'call.run'
/** All calls share this lane: its capacity is the number of lines. */
export const CALL_LANE = 'calls'
/** The job that sends a delivery; its key is the delivery's id, its lane the webhook's id. */
export const DELIVERY_JOB = 'webhook.deliver'

/** Word for word the condition of the indexes on leases, so that they are used. */
export const isLeasedRow = sql`${job.state} = 'leased'`

/** Adds a ready job. False when there is one of this kind and key. */
export function insertJob(
  rows: Rows,
  ids: Ids,
  o: { kind: string; key: string; lane: string | null; runAt: number },
): boolean {
  const added = rows
    .insert(job)
    .values({ id: ids.uuid(), ...o, state: 'ready', attempt: 0, fence: 0 })
    .onConflictDoNothing({ target: [job.kind, job.key] })
    .returning({ id: job.id })
    .all()
  return added.length === 1
}

/** Adds a job that its maker has claimed already; returns that claim. */
export function insertLeasedJob(
  rows: Rows,
  ids: Ids,
  o: {
    kind: string
    key: string
    lane: string
    runAt: number
    owner: string
    leaseUntil: number
  },
): { jobId: string; fence: number } {
  const { owner, ...rest } = o
  const claim = { id: ids.uuid(), state: 'leased', attempt: 1, fence: 1 } as const
  rows
    .insert(job)
    .values({ ...rest, ...claim, leaseOwner: owner })
    .run()
  return { jobId: claim.id, fence: claim.fence }
}

/** Whether a worker's claim still stands, and is one on this kind and key. */
export function holdsJob(
  rows: Rows,
  fence: { jobId: string; fence: number },
  o: { kind: string; key: string },
): boolean {
  const held = rows
    .select({ id: job.id })
    .from(job)
    .where(
      and(
        eq(job.id, fence.jobId),
        eq(job.fence, fence.fence),
        eq(job.state, 'leased'),
        eq(job.kind, o.kind),
        eq(job.key, o.key),
      ),
    )
    .get()
  return held !== undefined
}

/** A job that is held is let go, to begin anew at `runAt`; who held it finds its fence gone. */
export function putOffJob(rows: Rows, o: { kind: string; key: string; runAt: number }): void {
  rows
    .update(job)
    .set({ state: 'ready', leaseOwner: null, leaseUntil: null, attempt: 0, runAt: o.runAt })
    .where(and(eq(job.kind, o.kind), eq(job.key, o.key)))
    .run()
}

/** Ends a job whoever holds it: a worker that still runs finds its fence gone. */
export function endJob(rows: Rows, o: { kind: string; key: string }): void {
  rows
    .delete(job)
    .where(and(eq(job.kind, o.kind), eq(job.key, o.key)))
    .run()
}
