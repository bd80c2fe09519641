import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bodyOf, headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { OUR_NUMBER, type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let uas: ScriptedUas
let side: SipSide | undefined

beforeEach(async () => {
  uas = await ScriptedUas.open()
  uas.onMessage = (received) => {
    const { method, kind } = received.message
    if (kind !== 'request' || method === 'ACK') return
    if (method === 'INVITE') uas.reply(received, 200, { body: ANSWER_SDP() })
    else uas.reply(received, 200)
  }
})

afterEach(async () => {
  await side?.telephony.stop()
  side = undefined
  uas.close()
})

async function invite(o: Partial<TrunkOptions>): Promise<Received> {
  side = await startSipSide([trunkOptions(uas.port, o)], {
    lookup: async () => [
      { address: '2001:db8::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
  })
  await side.dial().dialed
  return uas.wait('INVITE')
}

describe('a trunk is called as it is configured', () => {
  it.each([
    ['+e164', '+15551234567', '+15550001111'],
    ['e164', '15551234567', '15550001111'],
    ['national', '5551234567', '5550001111'],
  ] as const)('with numbers as %s', async (numberFormat, called, caller) => {
    const { message } = await invite({ numberFormat, domain: 'trunk.test' })
    expect(message.requestUri).toBe(`sip:${called}@trunk.test`)
    expect(headerOf(message, 'to')).toBe(`<sip:${called}@trunk.test>`)
    expect(headerOf(message, 'from')).toContain(`<sip:${caller}@trunk.test>`)
  })

  it.each([
    ['pai', 'p-asserted-identity', 'p-preferred-identity'],
    ['ppi', 'p-preferred-identity', 'p-asserted-identity'],
  ] as const)('with our number in %s', async (callerId, has, hasNot) => {
    const { message } = await invite({
      callerId,
      username: 'acct7',
      password: 'x',
      domain: 'd.test',
    })
    expect(headerOf(message, has)).toBe(`<sip:${OUR_NUMBER}@d.test>`)
    expect(headerOf(message, hasNot)).toBeUndefined()
    expect(headerOf(message, 'from')).toContain('<sip:acct7@d.test>')
  })

  it('through its outbound proxy, by name', async () => {
    const { message } = await invite({
      host: 'nowhere.test',
      port: 5060,
      outboundProxy: `proxy.test:${uas.port}`,
    })
    expect(message.requestUri).toBe('sip:+15551234567@nowhere.test')
  })

  it('with its codecs in its order', async () => {
    const { message } = await invite({ codecs: ['PCMA'] })
    expect(bodyOf(message)).toContain('RTP/AVP 8 101')
  })

  it('with keys by INFO', async () => {
    side = await startSipSide([trunkOptions(uas.port, { dtmf: 'info' })])
    const dialed = await side.dial().dialed
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    expect(bodyOf((await uas.wait('INVITE')).message)).not.toContain('telephone-event')
    await dialed.answered.sendDigits('1#')
    await uas.wait('INFO', { n: 2 })
    const keys = uas.all('INFO').map(({ message }) => bodyOf(message).split('\r\n')[0])
    expect(keys).toEqual(['Signal=1', 'Signal=#'])
    expect(side.media.sessions[0]?.digits).toBe('')
  })

  it('with keys in the sound', async () => {
    await invite({ dtmf: 'inband' })
    expect(side?.media.sessions[0]?.agreements[0]?.telephoneEventPayloadType).toBeNull()
  })

  it('with user names that could break a header kept inside their URI', async () => {
    const { message, text } = await invite({ username: 'a"<>\r\nEvil: 1', callerId: 'pai' })
    expect(text).not.toMatch(/^Evil:/m)
    expect(headerOf(message, 'contact')).toContain('a%22%3C%3E%0D%0AEvil%3A%201@')
  })
})
