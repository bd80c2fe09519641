import { afterEach, describe, expect, it } from 'vitest'
import type { SipState } from '../../src/calls/ports.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'
import { header, openDialog, originOf, sdpOf, type TestDialog } from '../kit/sip-dialog.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

let dialog: TestDialog

async function setup(o?: Parameters<typeof openDialog>[0]): Promise<TestDialog> {
  dialog = await openDialog(o)
  return dialog
}

afterEach(() => dialog.stop())

const agreed = (): unknown => dialog.side.media.sessions[0]?.agreements.at(-1)

describe('a re-INVITE', () => {
  it('with another codec is adopted, and our 200 names that codec (livekit/sip#766, livekit/sip PR#767)', async () => {
    const { change } = await setup()
    const ok = await change(sdpOf({ formats: [[8, 'PCMA/8000']], port: 40_010, version: 2 }))
    expect(ok.text).toContain('m=audio 42000 RTP/AVP 8\r\n')
    expect(agreed()).toMatchObject({
      codec: 'PCMA',
      payloadType: 8,
      remote: { host: '127.0.0.1', port: 40_010 },
      telephoneEventPayloadType: null,
    })
  })

  it('with a codec that we do not have is 488, and all stays as it was (livekit/sip#766)', async () => {
    const { uas, ask, invite, change } = await setup()
    const cseq = ask('INVITE', { body: sdpOf({ formats: [[18, 'G729/8000']], port: 40_012 }) })
    const refused = await uas.wait('SIP 488')
    uas.request('ACK', invite, { cseq, branch: refused.message.via?.branch ?? '' })
    expect(header(refused, 'warning')).toContain('305')
    expect(agreed()).toMatchObject({ codec: 'PCMU', remote: { port: 40_000 } })
    const ok = await change(sdpOf({ port: 40_014, version: 2 }))
    expect(ok.text).toContain('m=audio 42000 RTP/AVP 0 101\r\n')
    expect(agreed()).toMatchObject({ remote: { port: 40_014 } })
  })

  it.each([
    ['sendonly', sdpOf({ direction: 'sendonly' }), 'recvonly'],
    ['inactive', sdpOf({ direction: 'inactive' }), 'inactive'],
    ['c=0.0.0.0', sdpOf({ address: '0.0.0.0' }), 'inactive'],
  ])(
    'that holds by %s is answered so, and the next one resumes (livekit/sip#779)',
    async (_, hold, ours) => {
      const { change, leg, side } = await setup()
      expect(leg.lastHold).toBeNull()
      const held = await change(hold)
      expect(held.text).toContain(`a=${ours}\r\n`)
      expect(leg.held).toBe(true)
      side.media.sessions[0]?.ears.write(new Int16Array(800))
      expect(leg.lastHold).toEqual({ from: 0, to: null })
      const resumed = await change(sdpOf({ port: 40_020, version: 3 }))
      expect(resumed.text).toContain('a=sendrecv\r\n')
      expect(leg.held).toBe(false)
      expect(leg.lastHold).toEqual({ from: 0, to: 800 })
      expect(agreed()).toMatchObject({ direction: 'sendrecv', remote: { port: 40_020 } })
    },
  )

  it('that changes nothing is answered with the same description, version and all', async () => {
    const { change } = await setup()
    const first = await change(sdpOf())
    const second = await change(sdpOf())
    const third = await change(sdpOf({ direction: 'sendonly' }))
    expect(second.message.body).toBe(first.message.body)
    const version = (text: string): number => Number(text.split(' ')[2])
    expect(version(originOf(third))).toBe(version(originOf(first)) + 1)
  })

  it('is answered again until it is acknowledged', async () => {
    const { uas, ask, invite } = await setup()
    const cseq = ask('INVITE', { body: sdpOf() })
    const [first, second] = [await uas.wait('SIP 200'), await uas.wait('SIP 200', { n: 2 })]
    expect(second?.text).toBe(first?.text)
    uas.request('ACK', invite, { cseq })
    await Bun.sleep(1_300)
    expect(uas.all('SIP 200').length).toBe(2)
  })

  it('with something else than a description is 415', async () => {
    const { uas, ask } = await setup()
    ask('INVITE', { headers: ['Content-Type: text/plain'], body: 'hello' })
    await uas.wait('SIP 415')
    ask('UPDATE', { headers: ['Content-Type: text/plain', 'Content-Disposition: session'] })
    await uas.wait('SIP 200')
  })

  it('that says twice what its body is, is malformed', async () => {
    const { uas, ask } = await setup()
    const headers = ['Content-Type: text/plain', 'Content-Type: application/sdp']
    ask('INVITE', { headers, body: sdpOf() })
    await uas.wait('SIP 400')
  })

  it('takes nothing of what REFER, Replaces and a 302 ask for', async () => {
    const { uas, ask, leg } = await setup()
    ask('REFER', { headers: ['Refer-To: <sip:+19005550000@127.0.0.1?Replaces=a%3Bto-tag%3Db>'] })
    await uas.wait('SIP 603')
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE')
        uas.reply(received, 302, { headers: ['Contact: <sip:+19005550000@127.0.0.1>'] })
      else if (received.message.method === 'BYE') uas.reply(received, 200)
    }
    const dialed = await dialog.side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'rejected', sipCode: 302 })
    expect(uas.all('INVITE').length).toBe(2)
    expect(leg.held).toBe(false)
  })
})

