import { and, asc, desc, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Attempt, Delivery, WebhookStore } from '../webhooks/ports.ts'
import type { Rows, StoreParts } from './database.ts'
import { DELIVERY_JOB, insertJob } from './job-rows.ts'
import { attempt, delivery, job } from './schema.ts'

export function readDelivery(rows: Rows, id: string): Delivery | null {
  return withAttempts(rows, eq(delivery.id, id), 1)[0] ?? null
}

export function readDeliveries(
  rows: Rows,
  webhookId: string,
  o: Parameters<WebhookStore['deliveries']>[1],
): Delivery[] {
  const { cursor } = o
  const older = cursor
    ? sql`(${delivery.createdAt}, ${delivery.id}) < (${cursor.createdAt}, ${cursor.id})`
    : undefined
  return withAttempts(rows, and(eq(delivery.webhookId, webhookId), older), o.limit)
}

export function insertAttempt(rows: Rows, deliveryId: string, made: Attempt): void {
  const last = rows
    .select({ seq: attempt.seq })
    .from(attempt)
    .where(eq(attempt.deliveryId, deliveryId))
    .orderBy(desc(attempt.seq))
    .limit(1)
    .get()
  const { at, status, durationMs, error, responseExcerpt } = made
  rows
    .insert(attempt)
    .values({
      deliveryId,
      seq: (last?.seq ?? 0) + 1,
      at,
      status,
      durationMs,
      error,
      responseExcerpt,
    })
    .run()
}

/** Makes a delivery pending and due now, with all its retries. One that is being sent right now stays so. */
export function resume(
  { rows, ids }: Pick<StoreParts, 'rows' | 'ids'>,
  id: string,
  o: { lane: string | null; now: number },
): void {
  rows
    .update(delivery)
    .set({ state: 'pending', failures: 0, nextAttemptAt: o.now })
    .where(eq(delivery.id, id))
    .run()
  if (insertJob(rows, ids, { kind: DELIVERY_JOB, key: id, lane: o.lane, runAt: o.now })) return
  rows
    .update(job)
    .set({ runAt: o.now, lane: o.lane })
    .where(and(eq(job.kind, DELIVERY_JOB), eq(job.key, id), eq(job.state, 'ready')))
    .run()
}

/**
 * What is pending for a webhook waits for its being enabled. An attempt that is under way keeps its job, so that its
 * outcome is still written.
 */
export function holdDeliveries(rows: Rows, webhookId: string): void {
  const pending = and(eq(delivery.webhookId, webhookId), eq(delivery.state, 'pending'))
  const keys = rows.select({ id: delivery.id }).from(delivery).where(pending)
  rows
    .delete(job)
    .where(and(eq(job.kind, DELIVERY_JOB), eq(job.state, 'ready'), inArray(job.key, keys)))
    .run()
  rows.update(delivery).set({ state: 'waiting', nextAttemptAt: null }).where(pending).run()
}

/** Newest first; the attempts of all of them in one further look. */
function withAttempts(rows: Rows, where: SQL | undefined, limit: number): Delivery[] {
  const found = rows
    .select()
    .from(delivery)
    .where(where)
    .orderBy(desc(delivery.createdAt), desc(delivery.id))
    .limit(limit)
    .all()
  const made = rows
    .select()
    .from(attempt)
    .where(
      inArray(
        attempt.deliveryId,
        found.map((one) => one.id),
      ),
    )
    .orderBy(asc(attempt.deliveryId), asc(attempt.seq))
    .all()
  const byDelivery = Map.groupBy(made, (one) => one.deliveryId)
  return found.map((one) => ({
    ...one,
    attempts: (byDelivery.get(one.id) ?? []).map(({ deliveryId: _d, seq: _s, ...rest }) => rest),
  }))
}
