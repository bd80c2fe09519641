import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { DISABLE_AFTER, MAX_RETRIES, waitAfter } from './backoff.ts'
import type {
  Attempt,
  Delivery,
  DeliveryFence,
  DeliveryState,
  Post,
  PostResult,
  WebhookInfo,
  WebhookStore,
} from './ports.ts'
import { signedHeaders } from './signature.ts'

export interface DeliverDeps {
  clock: Clock
  ids: Ids
  log: Log
  webhooks: WebhookStore
  post: Post
  options: { timeoutMs: number; retryBaseMs: number }
  /** Told of each attempt that was written down: what has become of its delivery (`pending`: it is tried again). */
  onAttempt?(state: DeliveryState): void
}

/**
 * One attempt at one delivery: sign with the time of this attempt, post, write down what came of it. At least once:
 * a crash between the post and the record sends the same delivery id again. Throws when `signal` broke the attempt off:
 * then nothing is written, and the delivery is as it was.
 */
export function createDeliver(d: DeliverDeps) {
  return async (deliveryId: string, fence: DeliveryFence, signal?: AbortSignal): Promise<void> => {
    const delivery = await d.webhooks.delivery(deliveryId)
    const webhook = delivery && (await d.webhooks.get(delivery.webhookId))
    if (!delivery || !webhook || delivery.state !== 'pending') return
    if (!webhook.active) {
      await d.webhooks.park({ deliveryId, fence })
      return
    }
    const at = d.clock.now()
    const result = await d.post({
      url: webhook.url,
      headers: signedHeaders(webhook, { ...delivery, deliveryId, now: at }),
      body: delivery.body,
      timeoutMs: d.options.timeoutMs,
      ...(signal ? { signal } : {}),
    })
    if (signal?.aborted && result.status === null) throw new Error('the attempt was broken off')
    const attempt = toAttempt(at, result)
    if (!isSuccess(result)) await recordFailure(d, { delivery, webhook, fence, attempt, result })
    else if (await d.webhooks.recordSuccess({ deliveryId, fence, attempt }))
      d.onAttempt?.('delivered')
  }
}

async function recordFailure(
  d: DeliverDeps,
  o: {
    delivery: Delivery
    webhook: WebhookInfo
    fence: DeliveryFence
    attempt: Attempt
    result: PostResult
  },
): Promise<void> {
  const failures = o.delivery.failures + 1
  // Read again: while this attempt ran, others may have failed too or the count may have been cleared.
  const webhook = (await d.webhooks.info(o.webhook.id)) ?? o.webhook
  const consecutiveFailures = webhook.consecutiveFailures + 1
  const now = d.clock.now()
  const wait = { baseMs: d.options.retryBaseMs, fraction: d.ids.fraction(), ...o.result }
  const disable = consecutiveFailures >= DISABLE_AFTER || o.result.status === 410
  const state = await d.webhooks.recordFailure({
    deliveryId: o.delivery.id,
    fence: o.fence,
    attempt: o.attempt,
    nextAttemptAt: failures > MAX_RETRIES ? null : now + waitAfter({ ...wait, failures }),
    consecutiveFailures,
    disable,
    probeAt: now + waitAfter({ ...wait, failures: consecutiveFailures }),
    now,
  })
  if (state) d.onAttempt?.(state)
  d.log.warn(disable ? 'webhook disabled' : 'webhook attempt failed', {
    webhookId: webhook.id,
    deliveryId: o.delivery.id,
    failures,
    consecutiveFailures,
    status: o.result.status,
    reason: o.result.error,
  })
}

/** 2xx, and nothing else. */
export function isSuccess(result: PostResult): boolean {
  return result.status !== null && result.status >= 200 && result.status <= 299
}

function toAttempt(at: number, result: PostResult): Attempt {
  const { status, durationMs, error, responseExcerpt } = result
  return { at, status, durationMs, error, responseExcerpt }
}