describe('UPDATE', () => {
  it('with an offer is answered, and what it offers is adopted', async () => {
    const { uas, ask, leg } = await setup()
    ask('UPDATE', { body: sdpOf({ direction: 'sendonly', port: 40_030, version: 2 }) })
    const ok = await uas.wait('SIP 200')
    expect(ok.message.cseq?.method).toBe('UPDATE')
    expect(ok.text).toContain('a=recvonly\r\n')
    expect(header(ok, 'contact')).toContain(`127.0.0.1:${dialog.side.telephony.localPort()}`)
    expect(leg.held).toBe(true)
    expect(agreed()).toMatchObject({ remote: { port: 40_030 } })
  })

  it('that offers nothing we can do is 488, and without an offer it is 200', async () => {
    const { uas, ask } = await setup()
    ask('UPDATE', { body: sdpOf({ formats: [[18, 'G729/8000']] }) })
    await uas.wait('SIP 488')
    ask('UPDATE')
    const ok = await uas.wait('SIP 200')
    expect(ok.message.body).toBe('')
    expect(dialog.side.media.sessions[0]?.agreements.every(({ codec }) => codec === 'PCMU')).toBe(
      true,
    )
  })

  it('that is repeated is answered from memory', async () => {
    const { uas, ask } = await setup()
    const branch = 'z9hG4bKagain'
    ask('UPDATE', { cseq: 300, branch })
    const first = await uas.wait('SIP 200')
    ask('UPDATE', { cseq: 300, branch })
    const second = await uas.wait('SIP 200', { n: 2 })
    expect(second.text).toBe(first.text)
  })

  it('that is older than what came before is 500', async () => {
    const { uas, ask } = await setup()
    ask('UPDATE', { cseq: 300 })
    await uas.wait('SIP 200')
    ask('UPDATE', { cseq: 299 })
    await uas.wait('SIP 500')
  })

  it('moves the dialog: the BYE goes where its Contact says', async () => {
    const { uas, invite, leg } = await setup()
    const moved = await ScriptedUas.open()
    moved.onMessage = (received) => {
      if (received.message.method === 'BYE') moved.reply(received, 200)
    }
    moved.request('UPDATE', invite, { cseq: 150 })
    await moved.wait('SIP 200')
    await leg.hangup()
    expect((await moved.wait('BYE')).message.requestUri).toContain(`:${moved.port}`)
    expect(uas.all('BYE').length).toBe(0)
    moved.close()
  })
})

