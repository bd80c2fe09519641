import type { EventPayload } from '../calls/call-store.ts'
import { subscribes } from '../webhooks/public-webhook.ts'
import type { StoreParts } from './database.ts'
import { DELIVERY_JOB, insertJob } from './job-rows.ts'
import { delivery } from './schema.ts'
import { readWebhookInfos } from './webhook-rows.ts'

/**
 * Writes a delivery for each webhook that subscribes to the event; call it inside the transaction that made the
 * event. What failures disabled gets one that waits; what was switched off by hand gets none.
 */
export function addDeliveries(
  { rows, clock, ids }: Pick<StoreParts, 'rows' | 'clock' | 'ids'>,
  callId: string,
  payload: EventPayload,
): void {
  const now = clock.now()
  for (const target of readWebhookInfos(rows)) {
    if (!subscribes(target, payload.event)) continue
    if (!target.active && target.disabledAt === null) continue
    const id = ids.uuid()
    rows
      .insert(delivery)
      .values({
        id,
        webhookId: target.id,
        event: payload.event,
        callId,
        body: payload.body,
        state: target.active ? 'pending' : 'waiting',
        failures: 0,
        nextAttemptAt: target.active ? now : null,
        createdAt: now,
      })
      .run()
    if (target.active)
      insertJob(rows, ids, { kind: DELIVERY_JOB, key: id, lane: target.id, runAt: now })
  }
}
