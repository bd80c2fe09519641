import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide

beforeEach(async () => {
  uas = await ScriptedUas.open()
  side = await startSipSide([trunkOptions(uas.port)])
})

afterEach(async () => {
  uas.onMessage = (received) => {
    if (received.message.method === 'BYE') uas.reply(received, 200)
  }
  await side.telephony.stop()
  uas.close()
})

/** Answers INVITE with 180 and 200, BYE with 200. */
function answering(body = ANSWER_SDP()): void {
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request') return
    if (method === 'INVITE') {
      uas.reply(received, 180)
      uas.reply(received, 200, { body })
    }
    if (method === 'BYE') uas.reply(received, 200)
  }
}

describe('an answered call', () => {
  it('rings, is acknowledged, carries our offer, and ends with our BYE', async () => {
    answering()
    const call = side.dial()
    const dialed = await call.dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(call.rang()).toBe(1)
    const invite = await uas.wait('INVITE')
    expect(invite.message.requestUri).toBe(`sip:+15551234567@127.0.0.1:${uas.port}`)
    expect(invite.text).toContain('m=audio 42000 RTP/AVP 0 8 101\r\n')
    expect(invite.text).toContain('c=IN IP4 127.0.0.1\r\n')
    expect(headerOf(invite.message, 'supported')).toBe('100rel, timer')
    expect(headerOf(invite.message, 'from')).toContain('sip:+15550001111@127.0.0.1')
    expect(headerOf(invite.message, 'via')).toMatch(
      new RegExp(
        `^SIP/2.0/UDP 127.0.0.1:${side.telephony.localPort()};branch=z9hG4bK\\w+-\\w+;rport$`,
      ),
    )
    await uas.wait('ACK')
    expect(side.media.sessions[0]?.agreements[0]).toEqual({
      remote: { host: '127.0.0.1', port: 40_000 },
      signallingHost: '127.0.0.1',
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      telephoneEventClockHz: 8_000,
      listenForTones: false,
      ptimeMs: 20,
      srtp: null,
      rtcp: { port: 40_001 },
      direction: 'sendrecv',
    })
    await dialed.answered.hangup()
    expect(await dialed.answered.ended).toEqual({ by: 'us' })
    const bye = await uas.wait('BYE')
    expect(headerOf(bye.message, 'to')).toContain('tag=uas')
    expect(bye.message.cseq?.number).toBe(2)
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('ends when the other side hangs up', async () => {
    answering()
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    uas.request('BYE', await uas.wait('INVITE'))
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
    await uas.wait('SIP 200')
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('ends when the hang-up names another user than our Contact', async () => {
    answering()
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    uas.request('BYE', await uas.wait('INVITE'), { uri: 'sip:somebody@127.0.0.1' })
    expect(await dialed.answered.ended).toEqual({ by: 'human' })
  })

  it('survives a lost INVITE, a lost 200 and a lost BYE', async () => {
    let invites = 0
    let byes = 0
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE' && ++invites === 2) {
        // The first 200 is lost on the way: only its retransmission comes.
        setTimeout(() => uas.reply(received, 200, { body: ANSWER_SDP() }), 100)
      }
      if (received.message.method === 'BYE' && ++byes === 2) uas.reply(received, 200)
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    const [first, second] = uas.all('INVITE')
    expect(second?.text).toBe(first?.text)
    const gap = (second?.at ?? 0) - (first?.at ?? 0)
    expect(gap).toBeGreaterThan(400)
    expect(gap).toBeLessThan(900)
    await dialed.answered.hangup()
    expect(uas.all('BYE').length).toBe(2)
    expect(await dialed.answered.ended).toEqual({ by: 'us' })
  })

  it('acknowledges each repeated 200', async () => {
    let ok = ''
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE')
        ok = uas.reply(received, 200, { body: ANSWER_SDP() })
    }
    await side.dial().dialed
    const ack = await uas.wait('ACK')
    uas.send(ok, ack.from)
    await uas.wait('ACK', { n: 2 })
  })

  it('hangs up when no sound comes any more', async () => {
    answering()
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    side.media.sessions[0]?.fallSilent()
    expect(await dialed.answered.ended).toEqual({ by: 'rtp_timeout' })
    await uas.wait('BYE')
  })

  it('answers a BYE that crossed ours with 200', async () => {
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP() })
      if (received.message.method === 'BYE' && uas.all('BYE').length === 1) {
        uas.request('BYE', uas.all('INVITE')[0] ?? received)
        uas.reply(received, 200)
      }
    }
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await dialed.answered.hangup()
    const reply = await uas.wait('SIP 200')
    expect(reply.message.cseq?.method).toBe('BYE')
  })

  it('takes an answer from 183 when the 200 has none', async () => {
    uas.onMessage = (received) => {
      if (received.message.method !== 'INVITE') return
      uas.reply(received, 183, { body: ANSWER_SDP(40_002) })
      uas.reply(received, 200)
    }
    const dialed = await side.dial().dialed
    expect('answered' in dialed).toBe(true)
    expect(side.media.sessions[0]?.agreements[0]?.remote.port).toBe(40_002)
  })

  it('ends a call whose answer has no codec of ours', async () => {
    answering(
      ANSWER_SDP()
        .replaceAll(/PCMU|RTP\/AVP 0/g, (s) => (s === 'PCMU' ? 'G729' : 'RTP/AVP 18'))
        .replace('rtpmap:0', 'rtpmap:18'),
    )
    const dialed = await side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
    await uas.wait('BYE')
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('ends a second fork that answers too', async () => {
    uas.onMessage = (received) => {
      if (received.message.method === 'BYE') uas.reply(received, 200)
      if (received.message.method !== 'INVITE') return
      uas.reply(received, 200, { body: ANSWER_SDP(), tag: 'one' })
      uas.reply(received, 200, { body: ANSWER_SDP(), tag: 'two' })
    }
    const dialed = await side.dial().dialed
    expect('answered' in dialed).toBe(true)
    const bye = await uas.wait('BYE')
    expect(headerOf(bye.message, 'to')).toContain('tag=two')
    expect(uas.all('BYE').length).toBe(1)
  })
})

describe('inside a call', () => {
  async function answered(): Promise<{ leg: { held: boolean; ended: Promise<unknown> } }> {
    answering()
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    return { leg: dialed.answered }
  }

  it('is held, resumed, and refuses what it cannot do with 488', async () => {
    const { leg } = await answered()
    const invite = await uas.wait('INVITE')
    const hold = ANSWER_SDP().replace('sendrecv', 'sendonly')
    uas.request('INVITE', invite, { cseq: 10, body: hold })
    const first = await uas.wait('SIP 200')
    expect(first.text).toContain('a=recvonly')
    expect(headerOf(first.message, 'contact')).toContain(`127.0.0.1:${side.telephony.localPort()}`)
    expect(leg.held).toBe(true)
    uas.request('ACK', invite, { cseq: 10 })
    uas.request('INVITE', invite, { cseq: 11, body: ANSWER_SDP(40_100) })
    await uas.wait('SIP 200', { n: 2 })
    uas.request('ACK', invite, { cseq: 11 })
    expect(leg.held).toBe(false)
    expect(side.media.sessions[0]?.agreements.at(-1)?.remote.port).toBe(40_100)
    uas.request('INVITE', invite, { cseq: 12, body: 'v=0\r\n' })
    const refused = await uas.wait('SIP 488')
    // Nobody acknowledges the 488: it comes again (timer G).
    await uas.wait('SIP 488', { n: 2 })
    uas.request('ACK', invite, { cseq: 12, branch: refused.message.via?.branch ?? '' })
    expect(side.media.sessions[0]?.agreements.length).toBe(3)
  })

  it('offers sound of its own to a re-INVITE without a description', async () => {
    await answered()
    const invite = await uas.wait('INVITE')
    uas.request('INVITE', invite, { cseq: 10 })
    const reply = await uas.wait('SIP 200')
    expect(reply.text).toContain('m=audio 42000 RTP/AVP 0 8 101')
    uas.request('ACK', invite, { cseq: 10, body: ANSWER_SDP(40_200) })
    await expect.poll(() => side.media.sessions[0]?.agreements.at(-1)?.remote.port).toBe(40_200)
  })

  it('declines REFER, takes INFO, OPTIONS and UPDATE, and nothing that is no method', async () => {
    await answered()
    const invite = await uas.wait('INVITE')
    uas.request('REFER', invite, { cseq: 20, headers: ['Refer-To: <sip:+19005550000@evil>'] })
    await uas.wait('SIP 603')
    uas.request('INFO', invite, { cseq: 21 })
    expect((await uas.wait('SIP 200')).message.cseq?.method).toBe('INFO')
    uas.request('OPTIONS', invite, { cseq: 22 })
    expect((await uas.wait('SIP 200', { n: 2 })).message.cseq?.method).toBe('OPTIONS')
    uas.request('UPDATE', invite, { cseq: 23 })
    expect((await uas.wait('SIP 200', { n: 3 })).message.cseq?.method).toBe('UPDATE')
    uas.request('FROBNICATE', invite, { cseq: 24 })
    await expect.poll(() => [...uas.all('SIP 405'), ...uas.all('SIP 501')].length).toBe(1)
    expect(uas.all('INVITE').length).toBe(1)
  })

  it('ignores a BYE with a wrong tag', async () => {
    const { leg } = await answered()
    uas.request('BYE', await uas.wait('INVITE'), { tag: 'forged' })
    await uas.wait('SIP 481')
    const state = await Promise.race([leg.ended, Bun.sleep(100).then(() => 'alive')])
    expect(state).toBe('alive')
  })
})
