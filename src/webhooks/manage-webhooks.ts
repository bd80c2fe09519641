import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import { type Page, type PageKey, pageOf } from '../core/page.ts'
import { isSuccess } from './deliver.ts'
import type { Delivery, Post, Subscription, Webhook, WebhookInfo, WebhookStore } from './ports.ts'
import { publicDelivery, publicWebhook } from './public-webhook.ts'
import { signedHeaders } from './signature.ts'

/** What waited longer than this is not sent when a webhook is enabled again. */
const KEEP_WAITING_MS = 72 * 3600_000
/** How long a rotated secret still signs beside the new one. */
const ROTATION_MS = 24 * 3600_000

export interface ManageWebhooksDeps {
  clock: Clock
  ids: Ids
  store: WebhookStore
  post: Post
  /** Throws invalid_request; returns the URL as it is kept. */
  checkUrl(url: string): Promise<string>
  /** The complete sample call that a test payload carries. */
  sampleCall(now: number): Record<string, unknown>
  options: { timeoutMs: number }
  /** Told when deliveries may have become due. */
  onDue(): void
}

/** What one may do with webhooks; every method throws not_found for an unknown id. */
export function createManageWebhooks(d: ManageWebhooksDeps) {
  const existing = async (id: string): Promise<WebhookInfo> => found(await d.store.info(id))
  const withSecrets = async (id: string): Promise<Webhook> => found(await d.store.get(id))

  return {
    async list() {
      return { data: (await d.store.list()).map(publicWebhook) }
    },

    /** The only answer that shows the secret. */
    async create(o: { url: string; events?: readonly Subscription[] | undefined }) {
      const webhook: Webhook = {
        id: d.ids.uuid(),
        url: await d.checkUrl(o.url),
        events: unique(o.events ?? ['call.completed']),
        active: true,
        consecutiveFailures: 0,
        disabledAt: null,
        createdAt: d.clock.now(),
        secret: d.ids.webhookSecret(),
        previousSecret: null,
        previousSecretUntil: null,
      }
      await d.store.create(webhook)
      return { ...publicWebhook(webhook), secret: webhook.secret }
    },

    async update(
      id: string,
      o: {
        url?: string | undefined
        events?: readonly Subscription[] | undefined
        active?: boolean | undefined
      },
    ) {
      const before = await existing(id)
      const url = o.url === undefined ? undefined : await d.checkUrl(o.url)
      const moved = url !== undefined && url !== before.url
      let webhook = await d.store.update(id, {
        ...(moved ? { url, consecutiveFailures: 0 } : {}),
        ...(o.events ? { events: unique(o.events) } : {}),
        // By hand: from now on it is not failures that keep it off, and no event waits for it.
        ...(o.active === false ? { active: false, disabledAt: null } : {}),
      })
      const now = d.clock.now()
      if (o.active === true)
        webhook = await d.store.enable(id, { since: now - KEEP_WAITING_MS, now })
      d.onDue()
      return publicWebhook(found(webhook))
    },

    /** At the start: what an earlier process was about to send when it died. */
    async resume(): Promise<void> {
      const now = d.clock.now()
      await d.store.resume({ since: now - KEEP_WAITING_MS, now })
      d.onDue()
    },

    async remove(id: string): Promise<void> {
      if (!(await d.store.remove(id))) throw unknownWebhook()
    },

    /** One signed sample now. It is no delivery: it neither counts as a failure nor enables anything. */
    async test(id: string) {
      const webhook = await withSecrets(id)
      const now = d.clock.now()
      const event = 'webhook.test'
      const timestamp = String(Math.floor(now / 1000))
      const body = JSON.stringify({ event, timestamp, call: d.sampleCall(now) })
      const result = await d.post({
        url: webhook.url,
        headers: signedHeaders(webhook, { deliveryId: d.ids.uuid(), event, body, now }),
        body,
        timeoutMs: d.options.timeoutMs,
      })
      return {
        delivered: isSuccess(result),
        status: result.status,
        durationMs: result.durationMs,
        ...(result.error === null ? {} : { error: result.error }),
      }
    },

    async rotateSecret(id: string) {
      const before = await withSecrets(id)
      const secret = d.ids.webhookSecret()
      const previousSecretUntil = d.clock.now() + ROTATION_MS
      const webhook = found(
        await d.store.update(id, { secret, previousSecret: before.secret, previousSecretUntil }),
      )
      return { ...publicWebhook(webhook), secret }
    },

    async deliveries(
      id: string,
      o: { limit: number; cursor: PageKey | null },
    ): Promise<Page<Record<string, unknown>>> {
      await existing(id)
      const { data, next } = await pageOf(o, (more) => d.store.deliveries(id, more))
      return { data: data.map(publicDelivery), next }
    },

    async redeliver(id: string, deliveryId: string): Promise<Record<string, unknown>> {
      await existing(id)
      const delivery = await d.store.delivery(deliveryId)
      if (delivery?.webhookId !== id)
        throw new AppError('not_found', 'There is no such delivery at this webhook.')
      await d.store.redeliver(deliveryId, d.clock.now())
      d.onDue()
      return publicDelivery((await d.store.delivery(deliveryId)) as Delivery)
    },
  }
}

export type ManageWebhooks = ReturnType<typeof createManageWebhooks>

function found<T>(webhook: T | null): T {
  if (!webhook) throw unknownWebhook()
  return webhook
}

function unknownWebhook(): AppError {
  return new AppError('not_found', 'There is no such webhook.')
}

function unique(events: readonly Subscription[]): Subscription[] {
  return [...new Set(events)]
}
