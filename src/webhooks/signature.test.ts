import { createHmac } from 'node:crypto'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { sign, signedHeaders, verify } from './signature.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const previousSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const body = '{"event":"call.completed"}'
const now = 1_774_031_400_123

function headers(o: { previousSecretUntil?: number | null } = {}) {
  const webhook = { secret, previousSecret, previousSecretUntil: o.previousSecretUntil ?? null }
  return signedHeaders(webhook, { deliveryId: 'd-1', event: 'call.completed', body, now })
}

describe('the signature of a delivery', () => {
  it('is the reference’s: hex HMAC over timestamp and body, keyed with the whole secret', () => {
    const expected = createHmac('sha256', secret).update(`1774031400.${body}`).digest('hex')
    expect(headers()['X-Mio-Signature']).toBe(expected)
    expect(headers()['X-Mio-Timestamp']).toBe('1774031400')
    expect(headers()['X-Mio-Delivery']).toBe('d-1')
    expect(headers()['X-Mio-Event']).toBe('call.completed')
  })

  it('verifies with the library of Standard Webhooks', () => {
    const signed = headers()
    const library = new StandardWebhook(secret)
    const at = Number(signed['webhook-timestamp']) * 1000
    expect(library.sign('d-1', new Date(at), body)).toBe(signed['webhook-signature'])
  })

  it('is made with both secrets for a day after a rotation, and with one afterwards', () => {
    const during = headers({ previousSecretUntil: now + 1 })
    expect(during['X-Mio-Signature-Previous']).toBe(sign(previousSecret, '1774031400', body))
    expect(during['webhook-signature']?.split(' ')).toHaveLength(2)
    const after = headers({ previousSecretUntil: now })
    expect(after['X-Mio-Signature-Previous']).toBeUndefined()
    expect(after['webhook-signature']?.split(' ')).toHaveLength(1)
  })

  it('is refused for another body, time, secret or length', () => {
    const signature = sign(secret, '1', body)
    expect(verify(secret, '1', body, signature)).toBe(true)
    expect(verify(secret, '2', body, signature)).toBe(false)
    expect(verify(secret, '1', `${body} `, signature)).toBe(false)
    expect(verify(previousSecret, '1', body, signature)).toBe(false)
    expect(verify(secret, '1', body, signature.slice(1))).toBe(false)
  })
})
