/** What SIP and SDP agree on for the sound of a call: keys, codecs, packet lengths, RTCP; and keys that are pressed. */
import { afterEach, describe, expect, it } from 'vitest'
import type { CodecName } from '../../src/telephony/media/media.ts'
import { ScriptedUas } from '../kit/scripted-uas.ts'
import { openDialog, sdpOf, type TestDialog } from '../kit/sip-dialog.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const key = (letter: string): string => letter.repeat(40)
const SUITE_80 = 'AES_CM_128_HMAC_SHA1_80'
const SUITE_32 = 'AES_CM_128_HMAC_SHA1_32'

/** Their description: the profile, and lines behind it. */
function sdp(profile: 'AVP' | 'SAVP', ...lines: string[]): string {
  return `${sdpOf().replace('RTP/AVP', `RTP/${profile}`)}${lines.map((line) => `${line}\r\n`).join('')}`
}

const crypto = (tag: number, suite: string, letter: string): string =>
  `a=crypto:${tag} ${suite} inline:${key(letter)}`

async function dialog(o: Parameters<typeof openDialog>[0]): Promise<TestDialog> {
  const opened = await openDialog(o)
  cleanUps.push(() => opened.stop())
  return opened
}

const agreements = ({ side }: TestDialog) => side.media.sessions[0]?.agreements ?? []
const cryptoOf = (body: string): string[] =>
  [...body.matchAll(/^a=crypto:(.*)$/gm)].map(([, line]) => (line ?? '').trim())

describe('encrypted sound', () => {
  it('is agreed on by the line that they take, with our key of its suite', async () => {
    const one = await dialog({
      trunk: { srtp: 'required' },
      answer: { body: sdp('SAVP', crypto(2, SUITE_32, 'A')) },
    })
    const offered = one.invite.message.body
    expect(offered).toContain('RTP/SAVP')
    const [, second] = cryptoOf(offered)
    expect(agreements(one)[0]?.srtp).toEqual({
      suite: SUITE_32,
      sendKey: second?.split('inline:')[1],
      receiveKey: key('A'),
    })
  })

  it('changes its key with theirs in a re-INVITE, and is answered with our old one', async () => {
    const one = await dialog({
      trunk: { srtp: 'required' },
      answer: { body: sdp('SAVP', crypto(1, SUITE_80, 'A')) },
    })
    const ours = agreements(one)[0]?.srtp?.sendKey
    const ok = await one.change(sdp('SAVP', crypto(7, SUITE_80, 'B')))
    expect(cryptoOf(ok.message.body)).toEqual([`7 ${SUITE_80} inline:${ours}`])
    expect(ok.message.body).toContain('RTP/SAVP')
    expect(agreements(one).at(-1)?.srtp).toEqual({
      suite: SUITE_80,
      sendKey: ours,
      receiveKey: key('B'),
    })
    expect(ours).not.toBe(key('A'))
  })

  it('is not given up in a re-INVITE where it is required', async () => {
    const one = await dialog({
      trunk: { srtp: 'required' },
      answer: { body: sdp('SAVP', crypto(1, SUITE_80, 'A')) },
    })
    one.ask('INVITE', { body: sdp('AVP') })
    await one.uas.wait('SIP 488')
    expect(agreements(one)).toHaveLength(1)
  })

  it('may be missing in the answer where it is optional', async () => {
    const one = await dialog({ trunk: { srtp: 'optional' }, answer: { body: sdp('AVP') } })
    expect(cryptoOf(one.invite.message.body)).toHaveLength(2)
    expect(agreements(one)[0]?.srtp).toBeNull()
  })

  it.each([
    ['plain', 'required', sdp('AVP')],
    ['a key that we did not offer', 'required', sdp('SAVP', crypto(5, SUITE_80, 'A'))],
    ['a key that we did not offer', 'optional', sdp('AVP', crypto(5, SUITE_80, 'A'))],
  ] as const)('ends a call whose answer is %s where it is %s', async (_, srtp, body) => {
    const uas = await ScriptedUas.open()
    const side = await startSipSide([trunkOptions(uas.port, { srtp })])
    cleanUps.push(
      () => uas.close(),
      () => side.telephony.stop(),
    )
    uas.onMessage = (received) => {
      const { method, kind } = received.message
      if (kind !== 'request' || method === 'ACK') return
      uas.reply(received, 200, method === 'INVITE' ? { body } : {})
    }
    const dialed = await side.dial().dialed
    expect(dialed).toMatchObject({ failed: 'trunk_error' })
    await uas.wait('BYE')
    const ours = cryptoOf((await uas.wait('INVITE')).message.body).map(
      (line) => line.split('inline:')[1] ?? '',
    )
    for (const secret of ours) expect(JSON.stringify(side.lines)).not.toContain(secret)
    expect(JSON.stringify(side.states)).not.toContain('inline')
  })
})

describe('the codecs of a trunk', () => {
  it('are offered as far as they can be carried, and not at all without any', async () => {
    const uas = await ScriptedUas.open()
    const side = await startSipSide([trunkOptions(uas.port, { codecs: ['opus', 'G722', 'PCMA'] })])
    cleanUps.push(
      () => uas.close(),
      () => side.telephony.stop(),
    )
    const { media } = side
    const open = media.open.bind(media)
    let carried: CodecName[] = ['PCMU', 'PCMA', 'G722']
    media.open = async () => Object.assign(await open(), { codecs: new Set(carried) })
    const first = side.dial()
    const { body } = (await uas.wait('INVITE')).message
    expect(body).toContain('m=audio 42000 RTP/AVP 9 8 101')
    first.abort()
    carried = ['PCMU']
    await expect(side.dial().dialed).resolves.toMatchObject({
      failed: 'trunk_error',
      reason: 'no codec of the trunk is available: opus, G722, PCMA',
    })
  })
})

describe('sound as they ask for it', () => {
  it('comes in packets of their length, with RTCP where they have it', async () => {
    const body = sdp('AVP', 'a=ptime:30', 'a=rtcp:40404')
    const one = await dialog({ answer: { body } })
    expect(agreements(one)[0]).toMatchObject({ ptimeMs: 30, rtcp: { port: 40_404 } })
    const ok = await one.change(sdp('AVP', 'a=ptime:60', 'a=rtcp-mux'))
    expect(agreements(one).at(-1)).toMatchObject({ ptimeMs: 60, rtcp: 'mux' })
    expect(ok.message.body).toContain('a=ptime:60')
    expect(ok.message.body).toContain('a=rtcp-mux')
  })
})

describe('keys that they press', () => {
  it('are counted, whether they come with the sound or by INFO, and not told by the log', async () => {
    const one = await dialog({})
    one.side.media.sessions[0]?.hearDigit('5')
    const info = (type: string, body: string): number =>
      one.ask('INFO', { body, headers: [`Content-Type: ${type}`] })
    info('application/dtmf-relay', 'Signal=7\r\nDuration=160\r\n')
    await one.uas.wait('SIP 200', { n: 1 })
    info('application/dtmf', '9')
    await one.uas.wait('SIP 200', { n: 2 })
    info('text/plain', '3')
    await one.uas.wait('SIP 200', { n: 3 })
    const pressed = one.side.lines.filter(({ message }) => message === 'a key was pressed')
    expect(pressed.map(({ fields }) => fields)).toEqual([{ keys: 1 }, { keys: 2 }, { keys: 3 }])
  })
})
