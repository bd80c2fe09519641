import { and, asc, eq, inArray } from 'drizzle-orm'
import { LANE_CAPACITY } from '../webhooks/backoff.ts'
import type { WebhookInfo, WebhookStore } from '../webhooks/ports.ts'
import type { Rows, StoreParts } from './database.ts'
import { createDeliveryOutcomes } from './delivery-outcome.ts'
import { holdDeliveries, readDeliveries, readDelivery, resume } from './delivery-rows.ts'
import { DELIVERY_JOB } from './job-rows.ts'
import { removeLane, setLane } from './lane-rows.ts'
import { attempt, delivery, job, webhook } from './schema.ts'
import { readWebhook, readWebhookInfo, readWebhookInfos, sealSecrets } from './webhook-rows.ts'

/** So many waiting deliveries are let go in one transaction: it must not hold the thread for long. */
const CHUNK = 100

/** Webhooks with their lanes; deliveries are made in outbox.ts and end in delivery-outcome.ts. */
export function createWebhookStore(parts: StoreParts): WebhookStore {
  const { rows, tx, secrets } = parts
  return {
    ...createDeliveryOutcomes(parts),
    async create(created) {
      await tx.write(() => {
        rows
          .insert(webhook)
          .values(sealSecrets(created.id, created, secrets))
          .run()
        setLane(rows, { name: created.id, capacity: LANE_CAPACITY })
      })
    },
    async get(id) {
      return tx.read(() => readWebhook(rows, secrets, id))
    },
    async info(id) {
      return tx.read(() => readWebhookInfo(rows, id))
    },
    async list() {
      return tx.read(() => readWebhookInfos(rows))
    },
    update: (id, patch) => tx.write(() => update(parts, id, patch)),
    async enable(id, o) {
      const enabled = await tx.write(() => enable(rows, id))
      if (enabled) await resumeWaiting(parts, id, o)
      return enabled
    },
    async resume(o) {
      const active = tx.read(() => readWebhookInfos(rows)).filter((webhook) => webhook.active)
      for (const { id } of active) await resumeWaiting(parts, id, o)
    },
    remove: (id) => tx.write(() => remove(rows, id)),
    async delivery(id) {
      return tx.read(() => readDelivery(rows, id))
    },
    async deliveries(webhookId, o) {
      return tx.read(() => readDeliveries(rows, webhookId, o))
    },
    redeliver: (id, now) =>
      tx.write(() => {
        const found = readDelivery(rows, id)
        // Without a lane it neither waits for the probing nor counts in it.
        if (found) resume(parts, found.id, { lane: null, now })
        return found !== null
      }),
  }
}

function update(
  { rows, secrets }: StoreParts,
  id: string,
  patch: Parameters<WebhookStore['update']>[1],
): WebhookInfo | null {
  const changed = sealSecrets(id, patch, secrets)
  if (Object.values(changed).some((value) => value !== undefined))
    rows.update(webhook).set(changed).where(eq(webhook.id, id)).run()
  // A cleared count (a new address) ends the wait for the next probe.
  if (patch.consecutiveFailures === 0) setLane(rows, { name: id, openAt: 0 })
  if (patch.active === false) holdDeliveries(rows, id)
  return readWebhookInfo(rows, id)
}

function enable(rows: Rows, id: string): WebhookInfo | null {
  const found = rows
    .update(webhook)
    .set({ active: true, disabledAt: null, consecutiveFailures: 0 })
    .where(eq(webhook.id, id))
    .returning({ id: webhook.id })
    .all()
  if (found.length === 0) return null
  // Its capacity stays: one that failed is probed until an attempt succeeds.
  setLane(rows, { name: id, openAt: 0 })
  return readWebhookInfo(rows, id)
}

/** The oldest first, chunk by chunk, for as long as the webhook stays active. */
async function resumeWaiting(
  parts: StoreParts,
  id: string,
  o: { since: number; now: number },
): Promise<void> {
  while (await parts.tx.write(() => resumeChunk(parts, id, o)));
}

/** Whether there may be more. */
function resumeChunk(parts: StoreParts, id: string, o: { since: number; now: number }): boolean {
  const { rows } = parts
  if (!readWebhookInfo(rows, id)?.active) return false
  const waiting = rows
    .select({ id: delivery.id, createdAt: delivery.createdAt })
    .from(delivery)
    .where(and(eq(delivery.webhookId, id), eq(delivery.state, 'waiting')))
    .orderBy(asc(delivery.createdAt), asc(delivery.id))
    .limit(CHUNK)
    .all()
  for (const one of waiting)
    if (one.createdAt >= o.since) resume(parts, one.id, { lane: id, now: o.now })
    else rows.update(delivery).set({ state: 'failed' }).where(eq(delivery.id, one.id)).run()
  return waiting.length === CHUNK
}

function remove(rows: Rows, id: string): boolean {
  const ofWebhook = rows
    .select({ id: delivery.id })
    .from(delivery)
    .where(eq(delivery.webhookId, id))
  rows
    .delete(job)
    .where(and(eq(job.kind, DELIVERY_JOB), inArray(job.key, ofWebhook)))
    .run()
  rows.delete(attempt).where(inArray(attempt.deliveryId, ofWebhook)).run()
  rows.delete(delivery).where(eq(delivery.webhookId, id)).run()
  removeLane(rows, id)
  return (
    rows.delete(webhook).where(eq(webhook.id, id)).returning({ id: webhook.id }).all().length === 1
  )
}
