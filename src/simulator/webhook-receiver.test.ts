import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

async function setup() {
  const clock = new SimClock()
  const receiver = await startWebhookReceiver(clock)
  const post = (body: string) =>
    fetch(receiver.url, { method: 'POST', body, tls: { ca: receiver.ca } })
  const stop = new AbortController()
  return {
    clock,
    receiver,
    post,
    stop,
    next: () => receiver.next(15_000, stop.signal),
    [Symbol.asyncDispose]: () => receiver.stop(),
  }
}

describe('the receiver of webhooks', () => {
  it('hands over what was posted, whether it was waited for or not', async () => {
    await using kit = await setup()
    const waiting = kit.next()
    expect((await kit.post('one')).status).toBe(204)
    expect((await waiting)?.body).toBe('one')
    await kit.post('two')
    expect((await kit.next())?.body).toBe('two')
  })

  it('does not wait longer than it is told to', async () => {
    await using kit = await setup()
    const waiting = kit.next()
    await kit.clock.advance(15_000)
    expect(await waiting).toBeNull()
  })

  it('stops waiting at once when nobody wants to know any more', async () => {
    await using kit = await setup()
    const waiting = kit.next()
    kit.stop.abort()
    expect(await waiting).toBeNull()
    expect(await kit.next()).toBeNull()
  })
})
