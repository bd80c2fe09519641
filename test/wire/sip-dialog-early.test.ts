import { afterEach, describe, expect, it } from 'vitest'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { header, sdpOf } from '../kit/sip-dialog.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Dials; `onInvite` plays the other side, which answers BYE and, unless told otherwise, PRACK with 200. */
async function setup(
  onInvite: (invite: Received, uas: ScriptedUas) => void,
  o: {
    trunk?: Parameters<typeof trunkOptions>[1]
    onPrack?: (prack: Received, uas: ScriptedUas) => void
  } = {},
) {
  const uas = await ScriptedUas.open()
  const side: SipSide = await startSipSide([trunkOptions(uas.port, o.trunk)])
  ends.push(async () => {
    await side.telephony.stop()
    uas.close()
  })
  uas.onMessage = (received) => {
    const { method } = received.message
    if (method === 'INVITE') onInvite(received, uas)
    else if (method === 'PRACK' && o.onPrack) o.onPrack(received, uas)
    else if (method !== 'ACK' && received.message.kind === 'request') uas.reply(received, 200)
  }
  const call = side.dial()
  const dialed = call.dialed.then((result) => {
    if ('answered' in result) return result.answered
    throw new Error(JSON.stringify(result))
  })
  dialed.catch(() => undefined)
  return { uas, side, call, dialed, agreed: () => side.media.sessions[0]?.agreements.at(-1) }
}

const reliable = (rseq: number, ...more: string[]) => ({
  headers: ['Require: 100rel', `RSeq: ${rseq}`, ...more],
})

describe('several phones that ring for one INVITE', () => {
  it('ring once, and the one that answers has its own early description', async () => {
    const { dialed, call, agreed, uas } = await setup((invite, peer) => {
      peer.reply(invite, 183, { tag: 'one', body: sdpOf({ port: 40_100 }) })
      peer.reply(invite, 180, { tag: 'two' })
      peer.reply(invite, 183, { tag: 'three', body: sdpOf({ port: 40_300 }) })
      peer.reply(invite, 183, { tag: 'one', body: sdpOf({ port: 40_100 }) })
      setTimeout(() => peer.reply(invite, 200, { tag: 'one' }), 50)
    })
    await dialed
    expect(call.rang()).toBe(1)
    expect(agreed()).toMatchObject({ remote: { port: 40_100 } })
    expect((await uas.wait('ACK')).message.toTag).toBe('one')
  })

  it('are each acknowledged and hung up on when they answer after another did', async () => {
    const { dialed, agreed, uas } = await setup((invite, peer) => {
      peer.reply(invite, 183, { tag: 'one', body: sdpOf({ port: 40_100 }) })
      peer.reply(invite, 183, { tag: 'two', body: sdpOf({ port: 40_200 }) })
      peer.reply(invite, 200, { tag: 'two', body: sdpOf({ port: 40_200 }) })
      peer.reply(invite, 200, { tag: 'one', body: sdpOf({ port: 40_100 }) })
      peer.reply(invite, 200, { tag: 'three', body: sdpOf({ port: 40_300 }) })
    })
    const leg = await dialed
    await uas.wait('BYE', { n: 2 })
    const tags = (kind: string): string[] => uas.all(kind).map(({ message }) => message.toTag ?? '')
    expect(tags('BYE').sort()).toEqual(['one', 'three'])
    expect(tags('ACK').sort()).toEqual(['one', 'three', 'two'])
    expect(agreed()).toMatchObject({ remote: { port: 40_200 } })
    expect(await Promise.race([leg.ended, Bun.sleep(100).then(() => 'alive')])).toBe('alive')
  })

  it('do not make an answer of what another phone described', async () => {
    const { call } = await setup((invite, peer) => {
      peer.reply(invite, 183, { tag: 'one', body: ANSWER_SDP() })
      peer.reply(invite, 200, { tag: 'two' })
    })
    expect(await call.dialed).toMatchObject({ failed: 'trunk_error', sipCode: null })
  })

  it('are reached at the Contact of the answer, whatever that of the ringing was', async () => {
    const { dialed, uas } = await setup((invite, peer) => {
      const ringing = peer.reply(invite, 180)
      const body = ANSWER_SDP()
      const answer = ringing
        .replace('SIP/2.0 180', 'SIP/2.0 200')
        .replace('<sip:uas@', '<sip:desk@')
        .replace(
          'Content-Length: 0\r\n',
          `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n`,
        )
      peer.send(answer + body, invite.from)
    })
    await (await dialed).hangup()
    expect(uas.all('ACK')[0]?.message.requestUri).toContain('sip:desk@')
    expect((await uas.wait('BYE')).message.requestUri).toContain('sip:desk@')
  })
})

