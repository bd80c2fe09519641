import { eq, sql } from 'drizzle-orm'
import { DISABLE_AFTER, LANE_CAPACITY } from '../webhooks/backoff.ts'
import type { DeliveryFence, WebhookStore } from '../webhooks/ports.ts'
import type { Rows, StoreParts } from './database.ts'
import { holdDeliveries, insertAttempt } from './delivery-rows.ts'
import { DELIVERY_JOB, endJob, holdsJob } from './job-rows.ts'
import { setLane } from './lane-rows.ts'
import { delivery, job, webhook } from './schema.ts'

type Failure = Parameters<WebhookStore['recordFailure']>[0]

/** What an attempt at a delivery came to, with all that follows for its webhook, in one transaction. */
export function createDeliveryOutcomes({
  rows,
  tx,
}: StoreParts): Pick<WebhookStore, 'recordSuccess' | 'recordFailure' | 'park'> {
  return {
    recordSuccess: (o) =>
      tx.write(() => {
        const webhookId = webhookOf(rows, o.deliveryId, o.fence)
        if (webhookId === null) return false
        insertAttempt(rows, o.deliveryId, o.attempt)
        rows
          .update(delivery)
          .set({ state: 'delivered', nextAttemptAt: null })
          .where(eq(delivery.id, o.deliveryId))
          .run()
        rows.update(webhook).set({ consecutiveFailures: 0 }).where(eq(webhook.id, webhookId)).run()
        setLane(rows, { name: webhookId, capacity: LANE_CAPACITY, openAt: 0 })
        endJob(rows, { kind: DELIVERY_JOB, key: o.deliveryId })
        return true
      }),
    recordFailure: (o) =>
      tx.write(() => {
        const webhookId = webhookOf(rows, o.deliveryId, o.fence)
        if (webhookId === null) return null
        insertAttempt(rows, o.deliveryId, o.attempt)
        setLane(rows, { name: webhookId, capacity: 1, openAt: o.probeAt })
        const active = countFailure(rows, webhookId, o)
        const state = scheduleNext(rows, webhookId, o, active)
        if (!active) holdDeliveries(rows, webhookId)
        return state
      }),
    park: (o) =>
      tx.write(() => {
        if (webhookOf(rows, o.deliveryId, o.fence) === null) return false
        rows
          .update(delivery)
          .set({ state: 'waiting', nextAttemptAt: null })
          .where(eq(delivery.id, o.deliveryId))
          .run()
        endJob(rows, { kind: DELIVERY_JOB, key: o.deliveryId })
        return true
      }),
  }
}

/** The webhook of a delivery whose job is still ours; null when another took over, or it is gone. */
function webhookOf(rows: Rows, deliveryId: string, fence: DeliveryFence): string | null {
  if (!holdsJob(rows, fence, { kind: DELIVERY_JOB, key: deliveryId })) return null
  const found = rows
    .select({ webhookId: delivery.webhookId })
    .from(delivery)
    .where(eq(delivery.id, deliveryId))
    .get()
  return found?.webhookId ?? null
}

/**
 * Counts on the row, so that attempts which fail at the same time are counted each, and disables the webhook when the
 * count says so there. Returns whether it is still active.
 */
function countFailure(rows: Rows, webhookId: string, o: Failure): boolean {
  const off = { active: false, disabledAt: o.attempt.at + o.attempt.durationMs }
  const counted = rows
    .update(webhook)
    .set({
      consecutiveFailures: sql`max(${webhook.consecutiveFailures} + 1, ${o.consecutiveFailures})`,
      ...(o.disable ? off : {}),
    })
    .where(eq(webhook.id, webhookId))
    .returning({ active: webhook.active, failures: webhook.consecutiveFailures })
    .get()
  if (!counted?.active) return false
  if (counted.failures < DISABLE_AFTER) return true
  rows.update(webhook).set(off).where(eq(webhook.id, webhookId)).run()
  return false
}

/** Failed for good, waiting while the webhook is off, or released in its own lane for the next attempt. */
function scheduleNext(
  rows: Rows,
  webhookId: string,
  o: Failure,
  active: boolean,
): 'failed' | 'pending' | 'waiting' {
  const { nextAttemptAt } = o
  const state = nextAttemptAt === null ? 'failed' : active ? 'pending' : 'waiting'
  rows
    .update(delivery)
    .set({
      state,
      failures: sql`${delivery.failures} + 1`,
      nextAttemptAt: state === 'pending' ? nextAttemptAt : null,
    })
    .where(eq(delivery.id, o.deliveryId))
    .run()
  if (nextAttemptAt === null || state !== 'pending') {
    endJob(rows, { kind: DELIVERY_JOB, key: o.deliveryId })
    return state
  }
  rows
    .update(job)
    .set({
      state: 'ready',
      leaseOwner: null,
      leaseUntil: null,
      runAt: nextAttemptAt,
      lane: webhookId,
    })
    .where(eq(job.id, o.fence.jobId))
    .run()
  return state
}
