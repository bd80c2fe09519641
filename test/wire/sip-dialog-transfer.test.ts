import { afterEach, describe, expect, it } from 'vitest'
import type { Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { header, openDialog, type TestDialog } from '../kit/sip-dialog.ts'

let dialog: TestDialog

afterEach(() => dialog.stop())

const TARGET = '+15559990000'

/** A call whose other side treats our REFER as told. */
async function setup(
  onRefer: (refer: Received, uas: ScriptedUas) => void,
  o: Parameters<typeof openDialog>[0] = {},
): Promise<TestDialog> {
  dialog = await openDialog({
    ...o,
    onRequest: (received, uas) => {
      if (received.message.method !== 'REFER') return false
      onRefer(received, uas)
      return true
    },
  })
  return dialog
}

function notify(fragment: string, state = 'active;expires=60', event = 'refer'): number {
  return dialog.ask('NOTIFY', {
    headers: [`Event: ${event}`, `Subscription-State: ${state}`],
    body: `SIP/2.0 ${fragment}\r\n`,
  })
}

describe('a blind transfer', () => {
  it('asks by REFER, follows 100 and 180 to the 200, and leaves the hang-up to us', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    const refer = await uas.wait('REFER')
    expect(header(refer, 'refer-to')).toBe(`<sip:${TARGET}@127.0.0.1:${uas.port}>`)
    expect(header(refer, 'referred-by')).toBe('<sip:+15550001111@127.0.0.1>')
    expect(header(refer, 'contact')).toContain('<sip:')
    notify('100 Trying')
    notify('180 Ringing')
    expect(await Promise.race([transfer, Bun.sleep(100).then(() => 'open')])).toBe('open')
    notify('200 OK', 'terminated;reason=noresource')
    expect(await transfer).toEqual({ ok: true })
    await uas.wait('SIP 200', { n: 3 })
    expect(uas.all('BYE').length).toBe(0)
    await leg.hangup()
    expect(await leg.ended).toEqual({ by: 'us' })
  })

  it('writes the number as the trunk wants it', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 603), {
      trunk: { numberFormat: 'e164', domain: 'pbx.example' },
    })
    await leg.transfer(TARGET)
    expect(header(await uas.wait('REFER'), 'refer-to')).toBe('<sip:15559990000@pbx.example>')
  })

  it.each([
    ['486 Busy Here', 'the number is busy'],
    ['480 Temporarily Unavailable', 'nobody answered'],
    ['408 Request Timeout', 'nobody answered'],
    ['404 Not Found', 'it was refused: 404 Not Found'],
    ['503 Service Unavailable', 'it was refused: 503 Service Unavailable'],
  ])('that ends in %s leaves the call as it is', async (fragment, reason) => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    notify('100 Trying')
    notify(fragment, 'terminated;reason=noresource')
    expect(await transfer).toEqual({ ok: false, reason })
    expect(await Promise.race([leg.ended, Bun.sleep(50).then(() => 'alive')])).toBe('alive')
  })

  it.each([405, 501, 603, 302])(
    'that is refused with %i says so, and may be tried again',
    async (status) => {
      const { leg, uas } = await setup((refer, peer) => peer.reply(refer, status))
      const refused = { ok: false, reason: `the trunk does not transfer: ${status} Scripted` }
      expect(await leg.transfer(TARGET)).toEqual(refused)
      expect(await leg.transfer(TARGET)).toEqual(refused)
      expect(uas.all('REFER').length).toBe(2)
      expect(uas.all('INVITE').length).toBe(1)
    },
  )

  it('takes the outcome also when it comes before the 202, and in the compact form', async () => {
    const { leg } = await setup((refer, peer) => {
      dialog.ask('NOTIFY', {
        headers: ['o: refer;id=2', 'Subscription-State: terminated'],
        body: 'SIP/2.0 200 OK\r\n',
      })
      peer.reply(refer, 202)
    })
    expect(await leg.transfer(TARGET)).toEqual({ ok: true })
  })

  it('that the other side gives up telling of has failed', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    notify('100 Trying', 'terminated;reason=timeout')
    expect(await transfer).toEqual({
      ok: false,
      reason: 'the other side stopped telling before it was decided',
    })
  })

  it('hears of nothing but its own subscription', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    notify('200 OK', 'active', 'presence')
    notify('200 OK', 'active', 'refers')
    await uas.wait('SIP 200', { n: 2 })
    notify('486 Busy Here', 'terminated')
    expect(await transfer).toMatchObject({ ok: false })
  })

  it('is one at a time', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    expect(await leg.transfer(TARGET)).toEqual({
      ok: false,
      reason: 'the call is being transferred already',
    })
    notify('200 OK')
    expect(await transfer).toEqual({ ok: true })
  })

  it('is over when the human hangs up first', async () => {
    const { leg, ask, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    ask('BYE')
    expect(await transfer).toEqual({
      ok: false,
      reason: 'the call ended before it was decided',
    })
    expect(await leg.ended).toEqual({ by: 'human' })
    expect(await leg.transfer(TARGET)).toEqual({ ok: false, reason: 'the call is over' })
  })

  it('is over when we hang up first', async () => {
    const { leg, uas } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    await leg.hangup()
    expect(await transfer).toMatchObject({ ok: false })
  })

  it('is asked for again with credentials, with a number of its own (n-IA-hane/esphome-intercom#74)', async () => {
    const { leg, uas } = await setup(
      (refer, peer) => {
        if (header(refer, 'authorization')) peer.reply(refer, 202)
        else
          peer.reply(refer, 401, {
            headers: [
              'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"',
            ],
          })
      },
      { trunk: { username: 'u', password: 'p' } },
    )
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER', { n: 2 })
    notify('200 OK', 'terminated')
    expect(await transfer).toEqual({ ok: true })
    await leg.hangup()
    const numbers = [...uas.all('REFER'), ...uas.all('BYE')].map(
      ({ message }) => message.cseq?.number,
    )
    expect(numbers).toEqual([2, 3, 4])
  })

  it('survives a hold that the other side puts on us meanwhile', async () => {
    const { leg, uas, change } = await setup((refer, peer) => peer.reply(refer, 202))
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    await change(
      'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendonly\r\n',
    )
    expect(leg.held).toBe(true)
    notify('200 OK', 'terminated')
    expect(await transfer).toEqual({ ok: true })
  })

  it('may leave them silent; when it failed, their silence ends the call again', async () => {
    const { leg, uas, side } = await setup((refer, peer) => peer.reply(refer, 202))
    const [session] = side.media.sessions
    const transfer = leg.transfer(TARGET)
    await uas.wait('REFER')
    session?.fallSilent()
    expect(await Promise.race([leg.ended, Bun.sleep(50).then(() => 'open')])).toBe('open')
    notify('486 Busy Here', 'terminated')
    expect(await transfer).toMatchObject({ ok: false })
    session?.fallSilent()
    expect(await leg.ended).toEqual({ by: 'rtp_timeout' })
  })
})
