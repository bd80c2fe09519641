/** Webhooks, their deliveries, and what sending needs from the floors above. */
/** What one may subscribe to. */
export const SUBSCRIPTIONS = [
  'call.completed',
  'call.started',
  'call.answered',
  'call.transferred',
  '*',
] as const
export type Subscription = (typeof SUBSCRIPTIONS)[number]

/** A webhook without its secrets: all that most of its users need. */
export interface WebhookInfo {
  id: string
  url: string
  events: Subscription[]
  active: boolean
  consecutiveFailures: number
  /** Set when failures (or a 410) disabled it, null otherwise: also null when it was switched off by hand. */
  disabledAt: number | null
  createdAt: number
}

export interface Webhook extends WebhookInfo {
  secret: string
  /** Signs beside the new secret until `previousSecretUntil`. */
  previousSecret: string | null
  previousSecretUntil: number | null
}

export type DeliveryState = 'pending' | 'delivered' | 'waiting' | 'failed'

export interface Attempt {
  at: number
  status: number | null
  durationMs: number
  error: string | null
  responseExcerpt: string | null
}

export interface Delivery {
  id: string
  webhookId: string
  event: string
  callId: string | null
  body: string
  state: DeliveryState
  attempts: Attempt[]
  /** Failed attempts since it was made or sent again by hand. */
  failures: number
  nextAttemptAt: number | null
  createdAt: number
}

/** The outcome of one POST. Never throws for what the receiver does. */
export interface PostResult {
  /** Null when no response came. */
  status: number | null
  error: string | null
  durationMs: number
  responseExcerpt: string | null
  /** From Retry-After, in ms. */
  retryAfterMs: number | null
}

/**
 * Resolves the host, judges every address, connects to the judged one, follows nothing, reads at most 64 KiB. `signal`
 * breaks it off: then no response came.
 */
export type Post = (o: {
  url: string
  headers: Record<string, string>
  body: string
  timeoutMs: number
  signal?: AbortSignal
}) => Promise<PostResult>

export interface DeliveryFence {
  jobId: string
  fence: number
}

/** All methods but `enable` and `resume` are one transaction each. */
export interface WebhookStore {
  create(webhook: Webhook): Promise<void>
  /** With its secrets, opened. */
  get(id: string): Promise<Webhook | null>
  info(id: string): Promise<WebhookInfo | null>
  list(): Promise<WebhookInfo[]>
  /**
   * Changes what `patch` names; null when there is no such webhook. A cleared count (`consecutiveFailures: 0`) opens
   * the webhook's lane again.
   */
  update(id: string, patch: Partial<Omit<Webhook, 'id' | 'createdAt'>>): Promise<WebhookInfo | null>
  /**
   * Re-enables: clears the count, ends the wait for the next probe and lets what waited (made since `since`) go at
   * `now`; what waited longer has failed. Many deliveries are written in several transactions.
   */
  enable(id: string, o: { since: number; now: number }): Promise<WebhookInfo | null>
  /** Lets go what an `enable` that was cut short by a crash left waiting at active webhooks. */
  resume(o: { since: number; now: number }): Promise<void>
  /** Deletes it with its deliveries and their jobs. */
  remove(id: string): Promise<boolean>

  delivery(id: string): Promise<Delivery | null>
  /** Newest first. */
  deliveries(
    webhookId: string,
    o: { limit: number; cursor: { createdAt: number; id: string } | null },
  ): Promise<Delivery[]>
  /** Writes an attempt's success: delivered, count cleared, the webhook's lane wide open. */
  recordSuccess(o: { deliveryId: string; fence: DeliveryFence; attempt: Attempt }): Promise<boolean>
  /**
   * Writes an attempt's failure. `nextAttemptAt` null: the delivery has failed for good. `disable`, or the tenth
   * failure in a row by the stored count: the webhook is disabled at `attempt.at`+duration and its pending deliveries
   * wait. `probeAt`: until then no delivery of this webhook starts, and from then on one at a time. Returns what has
   * become of the delivery; null when the fence lost.
   */
  recordFailure(o: {
    deliveryId: string
    fence: DeliveryFence
    attempt: Attempt
    nextAttemptAt: number | null
    consecutiveFailures: number
    disable: boolean
    probeAt: number
    now: number
  }): Promise<Exclude<DeliveryState, 'delivered'> | null>
  /** Sets aside a claimed delivery whose webhook was switched off meanwhile: it waits for `enable`. */
  park(o: { deliveryId: string; fence: DeliveryFence }): Promise<boolean>
  /** Makes a delivery pending again and due now, past the probing. False when there is none. */
  redeliver(id: string, now: number): Promise<boolean>
}
