import type * as Core from 'sip.js/lib/core/index.js'
import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { SessionChanges } from './session-changes.ts'
import { SessionTimer } from './session-timer.ts'

function setup() {
  const clock = new SimClock(0)
  const broken: string[] = []
  let changes = 0
  const quiet = (): void => {}
  const offers = {
    pending: false,
    offer: () => 'ours',
    answer: (offer: string) => (offer === 'bad' ? { refused: 'no' } : { answer: 'answer' }),
  } as unknown as OfferAnswer
  const side = new SessionChanges({
    clock,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    offers,
    timer: new SessionTimer(),
    contact: '<sip:us@127.0.0.1>',
    onChanged: () => changes++,
    onBroken: (reason) => broken.push(reason),
  })
  const replies: Core.ResponseOptions[] = []
  function invite(body: string, headers: Record<string, string> = {}): void {
    const reply = (options: Core.ResponseOptions): void => void replies.push(options)
    side.onInvite({
      message: {
        body,
        getHeader: (name: string) => headers[name],
        getHeaders: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
      },
      accept: reply,
      reject: reply,
    } as unknown as Core.IncomingInviteRequest)
  }
  return { clock, side, invite, replies, broken, changes: () => changes }
}

describe('a session that the other side changes', () => {
  it('is broken when our 200 is not acknowledged for 32 s', async () => {
    const { clock, invite, broken } = setup()
    invite('offer')
    await clock.advance(31_999)
    expect(broken).toEqual([])
    await clock.advance(1)
    expect(broken).toHaveLength(1)
  })

  it('goes on once it is acknowledged, and after a refusal, which needs no ACK of the session', async () => {
    const { clock, side, invite, broken, replies, changes } = setup()
    invite('offer')
    side.onAck('')
    invite('bad')
    await clock.advance(60_000)
    expect(broken).toEqual([])
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([200, 488])
    expect(changes()).toBe(1)
  })

  it('refuses what is no description with 415 before it is read', () => {
    const { invite, replies, changes } = setup()
    invite('hello', { 'content-type': 'text/plain' })
    invite('offer', { 'content-type': 'Application/SDP; charset=utf-8' })
    expect(replies.map(({ statusCode }) => statusCode)).toEqual([415, 200])
    expect(replies[0]?.extraHeaders).toEqual(['Accept: application/sdp'])
    expect(changes()).toBe(1)
  })

  it('asks for a longer life before it reads the description', () => {
    const { invite, replies } = setup()
    invite('bad', { 'session-expires': '20', supported: 'timer, 100rel' })
    expect(replies).toEqual([{ statusCode: 422, extraHeaders: ['Min-SE: 90'] }])
  })

  it('is over when the call is', async () => {
    const { clock, side, invite, broken } = setup()
    invite('offer')
    side.stop()
    await clock.advance(60_000)
    expect(broken).toEqual([])
  })
})
