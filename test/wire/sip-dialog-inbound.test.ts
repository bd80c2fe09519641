import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Leg, SipState } from '../../src/calls/ports.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { header } from '../kit/sip-dialog.ts'
import { answerCall, type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let caller: ScriptedUas
let side: SipSide
let rang: number
let leg: Promise<Leg | null> | undefined
let onMoved: (state: SipState) => void
let contactUser: string

beforeEach(async () => {
  rang = 0
  leg = undefined
  onMoved = () => {}
  contactUser = 'caller'
  caller = await ScriptedUas.open()
  side = await startSipSide([trunkOptions(caller.port)], {
    onCall: (call) => {
      rang++
      leg = answerCall(call, (state) => onMoved(state))
    },
  })
  caller.onMessage = (received) => {
    if (received.message.kind === 'request' && received.message.method !== 'ACK')
      caller.reply(received, 200, {
        ...(received.message.method === 'INVITE' ? { body: ANSWER_SDP() } : {}),
        headers: ['Session-Expires: 90;refresher=uac'],
      })
  }
})

afterEach(async () => {
  await side.telephony.stop()
  caller.close()
})

/** Sends a request of the caller; `answered` is our 200 to its INVITE. */
function send(
  method: string,
  o: { headers?: string[]; body?: string; cseq?: number; answered?: Received } = {},
): void {
  const body = o.body ?? ''
  const contact = o.answered && /<([^>]+)>/.exec(header(o.answered, 'contact'))?.[1]
  const port = side.telephony.localPort()
  const lines = [
    `${method} ${contact ?? `sip:+15550001111@127.0.0.1:${port}`} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bK${method}${o.cseq ?? 1};rport`,
    'From: <sip:+15551234567@127.0.0.1>;tag=caller',
    `To: ${o.answered ? header(o.answered, 'to') : '<sip:+15550001111@127.0.0.1>'}`,
    'Call-ID: dialog-inbound',
    `CSeq: ${o.cseq ?? 1} ${method}`,
    'Max-Forwards: 70',
    `Contact: <sip:${contactUser}@127.0.0.1:${caller.port}>`,
    ...(o.headers ?? []),
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
  ]
  caller.send(`${lines.join('\r\n')}\r\n\r\n${body}`, { host: '127.0.0.1', port })
}

describe('a call that comes to us', () => {
  it('without a description is offered ours, and its ACK answers it', async () => {
    send('INVITE')
    const ok = await caller.wait('SIP 200')
    expect(ok.text).toContain('m=audio 42000 RTP/AVP 0 8 101\r\n')
    expect(side.media.sessions[0]?.agreements).toEqual([])
    send('ACK', { answered: ok, body: ANSWER_SDP(40_700) })
    await expect.poll(() => side.media.sessions[0]?.agreements[0]?.remote.port).toBe(40_700)
  })

  it('with a session timer that we are to refresh is told so', async () => {
    send('INVITE', {
      body: ANSWER_SDP(),
      headers: ['Supported: timer', 'Require: timer', 'Session-Expires: 900;refresher=uas'],
    })
    const ok = await caller.wait('SIP 200')
    expect(header(ok, 'session-expires')).toBe('900;refresher=uas')
    expect(header(ok, 'supported')).toBe('timer')
    expect(header(ok, 'require')).toBe('')
    send('ACK', { answered: ok })
  })

  it('with a session timer of its own keeps it', async () => {
    send('INVITE', { body: ANSWER_SDP(), headers: ['k: timer', 'x: 1800;refresher=uac'] })
    const ok = await caller.wait('SIP 200')
    expect(header(ok, 'session-expires')).toBe('1800;refresher=uac')
    expect(header(ok, 'require')).toBe('timer')
    send('ACK', { answered: ok })
    send('UPDATE', {
      answered: ok,
      cseq: 2,
      headers: ['Supported: timer', 'Session-Expires: 1800;refresher=uac'],
    })
    const refreshed = await caller.wait('SIP 200', { n: 2 })
    expect(header(refreshed, 'session-expires')).toBe('1800;refresher=uac')
    expect(await leg).not.toBeNull()
  })

  it('with a session timer too short is refused before it rings', async () => {
    send('INVITE', { body: ANSWER_SDP(), headers: ['Supported: timer', 'Session-Expires: 30'] })
    const refused = await caller.wait('SIP 422')
    expect(header(refused, 'min-se')).toBe('90')
    expect(rang).toBe(0)
    expect(side.media.sessions).toEqual([])
  })

  it('that moves to another Contact is ended there after a crash', async () => {
    const moved: SipState[] = []
    onMoved = (state) => void moved.push(structuredClone(state))
    send('INVITE', { body: ANSWER_SDP() })
    const ok = await caller.wait('SIP 200')
    send('ACK', { answered: ok })
    contactUser = 'elsewhere'
    send('INVITE', { answered: ok, cseq: 2, body: ANSWER_SDP() })
    const again = await caller.wait('SIP 200', { n: 2 })
    send('ACK', { answered: again, cseq: 2 })
    await expect.poll(() => moved.at(-1)?.target).toContain('elsewhere@')
  })

  it('that insists on reliable provisional responses is 420', async () => {
    send('INVITE', { body: ANSWER_SDP(), headers: ['Require: 100rel, timer'] })
    const refused = await caller.wait('SIP 420')
    expect(header(refused, 'unsupported')).toBe('100rel')
    expect(rang).toBe(0)
  })

  it('with Replaces takes the place of no call', async () => {
    send('INVITE', { body: ANSWER_SDP() })
    const ok = await caller.wait('SIP 200')
    send('ACK', { answered: ok })
    const first = await leg
    const replaces = `Replaces: dialog-inbound;to-tag=${ok.message.toTag};from-tag=caller`
    const other = await side.dial().dialed
    expect(other).toHaveProperty('answered')
    const before = caller.all('SIP 200').length
    caller.send(
      [
        `INVITE sip:+15550001111@127.0.0.1:${side.telephony.localPort()} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bKreplaces;rport`,
        'From: <sip:+15551234567@127.0.0.1>;tag=third',
        'To: <sip:+15550001111@127.0.0.1>',
        'Call-ID: replacing',
        'CSeq: 1 INVITE',
        'Max-Forwards: 70',
        `Contact: <sip:caller@127.0.0.1:${caller.port}>`,
        replaces,
        'Content-Type: application/sdp',
        `Content-Length: ${ANSWER_SDP().length}`,
        '',
        ANSWER_SDP(),
      ].join('\r\n'),
      { host: '127.0.0.1', port: side.telephony.localPort() },
    )
    await caller.wait('SIP 200', { n: before + 1 })
    const alive = await Promise.race([first?.ended, Bun.sleep(100).then(() => 'alive')])
    expect(alive).toBe('alive')
    expect(rang).toBe(2)
  })
})
