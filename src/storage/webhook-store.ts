import { and, eq, gte, inArray, lt } from 'drizzle-orm'
import type { Webhook, WebhookStore } from '../webhooks/ports.ts'
import type { Rows, StoreParts } from './database.ts'
import { createDeliveryOutcomes } from './delivery-outcome.ts'
import { holdDeliveries, readDeliveries, readDelivery, resume } from './delivery-rows.ts'
import { DELIVERY_JOB } from './job-rows.ts'
import { removeLane, setLane } from './lane-rows.ts'
import { attempt, delivery, job, webhook } from './schema.ts'
import { readWebhook, readWebhooks, sealSecrets } from './webhook-rows.ts'

/** So many deliveries to one webhook at once, until it fails. */
const LANE_CAPACITY = 4

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
    async list() {
      return tx.read(() => readWebhooks(rows, secrets))
    },
    update: (id, patch) => tx.write(() => update(parts, id, patch)),
    enable: (id, o) => tx.write(() => enable(parts, id, o)),
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
): Webhook | null {
  const changed = sealSecrets(id, patch, secrets)
  if (Object.values(changed).some((value) => value !== undefined))
    rows.update(webhook).set(changed).where(eq(webhook.id, id)).run()
  // A cleared count (a new address) ends the wait for the next probe.
  if (patch.consecutiveFailures === 0) setLane(rows, { name: id, openAt: 0 })
  if (patch.active === false) holdDeliveries(rows, id)
  return readWebhook(rows, secrets, id)
}

function enable(parts: StoreParts, id: string, o: { since: number; now: number }): Webhook | null {
  const { rows, secrets } = parts
  const found = rows
    .update(webhook)
    .set({ active: true, disabledAt: null, consecutiveFailures: 0 })
    .where(eq(webhook.id, id))
    .returning({ id: webhook.id })
    .all()
  if (found.length === 0) return null
  // Its capacity stays: one that failed is probed until an attempt succeeds.
  setLane(rows, { name: id, openAt: 0 })
  const waiting = and(eq(delivery.webhookId, id), eq(delivery.state, 'waiting'))
  const toSend = rows
    .select({ id: delivery.id })
    .from(delivery)
    .where(and(waiting, gte(delivery.createdAt, o.since)))
    .all()
  for (const one of toSend) resume(parts, one.id, { lane: id, now: o.now })
  rows
    .update(delivery)
    .set({ state: 'failed' })
    .where(and(waiting, lt(delivery.createdAt, o.since)))
    .run()
  return readWebhook(rows, secrets, id)
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
