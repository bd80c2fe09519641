import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Webhook } from './ports.ts'

/** The reference's signature: hex HMAC-SHA256 over `{timestamp}.{body}`; the key is the whole secret as shown. */
export function sign(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}

/** Constant-time check of `sign`; false for anything that is not one. */
export function verify(
  secret: string,
  timestamp: string,
  body: string,
  signature: string,
): boolean {
  const expected = Buffer.from(sign(secret, timestamp, body))
  const given = Buffer.from(signature)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** Standard Webhooks: base64 HMAC over `{id}.{timestamp}.{body}`; the key is what the secret's base64 encodes. */
function signStandard(secret: string, id: string, timestamp: string, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

/** All headers of one attempt, made at `now` (ms): both standards, and both secrets for a day after a rotation. */
export function signedHeaders(
  webhook: Pick<Webhook, 'secret' | 'previousSecret' | 'previousSecretUntil'>,
  o: { deliveryId: string; event: string; body: string; now: number },
): Record<string, string> {
  const timestamp = String(Math.floor(o.now / 1000))
  const previous = o.now < (webhook.previousSecretUntil ?? 0) ? webhook.previousSecret : null
  const secrets = previous ? [webhook.secret, previous] : [webhook.secret]
  return {
    'Content-Type': 'application/json',
    'X-Mio-Signature': sign(webhook.secret, timestamp, o.body),
    'X-Mio-Timestamp': timestamp,
    'X-Mio-Event': o.event,
    'X-Mio-Delivery': o.deliveryId,
    ...(previous ? { 'X-Mio-Signature-Previous': sign(previous, timestamp, o.body) } : {}),
    'webhook-id': o.deliveryId,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets
      .map((secret) => signStandard(secret, o.deliveryId, timestamp, o.body))
      .join(' '),
  }
}
