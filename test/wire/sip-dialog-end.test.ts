import { afterEach, describe, expect, it } from 'vitest'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { header, openDialog, sdpOf, type TestDialog } from '../kit/sip-dialog.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

async function setup(o: Parameters<typeof openDialog>[0] = {}): Promise<TestDialog> {
  const dialog = await openDialog(o)
  ends.push(() => dialog.stop())
  return dialog
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

describe('hang-ups that cross something', () => {
  it('a BYE of each side: both are 200', async () => {
    const { uas, leg, ask } = await setup({
      onRequest: (received, peer) => {
        if (received.message.method !== 'BYE') return false
        ask('BYE')
        setTimeout(() => peer.reply(received, 200), 100)
        return true
      },
    })
    await leg.hangup()
    const ok = await uas.wait('SIP 200')
    expect(ok.message.cseq?.method).toBe('BYE')
    expect(await leg.ended).toEqual({ by: 'us' })
  })

  it('a BYE while our re-INVITE is open: the call ends, and a late 200 is acknowledged', async () => {
    const { uas, leg, ask } = await setup({
      answer: { body: ANSWER_SDP(), headers: ['Session-Expires: 2;refresher=uac'] },
      onRequest: ({ message }) => message.method === 'INVITE',
    })
    const refresh = await uas.wait('INVITE', { n: 2 })
    ask('BYE')
    expect(await leg.ended).toEqual({ by: 'human' })
    uas.reply(refresh, 200, { body: ANSWER_SDP() })
    const ack = await uas.wait('ACK', { n: 2 })
    expect(ack.message.cseq?.number).toBe(refresh.message.cseq?.number)
    expect(uas.all('BYE').length).toBe(0)
  })

  it('our BYE while their re-INVITE has no ACK: its 200 is not repeated for ever', async () => {
    const { uas, leg, ask } = await setup()
    ask('INVITE', { body: sdpOf() })
    await uas.wait('SIP 200')
    await leg.hangup()
    const sent = uas.all('SIP 200').length
    await Bun.sleep(1_200)
    expect(uas.all('SIP 200').length).toBe(sent)
  })
})

describe('after hang-ups in the middle of everything (home-assistant/core#175718)', () => {
  it('the next call is answered and has its sound', async () => {
    const { side, uas, leg, ask, change } = await setup({
      onRequest: ({ message }) => message.method === 'REFER',
    })
    await change(sdpOf({ direction: 'sendonly' }))
    const transfer = leg.transfer('+15559990000')
    await uas.wait('REFER')
    ask('INVITE', { body: sdpOf({ port: 40_060 }) })
    await uas.wait('SIP 200', { n: 2 })
    ask('BYE')
    expect(await leg.ended).toEqual({ by: 'human' })
    expect(await transfer).toMatchObject({ ok: false })
    expect(side.media.sessions[0]?.closed).toBe(true)
    const next = await side.dial().dialed
    if (!('answered' in next)) throw new Error(JSON.stringify(next))
    expect(side.media.sessions[1]).toMatchObject({ closed: false })
    expect(side.media.sessions[1]?.agreements).toHaveLength(1)
    expect(next.answered.held).toBe(false)
    await next.answered.hangup()
  })
})

describe('where requests inside a dialog go', () => {
  it('to the outbound proxy when the domain has no address (n-IA-hane/esphome-intercom#105)', async () => {
    const uas = await ScriptedUas.open()
    const side = await startSipSide(
      [trunkOptions(5060, { host: 'pbx.invalid', outboundProxy: `127.0.0.1:${uas.port}` })],
      { lookup: async () => Promise.reject(new Error('no such name')) },
    )
    ends.push(async () => {
      await side.telephony.stop()
      uas.close()
    })
    uas.onMessage = (received: Received) => {
      const { method, kind } = received.message
      if (kind !== 'request' || method === 'ACK') return
      const text = uas.reply(received, method === 'REFER' ? 603 : 200, {
        body: method === 'INVITE' ? ANSWER_SDP() : '',
        tag: 'named',
      })
      void text
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const invite = await uas.wait('INVITE')
    expect(invite.message.requestUri).toBe('sip:+15551234567@pbx.invalid')
    uas.request('UPDATE', invite, {
      tag: 'named',
      headers: ['Contact: <sip:x@pbx.invalid>'],
    })
    await uas.wait('SIP 200')
    await dialed.answered.transfer('+15559990000')
    expect(header(await uas.wait('REFER'), 'refer-to')).toBe('<sip:+15559990000@pbx.invalid>')
    await dialed.answered.hangup()
    await uas.wait('BYE')
  })

  it('by UDP where the trunk is called by UDP, and our Contact says nothing else (n-IA-hane/esphome-intercom#108)', async () => {
    const { uas, leg, invite } = await setup({
      answer: { body: ANSWER_SDP(), headers: ['Session-Expires: 2;refresher=uac'] },
    })
    const refresh = await uas.wait('INVITE', { n: 2 })
    await leg.hangup()
    const bye = await uas.wait('BYE')
    for (const request of [invite, refresh, bye]) {
      expect(header(request, 'via')).toMatch(/^SIP\/2\.0\/UDP /)
      expect(header(request, 'contact')).not.toMatch(/transport=(tcp|tls)/i)
    }
  })
})