describe('a re-INVITE whose Contact', () => {
  it.each(['', 'Contact: <sip:a@b;=;x>', 'Contact: <mailto:a@b>', 'Contact: *'])(
    'is %j leaves the other side where it was',
    async (contact) => {
      const { uas, invite, leg, moves } = await setup()
      const lines = contact === '' ? '' : `${contact}\r\n`
      const request = [
        `INVITE sip:x@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${uas.port};branch=z9hG4bKbare;rport`,
        `From: ${header(invite, 'to')};tag=uas`,
        `To: ${header(invite, 'from')}`,
        `Call-ID: ${invite.message.callId}`,
        `${lines}CSeq: 300 INVITE`,
        'Content-Length: 0',
      ]
      uas.send(`${request.join('\r\n')}\r\n\r\n`, invite.from)
      await uas.wait('SIP 200')
      uas.request('ACK', invite, { cseq: 300, body: sdpOf() })
      await leg.hangup()
      expect(uas.all('BYE').length).toBe(1)
      expect(moves).toEqual([])
    },
  )
})

describe('a dialog that moves', () => {
  it.each(['INVITE', 'UPDATE'] as const)(
    'by %s is told anew: a crash recovery ends it where it is now',
    async (method) => {
      const { uas, ask, invite, moves, leg } = await setup()
      const moved = await ScriptedUas.open(0, '127.0.0.7')
      const contact = `sip:elsewhere@127.0.0.7:${moved.port}`
      const cseq = ask(method, { contact, body: sdpOf() })
      await uas.wait('SIP 200')
      if (method === 'INVITE') uas.request('ACK', invite, { cseq })
      await expect
        .poll(() => moves.at(-1))
        .toMatchObject({
          phase: 'dialog',
          target: `sip:elsewhere@127.0.0.7:${moved.port}`,
          destination: { host: '127.0.0.7', port: moved.port },
        })
      const next = await startSipSide([trunkOptions(uas.port)])
      moved.onMessage = (received) => {
        if (received.message.method === 'BYE') moved.reply(received, 200)
      }
      await next.telephony.trunk.recover(moves.at(-1) as SipState)
      expect(moved.all('BYE').length).toBe(1)
      await next.telephony.stop()
      // The process that lives hears what comes from there, though the trunk has another address.
      await leg.hangup()
      expect(moved.all('BYE').length).toBe(2)
      expect(uas.all('BYE').length).toBe(0)
      moved.close()
    },
  )
})

describe('glare', () => {
  it('is 491 for an offer by UPDATE while ours has no answer', async () => {
    const { uas, ask, invite } = await setup()
    const cseq = ask('INVITE')
    const offered = await uas.wait('SIP 200')
    expect(offered.text).toContain('m=audio 42000 RTP/AVP 0 8 101\r\n')
    ask('UPDATE', { body: sdpOf({ port: 40_040 }) })
    await uas.wait('SIP 491')
    uas.request('ACK', invite, { cseq, body: sdpOf({ port: 40_042 }) })
    await expect.poll(agreed).toMatchObject({ remote: { port: 40_042 } })
  })

  it('is 500 for a second re-INVITE before the first is acknowledged', async () => {
    const { uas, ask } = await setup()
    ask('INVITE', { body: sdpOf() })
    await uas.wait('SIP 200')
    ask('INVITE', { body: sdpOf({ port: 40_044 }) })
    const refused = await uas.wait('SIP 500')
    expect(Number(header(refused, 'retry-after'))).toBeGreaterThan(0)
  })
})

describe('OPTIONS inside a dialog', () => {
  it('is answered with what we take, REFER not among it', async () => {
    const { uas, ask } = await setup()
    ask('OPTIONS')
    const ok = await uas.wait('SIP 200')
    expect(header(ok, 'allow')).toBe(
      'INVITE, ACK, BYE, CANCEL, UPDATE, OPTIONS, INFO, NOTIFY, MESSAGE',
    )
    expect(header(ok, 'accept')).toContain('application/sdp')
  })
})
