import type * as Core from 'sip.js/lib/core/index.js'
import { describe, expect, it } from 'vitest'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { Ids } from '../core/ids.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { SessionRefresh } from './session-refresh.ts'
import { SessionTimer } from './session-timer.ts'

type Delegate = Core.OutgoingInviteRequestDelegate

/** A session of 900 s that we refresh by re-INVITE; the test plays the other side. */
function setup(o: { weBegan?: boolean; fraction?: number } = {}) {
  const clock = new SimClock(0)
  const timer = new SessionTimer()
  timer.confirmed('900;refresher=uac', 0)
  const sent: { at: number; delegate: Delegate; options: Core.RequestOptions }[] = []
  const dead: string[] = []
  let busy = false
  const session = {
    invite(delegate: Delegate, options: Core.RequestOptions) {
      if (busy) throw new Error('There is an ongoing re-INVITE server transaction.')
      sent.push({ at: clock.now(), delegate, options })
    },
  } as unknown as Core.Session
  const offers = {
    repeat: () => 'v=0 as before',
    withdraw() {},
    answered: () => null,
  } as unknown as OfferAnswer
  const quiet = (): void => {}
  const refresh = new SessionRefresh(
    {
      clock,
      ids: { fraction: () => o.fraction ?? 0 } as Ids,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      session,
      offers,
      timer,
      contact: '<sip:us@127.0.0.1>',
      weBegan: o.weBegan ?? true,
      onTarget: () => {},
      onChanged: quiet,
      onDead: (reason) => dead.push(reason),
    },
    'INVITE, ACK, BYE',
  )
  refresh.arm()
  const message = (statusCode: number, headers: Record<string, string> = {}) =>
    ({
      statusCode,
      body: '',
      getHeader: (name: string) => headers[name],
      parseHeader: () => undefined,
    }) as unknown as Core.IncomingResponseMessage
  return {
    clock,
    refresh,
    sent,
    dead,
    setBusy: (value: boolean) => {
      busy = value
    },
    refuse: (status: number, headers?: Record<string, string>) =>
      sent.at(-1)?.delegate.onReject?.({ message: message(status, headers) }),
    accept: (headers: Record<string, string>) =>
      sent.at(-1)?.delegate.onAccept?.({
        message: message(200, headers),
        session,
        ack: () => ({ message: {} as Core.OutgoingRequestMessage }),
      }),
  }
}

describe('the refresh of a session', () => {
  it('is sent at half of its life and then at half of what was confirmed', async () => {
    const { clock, sent, accept, dead } = setup()
    await clock.advance(449_999)
    expect(sent).toEqual([])
    await clock.advance(1)
    expect(sent[0]?.options.body).toMatchObject({ content: 'v=0 as before' })
    accept({ 'session-expires': '600;refresher=uac' })
    await clock.advance(300_000)
    expect(sent.map(({ at }) => at)).toEqual([450_000, 750_000])
    expect(dead).toEqual([])
  })

  it('is left to the other side once they have taken it over', async () => {
    const { clock, sent, accept, dead } = setup()
    await clock.advance(450_000)
    accept({ 'session-expires': '900;refresher=uas' })
    await clock.advance(867_999)
    expect([sent.length, dead]).toEqual([1, []])
    await clock.advance(1)
    expect([sent.length, dead]).toEqual([1, ['the session was not refreshed in time']])
  })

  it.each([
    [true, 0, 2_100],
    [true, 0.999, 4_000],
    [false, 0, 0],
    [false, 0.999, 2_000],
  ])(
    'that collided is sent again at random (Call-ID ours: %s, chance %d) after %d ms (RFC 3261 §14.1)',
    async (weBegan, fraction, waits) => {
      const { clock, sent, refuse } = setup({ weBegan, fraction })
      await clock.advance(450_000)
      refuse(491)
      await clock.advance(Math.max(0, waits - 1))
      expect(sent.length).toBe(waits === 0 ? 2 : 1)
      await clock.advance(2)
      expect(sent.length).toBe(2)
    },
  )

  it('waits while an INVITE of theirs is open', async () => {
    const { clock, sent, setBusy } = setup()
    setBusy(true)
    await clock.advance(451_000)
    setBusy(false)
    await clock.advance(2_000)
    expect(sent.map(({ at }) => at)).toEqual([452_100])
  })

  it('waits as long as it is told to, and ends the session when that is too long', async () => {
    const { clock, sent, refuse, dead } = setup()
    await clock.advance(450_000)
    refuse(503, { 'retry-after': '60' })
    await clock.advance(59_000)
    expect(sent.length).toBe(1)
    await clock.advance(1_000)
    expect(sent.length).toBe(2)
    refuse(500, { 'retry-after': '86400' })
    await clock.advance(358_000)
    expect([sent.length, dead]).toEqual([2, ['the session was not refreshed in time']])
  })

  it('is tried again every 5 s after a refusal without a reason, as long as the session lives', async () => {
    const { clock, sent, refuse, dead } = setup()
    await clock.advance(450_000)
    for (let second = 0; second < 500; second++) {
      refuse(488)
      await clock.advance(5_000)
      if (dead.length > 0) break
    }
    expect(sent.length).toBe(84)
    expect(dead).toEqual(['the session was not refreshed in time'])
  })

  it('asks for longer after a 422', async () => {
    const { clock, sent, refuse } = setup()
    await clock.advance(450_000)
    refuse(422, { 'min-se': '3600' })
    await clock.advance(0)
    expect(sent.at(-1)?.options.extraHeaders).toContain('Session-Expires: 3600;refresher=uac')
    expect(sent.at(-1)?.options.extraHeaders).toContain('Min-SE: 3600')
  })

  it.each([481, 408])('is the end when it is answered %i', async (status) => {
    const { clock, refuse, dead } = setup()
    await clock.advance(450_000)
    refuse(status)
    expect(dead).toHaveLength(1)
    await clock.advance(1_000_000)
    expect(dead).toHaveLength(1)
  })

  it('is nobody’s business after the call', async () => {
    const { clock, refresh, sent, dead, refuse } = setup()
    await clock.advance(450_000)
    refresh.stop()
    refuse(491)
    await clock.advance(1_000_000)
    expect([sent.length, dead]).toEqual([1, []])
  })
})
