import { asc, eq } from 'drizzle-orm'
import type { Webhook, WebhookInfo } from '../webhooks/ports.ts'
import type { Rows } from './database.ts'
import { webhook } from './schema.ts'
import type { Secrets } from './secrets.ts'

type WebhookRow = typeof webhook.$inferSelect

/** The columns that make a WebhookInfo. */
const infoColumns = {
  id: webhook.id,
  url: webhook.url,
  events: webhook.events,
  active: webhook.active,
  consecutiveFailures: webhook.consecutiveFailures,
  disabledAt: webhook.disabledAt,
  createdAt: webhook.createdAt,
}

export function readWebhook(rows: Rows, secrets: Secrets, id: string): Webhook | null {
  const found = rows.select().from(webhook).where(eq(webhook.id, id)).get()
  return found ? openSecrets(found, secrets) : null
}

export function readWebhookInfo(rows: Rows, id: string): WebhookInfo | null {
  return rows.select(infoColumns).from(webhook).where(eq(webhook.id, id)).get() ?? null
}

export function readWebhookInfos(rows: Rows): WebhookInfo[] {
  return rows
    .select(infoColumns)
    .from(webhook)
    .orderBy(asc(webhook.createdAt), asc(webhook.id))
    .all()
}

/** The fields as the table keeps them: secrets sealed, and bound to this webhook. */
export function sealSecrets<T extends Partial<Webhook>>(
  id: string,
  fields: T,
  secrets: Secrets,
): T {
  const sealed = { ...fields }
  if (sealed.secret !== undefined) sealed.secret = secrets.seal(sealed.secret, about(id, 'secret'))
  if (sealed.previousSecret)
    sealed.previousSecret = secrets.seal(sealed.previousSecret, about(id, 'previous'))
  return sealed
}

function openSecrets(row: WebhookRow, secrets: Secrets): Webhook {
  const { previousSecret } = row
  return {
    ...row,
    secret: secrets.open(row.secret, about(row.id, 'secret')),
    previousSecret:
      previousSecret === null ? null : secrets.open(previousSecret, about(row.id, 'previous')),
  }
}

function about(id: string, which: 'secret' | 'previous'): string {
  return `webhook ${id} ${which}`
}