describe('a reliable provisional response (100rel)', () => {
  it('is acknowledged by PRACK, and its description is the answer when the 200 has none', async () => {
    const { dialed, agreed, uas, call, side } = await setup((invite, peer) => {
      peer.reply(invite, 183, { ...reliable(7), body: sdpOf({ port: 40_400 }) })
      setTimeout(() => peer.reply(invite, 200), 100)
    })
    const leg = await dialed
    const prack = await uas.wait('PRACK')
    expect(header(prack, 'rack')).toBe('7 1 INVITE')
    expect(prack.message.toTag).toBe('uas')
    expect(prack.message.cseq?.number).toBe(2)
    expect(call.rang()).toBe(1)
    expect(agreed()).toMatchObject({ remote: { port: 40_400 } })
    expect(side.states.length).toBe(1)
    await leg.hangup()
    const bye = await uas.wait('BYE')
    expect(bye.message.cseq?.number).toBe(3)
  })

  it('is acknowledged once when it is repeated, and each of those that follow in order', async () => {
    const { dialed, uas } = await setup((invite, peer) => {
      peer.reply(invite, 183, reliable(1))
      peer.reply(invite, 183, reliable(1))
      peer.reply(invite, 183, reliable(3))
      peer.reply(invite, 180, reliable(2))
      setTimeout(() => peer.reply(invite, 200, { body: ANSWER_SDP() }), 150)
    })
    await dialed
    expect(uas.all('PRACK').map((prack) => header(prack, 'rack'))).toEqual([
      '1 1 INVITE',
      '2 1 INVITE',
    ])
  })

  it('is acknowledged again with credentials, and no number of the dialog is used twice (n-IA-hane/esphome-intercom#74)', async () => {
    const challenge = { headers: ['Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"'] }
    const { dialed, uas } = await setup(
      (invite, peer) => {
        if (!header(invite, 'proxy-authorization')) {
          peer.reply(invite, 407, challenge)
          return
        }
        peer.reply(invite, 183, { ...reliable(9), body: ANSWER_SDP() })
        setTimeout(() => peer.reply(invite, 200), 200)
      },
      {
        trunk: { username: 'u', password: 'p' },
        onPrack: (prack, peer) => {
          const known = header(prack, 'proxy-authorization') !== ''
          peer.reply(prack, known ? 200 : 407, known ? {} : challenge)
        },
      },
    )
    const leg = await dialed
    const second = await uas.wait('PRACK', { n: 2 })
    expect(header(second, 'proxy-authorization')).toContain('username="u"')
    await leg.hangup()
    const numbers = [...uas.all('PRACK'), ...uas.all('BYE')].map(
      ({ message }) => message.cseq?.number,
    )
    expect(numbers).toEqual([3, 4, 5])
    expect(header(second, 'rack')).toBe('9 2 INVITE')
  })

  it('is a dialog in which sound may change by UPDATE before the answer', async () => {
    const { dialed, agreed, uas } = await setup((invite, peer) => {
      peer.reply(invite, 183, { ...reliable(1), body: sdpOf({ port: 40_500 }) })
      setTimeout(
        () => peer.request('UPDATE', invite, { body: sdpOf({ port: 40_502, version: 2 }) }),
        100,
      )
      setTimeout(() => peer.reply(invite, 200), 300)
    })
    const ok = await uas.wait('SIP 200')
    expect(ok.message.cseq?.method).toBe('UPDATE')
    await dialed
    expect(agreed()).toMatchObject({ remote: { port: 40_502 } })
  })

  it('without a description leaves nothing that an UPDATE could change: 491', async () => {
    const { dialed, uas } = await setup((invite, peer) => {
      peer.reply(invite, 180, reliable(1))
      setTimeout(() => peer.request('UPDATE', invite, { body: sdpOf() }), 50)
      setTimeout(() => peer.reply(invite, 200, { body: ANSWER_SDP() }), 150)
    })
    await uas.wait('SIP 491')
    await dialed
  })
})

describe('an answer that crosses our CANCEL', () => {
  it('is acknowledged and hung up, from each phone that gives one', async () => {
    const { uas, call } = await setup((invite, peer) => {
      peer.reply(invite, 180, { tag: 'one' })
      peer.reply(invite, 180, { tag: 'two' })
      const answer = (received: Received): void => {
        if (received.message.method !== 'CANCEL') return
        peer.reply(received, 200)
        peer.reply(invite, 200, { tag: 'one', body: ANSWER_SDP() })
        peer.reply(invite, 200, { tag: 'two', body: ANSWER_SDP() })
      }
      const before = peer.onMessage
      peer.onMessage = (received) => {
        if (received.message.method === 'CANCEL') answer(received)
        else before(received)
      }
    })
    await expect.poll(call.rang).toBe(1)
    call.abort()
    expect(await call.dialed).toMatchObject({ failed: 'canceled' })
    await uas.wait('BYE', { n: 2 })
    expect(uas.all('ACK').length).toBe(2)
  })
})
