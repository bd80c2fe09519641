import type { Delivery, WebhookInfo } from './ports.ts'

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

/** A webhook as the API shows it: never with its secret. */
export function publicWebhook(webhook: WebhookInfo): Record<string, unknown> {
  return {
    id: webhook.id,
    url: webhook.url,
    events: webhook.events,
    active: webhook.active,
    consecutiveFailures: webhook.consecutiveFailures,
    disabledAt: iso(webhook.disabledAt),
    createdAt: iso(webhook.createdAt),
  }
}

/** A row of the delivery log. */
export function publicDelivery(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    event: delivery.event,
    callId: delivery.callId,
    state: delivery.state,
    attempts: delivery.attempts.map((attempt) => ({
      at: iso(attempt.at),
      status: attempt.status,
      durationMs: attempt.durationMs,
      error: attempt.error,
      responseExcerpt: attempt.responseExcerpt,
    })),
    nextAttemptAt: iso(delivery.nextAttemptAt),
  }
}

/** True when a webhook is to be told of `event`. */
export function subscribes(webhook: Pick<WebhookInfo, 'events'>, event: string): boolean {
  return webhook.events.some((wanted) => wanted === '*' || wanted === event)
}
