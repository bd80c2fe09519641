import { afterEach, describe, expect, it } from 'vitest'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { header, openDialog, originOf, sdpOf, type TestDialog } from '../kit/sip-dialog.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

async function setup(o: Parameters<typeof openDialog>[0]): Promise<TestDialog> {
  const dialog = await openDialog(o)
  ends.push(() => dialog.stop())
  return dialog
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const timed = (seconds: number, refresher: 'uac' | 'uas', ...more: string[]) => ({
  headers: [`Session-Expires: ${seconds};refresher=${refresher}`, 'Require: timer', ...more],
})

const ALLOWS_UPDATE = 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE'

describe('session timers (livekit/sip PR#582, livekit/sip#438: calls torn down at 15 minutes)', () => {
  it('are offered with the INVITE', async () => {
    const { invite } = await setup({})
    expect(header(invite, 'supported')).toContain('timer')
    expect(header(invite, 'session-expires')).toBe('1800')
    expect(header(invite, 'allow')).toContain('UPDATE')
  })

  it('are refreshed by us by UPDATE, again and again, where the other side allows it', async () => {
    const { uas, leg } = await setup({
      answer: timed(2, 'uac', ALLOWS_UPDATE),
      onRequest: (received, peer) => {
        if (received.message.method !== 'UPDATE') return false
        peer.reply(received, 200, timed(2, 'uac'))
        return true
      },
    })
    const update = await uas.wait('UPDATE')
    expect(header(update, 'session-expires')).toBe('90;refresher=uac')
    expect(header(update, 'supported')).toContain('timer')
    expect(header(update, 'contact')).toContain('<sip:')
    expect(update.message.body).toBe('')
    const second = await uas.wait('UPDATE', { n: 2 })
    expect(second.message.cseq?.number).toBe((update.message.cseq?.number ?? 0) + 1)
    expect(Math.abs(second.at - update.at - 1_000)).toBeLessThan(400)
    expect(uas.all('BYE').length).toBe(0)
    expect(leg.held).toBe(false)
  })

  it('are refreshed by us by re-INVITE elsewhere, with the description that was said last', async () => {
    const { uas, side, invite } = await setup({
      answer: timed(2, 'uac'),
      onRequest: (received, peer) => {
        if (received.message.method !== 'INVITE') return false
        peer.reply(received, 200, { ...timed(2, 'uac'), body: ANSWER_SDP(40_050) })
        return true
      },
    })
    const refresh = await uas.wait('INVITE', { n: 2 })
    expect(refresh.message.body).toBe(invite.message.body)
    expect(originOf(refresh)).toBe(originOf(invite))
    expect(header(refresh, 'session-expires')).toBe('90;refresher=uac')
    const ack = await uas.wait('ACK', { n: 2 })
    expect(ack.message.cseq?.number).toBe(refresh.message.cseq?.number)
    expect(side.media.sessions[0]?.agreements.at(-1)?.remote.port).toBe(40_050)
    await uas.wait('INVITE', { n: 3 })
  })

  it('are refreshed while we are held with the description of the hold', async () => {
    const { uas, change, leg } = await setup({
      answer: timed(4, 'uac'),
      onRequest: (received, peer) => {
        if (received.message.method !== 'INVITE') return false
        peer.reply(received, 200, { ...timed(90, 'uac'), body: sdpOf({ direction: 'sendonly' }) })
        return true
      },
    })
    const held = await change(sdpOf({ direction: 'sendonly', version: 2 }))
    const refresh = await uas.wait('INVITE', { n: 2 })
    expect(refresh.message.body).toBe(held.message.body)
    await uas.wait('ACK', { n: 2 })
    expect(leg.held).toBe(true)
  })

  it('go on by re-INVITE when an allowed UPDATE is refused with 405', async () => {
    const { uas } = await setup({
      answer: timed(2, 'uac', ALLOWS_UPDATE),
      onRequest: (received, peer) => {
        if (received.message.method === 'UPDATE') peer.reply(received, 405)
        else if (received.message.method === 'INVITE')
          peer.reply(received, 200, { ...timed(2, 'uac'), body: ANSWER_SDP() })
        else return false
        return true
      },
    })
    await uas.wait('INVITE', { n: 2 })
    await uas.wait('INVITE', { n: 3 })
    expect(uas.all('UPDATE').length).toBe(1)
  })

  it('refreshed by them keep the call, and are answered with who refreshes', async () => {
    const { uas, ask, leg } = await setup({ answer: timed(3, 'uas') })
    await Bun.sleep(1_000)
    ask('UPDATE', { headers: ['Supported: timer', 'Session-Expires: 900;refresher=uac'] })
    const ok = await uas.wait('SIP 200')
    expect(header(ok, 'session-expires')).toBe('900;refresher=uac')
    expect(header(ok, 'require')).toBe('timer')
    expect(header(ok, 'supported')).toBe('timer')
    const state = await Promise.race([leg.ended, Bun.sleep(2_000).then(() => 'alive')])
    expect(state).toBe('alive')
  })

  it('refreshed by their re-INVITE in the compact form keep the call too', async () => {
    const { change } = await setup({ answer: timed(3, 'uas') })
    const ok = await change(sdpOf(), { headers: ['k: timer', 'x: 1800;refresher=uac'] })
    expect(header(ok, 'session-expires')).toBe('1800;refresher=uac')
  })

  it('that they let run out end the call with BYE before the end', async () => {
    const { uas, leg } = await setup({ answer: timed(3, 'uas') })
    const begun = performance.now()
    const bye = await uas.wait('BYE')
    expect(Math.abs(bye.at - begun - 2_000)).toBeLessThan(500)
    expect(await leg.ended).toEqual({
      by: 'trunk_error',
      reason: 'the session was not refreshed in time',
    })
  })

  it('that nobody answers end the call with BYE too', async () => {
    const { uas, leg } = await setup({
      answer: timed(3, 'uac', ALLOWS_UPDATE),
      onRequest: ({ message }) => message.method === 'UPDATE',
    })
    await uas.wait('BYE')
    expect(await leg.ended).toMatchObject({ by: 'trunk_error' })
  })

  it('for a dialog that they have forgotten end it at once', async () => {
    const { uas, leg } = await setup({
      answer: timed(2, 'uac', ALLOWS_UPDATE),
      onRequest: (received, peer) => {
        if (received.message.method !== 'UPDATE') return false
        peer.reply(received, 481)
        return true
      },
    })
    expect(await leg.ended).toEqual({
      by: 'trunk_error',
      reason: 'refreshing the session: it is unknown there',
    })
    await uas.wait('BYE')
  })

  it('too short for the rule are 422, and the session is as before', async () => {
    const { uas, ask, leg } = await setup({})
    ask('UPDATE', { headers: ['Supported: timer', 'Session-Expires: 30'] })
    const refused = await uas.wait('SIP 422')
    expect(header(refused, 'min-se')).toBe('90')
    expect(leg.held).toBe(false)
    ask('INVITE', { headers: ['Supported: timer', 'Session-Expires: 30'], body: sdpOf() })
    await uas.wait('SIP 422', { n: 2 })
  })

  it('collide with their re-INVITE as RFC 3261 §14.2 says: 491 to theirs while ours is open', async () => {
    const { uas, ask, change } = await setup({
      answer: timed(4, 'uac'),
      onRequest: ({ message }) => message.method === 'INVITE',
    })
    const ours = await uas.wait('INVITE', { n: 2 })
    const cseq = ask('INVITE', { body: sdpOf() })
    const refused = await uas.wait('SIP 491')
    uas.request('ACK', ours, { cseq, branch: refused.message.via?.branch ?? '' })
    uas.reply(ours, 200, { ...timed(90, 'uac'), body: ANSWER_SDP() })
    await uas.wait('ACK', { n: 2 })
    const ok = await change(sdpOf({ formats: [[8, 'PCMA/8000']] }))
    expect(ok.text).toContain('RTP/AVP 8')
  })
})

describe('a 422 to our INVITE', () => {
  async function dialing(onInvite: (received: Received, uas: ScriptedUas) => void) {
    const uas = await ScriptedUas.open()
    const side: SipSide = await startSipSide([trunkOptions(uas.port)])
    ends.push(async () => {
      await side.telephony.stop()
      uas.close()
    })
    uas.onMessage = (received) => {
      const { method } = received.message
      if (method === 'INVITE') onInvite(received, uas)
      else if (method === 'BYE') uas.reply(received, 200)
    }
    return { uas, side, call: side.dial() }
  }

  it('brings the same INVITE with the interval that was asked for', async () => {
    const { uas, side, call } = await dialing((received, peer) => {
      if (peer.all('INVITE').length === 1) peer.reply(received, 422, { headers: ['Min-SE: 3600'] })
      else peer.reply(received, 200, { body: ANSWER_SDP(), ...timed(3600, 'uac') })
    })
    expect('answered' in (await call.dialed)).toBe(true)
    const [first, second] = uas.all('INVITE')
    if (!first || !second) throw new Error(uas.summary())
    expect(header(second, 'session-expires')).toBe('3600')
    expect(header(second, 'min-se')).toBe('3600')
    expect(second.message.callId).toBe(first.message.callId)
    expect(second.message.fromTag).toBe(first.message.fromTag)
    expect(second.message.cseq?.number).toBe(2)
    expect(second.message.body).toBe(first.message.body)
    expect(side.states.length).toBe(2)
    expect(call.rang()).toBe(0)
  })

  it('that makes no sense is a refusal', async () => {
    const { uas, call } = await dialing((received, peer) =>
      peer.reply(received, 422, { headers: ['Min-SE: 100'] }),
    )
    expect(await call.dialed).toMatchObject({ failed: 'rejected', sipCode: 422 })
    expect(uas.all('INVITE').length).toBe(1)
  })

  it('is not answered without an end', async () => {
    const { uas, call } = await dialing((received, peer) =>
      peer.reply(received, 422, { headers: [`Min-SE: ${2_000 * peer.all('INVITE').length}`] }),
    )
    expect(await call.dialed).toMatchObject({ failed: 'rejected', sipCode: 422 })
    expect(uas.all('INVITE').length).toBe(4)
  })
})
