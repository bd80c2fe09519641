import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IncomingCall, Leg, SipState } from '../../src/calls/ports.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { answerCall, type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'

let caller: ScriptedUas
let side: SipSide
let onCall: (call: IncomingCall) => void

beforeEach(async () => {
  caller = await ScriptedUas.open()
  side = await startSipSide([trunkOptions(caller.port)], { onCall: (call) => onCall(call) })
})

afterEach(async () => {
  await side.telephony.stop()
  caller.close()
})

const us = (): { host: string; port: number } => ({
  host: '127.0.0.1',
  port: side.telephony.localPort(),
})

function send(
  method: string,
  o: {
    to?: string
    body?: string
    uri?: string
    headers?: string[]
    callId?: string
    contact?: null
  } = {},
): void {
  const callId = o.callId ?? 'inbound-1'
  const body = o.body ?? ''
  const lines = [
    `${method} ${o.uri ?? `sip:+15550001111@127.0.0.1:${us().port}`} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bK${method === 'ACK' ? 'ack' : 'invite'}${callId};rport`,
    'From: <sip:+15551234567@127.0.0.1>;tag=caller',
    `To: ${o.to ?? '<sip:+15550001111@127.0.0.1>'}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    ...(o.contact === null ? [] : [`Contact: <sip:caller@127.0.0.1:${caller.port}>`]),
    ...(o.headers ?? []),
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
  ]
  caller.send(`${lines.join('\r\n')}\r\n\r\n${body}`, us())
}

function acknowledge(ok: Received): void {
  const target = /<([^>]+)>/.exec(headerOf(ok.message, 'contact') ?? '')?.[1] ?? ''
  send('ACK', { to: headerOf(ok.message, 'to') ?? '', uri: target })
}

describe('a call that comes to us', () => {
  it('rings, is answered, repeats its 200 until the ACK, and is hung up after that', async () => {
    let ended: Promise<unknown> | undefined
    onCall = async (call) => {
      expect(call.to).toBe('+15550001111')
      call.ring()
      const leg = await answerCall(call)
      // At once: but no BYE may leave before the ACK came (RFC 3261 §15).
      void leg?.hangup()
      ended = leg?.ended
    }
    send('INVITE', { body: ANSWER_SDP() })
    await caller.wait('SIP 180')
    const ok = await caller.wait('SIP 200')
    expect(ok.text).toContain('m=audio 42000 RTP/AVP 0 101')
    await caller.wait('SIP 200', { n: 2 })
    expect(caller.all('BYE').length).toBe(0)
    caller.onMessage = (received) => {
      if (received.message.method === 'BYE') caller.reply(received, 200)
    }
    acknowledge(ok)
    const bye = await caller.wait('BYE')
    expect(bye.message.toTag).toBe('caller')
    expect(await ended).toEqual({ by: 'us' })
  })

  it('ends when the caller hangs up', async () => {
    let ended: Promise<unknown> | undefined
    onCall = async (call) => {
      ended = (await answerCall(call))?.ended
    }
    send('INVITE', { body: ANSWER_SDP() })
    const ok = await caller.wait('SIP 200')
    acknowledge(ok)
    const bye = [
      `BYE sip:x@127.0.0.1:${us().port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bKbye;rport`,
      'From: <sip:+15551234567@127.0.0.1>;tag=caller',
      `To: ${headerOf(ok.message, 'to')}`,
      'Call-ID: inbound-1',
      'CSeq: 2 BYE',
      'Max-Forwards: 70',
      'Content-Length: 0',
    ]
    caller.send(`${bye.join('\r\n')}\r\n\r\n`, us())
    await expect.poll(() => side.media.sessions[0]?.closed).toBe(true)
    expect(await ended).toEqual({ by: 'human' })
  })

  it('is refused as it is told', async () => {
    onCall = (call) => call.reject(486)
    send('INVITE', { body: ANSWER_SDP() })
    const busy = await caller.wait('SIP 486')
    await caller.wait('SIP 486', { n: 2 })
    send('ACK', { to: headerOf(busy.message, 'to') ?? '' })
  })

  it('is refused with 488 when it cannot be heard', async () => {
    onCall = (call) => void answerCall(call)
    send('INVITE', { body: ANSWER_SDP().replace('RTP/AVP 0', 'RTP/SAVP 0') })
    await caller.wait('SIP 488')
    expect(side.media.sessions.length).toBe(0)
  })

  it('is refused with 503 and keeps no port when its trunk cannot be found', async () => {
    await side.telephony.stop()
    side = await startSipSide(
      [trunkOptions(caller.port, { host: 'trunk.test', allowedSources: ['127.0.0.1'] })],
      {
        onCall: (call) => onCall(call),
        lookup: async () => {
          throw new Error('ENOTFOUND')
        },
      },
    )
    let leg: unknown = 'not asked'
    onCall = async (call) => {
      leg = await answerCall(call)
    }
    send('INVITE', { body: ANSWER_SDP() })
    await caller.wait('SIP 503')
    await expect.poll(() => leg).toBeNull()
    expect(side.media.sessions.filter(({ closed }) => !closed)).toEqual([])
  })

  it('is not answered any more once the caller gave up', async () => {
    let answered: unknown = 'not asked'
    onCall = async (call) => {
      call.ring()
      await Bun.sleep(150)
      answered = await answerCall(call)
    }
    send('INVITE', { body: ANSWER_SDP() })
    await caller.wait('SIP 180')
    send('CANCEL')
    await caller.wait('SIP 487')
    await expect.poll(() => answered).toBeNull()
    expect(side.media.sessions.length).toBe(0)
  })

  it('names the number that is called and who calls', async () => {
    const seen: (string | null)[] = []
    onCall = (call) => {
      seen.push(call.to, call.from)
      call.reject(404)
    }
    send('INVITE', { uri: `sip:15550009999@127.0.0.1:${us().port}`, body: ANSWER_SDP() })
    const refused = await caller.wait('SIP 404')
    send('ACK', { to: headerOf(refused.message, 'to') ?? '' })
    expect(caller.all('SIP 180').length).toBe(0)
    expect(seen).toEqual([null, '+15551234567'])
  })

  it('says when to try again where it is refused for now', async () => {
    onCall = (call) => call.reject(480, { retryAfterSeconds: 30 })
    send('INVITE', { body: ANSWER_SDP() })
    const refused = await caller.wait('SIP 480')
    expect(headerOf(refused.message, 'retry-after')).toBe('30')
    send('ACK', { to: headerOf(refused.message, 'to') ?? '' })
  })

  it('is stored before its 200 leaves, and refused with 503 when it cannot be', async () => {
    const stored = Promise.withResolvers<void>()
    let result: unknown
    onCall = async (call) => {
      result = await call.answer({ beforeAnswer: () => stored.promise })
    }
    send('INVITE', { body: ANSWER_SDP() })
    await caller.wait('SIP 180')
    await Bun.sleep(100)
    expect(caller.all('SIP 200').length).toBe(0)
    stored.reject(new Error('disk full'))
    const refused = await caller.wait('SIP 503')
    send('ACK', { to: headerOf(refused.message, 'to') ?? '' })
    await expect.poll(() => result).toEqual({ refused: 503 })
    expect(side.media.sessions[0]?.closed).toBe(true)
  })

  it('is ended by what was stored before its answer, once its process is gone', async () => {
    let state: SipState | undefined
    onCall = async (call) => {
      const answered = await call.answer({
        beforeAnswer: async (dialog) => {
          state = structuredClone(dialog)
        },
      })
      expect(answered).toMatchObject({ state })
    }
    const routes = ['Record-Route: <sip:127.0.0.1:1;lr>', `Record-Route: <sip:127.0.0.1:2;lr>`]
    send('INVITE', { body: ANSWER_SDP(), headers: routes })
    const ok = await caller.wait('SIP 200')
    await expect.poll(() => state).toBeDefined()
    expect(state).toMatchObject({
      phase: 'dialog',
      from: headerOf(ok.message, 'to'),
      to: '<sip:+15551234567@127.0.0.1>;tag=caller',
      callId: 'inbound-1',
      target: `sip:caller@127.0.0.1:${caller.port}`,
      routes: ['<sip:127.0.0.1:1;lr>', '<sip:127.0.0.1:2;lr>'],
    })
    const other = await startSipSide([trunkOptions(caller.port)])
    caller.onMessage = (received) => {
      if (received.message.method === 'BYE') caller.reply(received, 200)
    }
    const { port } = caller
    await other.telephony.trunk.recover({
      ...(state as SipState),
      destination: { host: '127.0.0.1', port },
    })
    const bye = await caller.wait('BYE')
    expect(bye.message.requestUri).toBe(`sip:caller@127.0.0.1:${port}`)
    expect(bye.message.toTag).toBe('caller')
    expect(bye.message.fromTag).toBe(ok.message.toTag)
    await other.telephony.stop()
  })

  it('is told that nobody answers any more by what was stored while it rang', async () => {
    let state: SipState | undefined
    onCall = (call) => {
      state = structuredClone(call.ringing)
      call.ring()
    }
    send('INVITE', { body: ANSWER_SDP() })
    const rang = await caller.wait('SIP 180')
    const other = await startSipSide([trunkOptions(caller.port)])
    const before = performance.now()
    await other.telephony.trunk.recover(state as SipState)
    expect(performance.now() - before).toBeLessThan(4_000)
    const refused = await caller.wait('SIP 503', { n: 3 })
    for (const name of ['via', 'from', 'call-id', 'cseq'])
      expect(headerOf(refused.message, name)).toBe(headerOf(rang.message, name))
    expect(refused.message.toTag).toBeDefined()
    await other.telephony.stop()
  })

  it('without a Contact is 400: there would be nowhere to hang up to', async () => {
    let rang = 0
    onCall = () => void rang++
    send('INVITE', { body: ANSWER_SDP(), contact: null })
    await caller.wait('SIP 400')
    expect(rang).toBe(0)
  })

  it('is refused with 486 where its trunk carries all its calls, and counts as one of them', async () => {
    await side.telephony.stop()
    side = await startSipSide([trunkOptions(caller.port, { maxCalls: 1 })], {
      onCall: (call) => onCall(call),
    })
    let leg: Leg | null = null
    onCall = async (call) => {
      leg = await answerCall(call)
    }
    send('INVITE', { body: ANSWER_SDP() })
    acknowledge(await caller.wait('SIP 200'))
    await expect.poll(() => leg).not.toBeNull()
    expect(side.telephony.stats().trunks[0]?.calls).toBe(1)
    const { dialed } = side.dial()
    expect(await dialed).toMatchObject({ failed: 'trunk_error' })
    send('INVITE', { body: ANSWER_SDP(), callId: 'inbound-2' })
    await caller.wait('SIP 486')
    caller.onMessage = (received) => {
      if (received.message.method === 'BYE') caller.reply(received, 200)
    }
    await (leg as Leg | null)?.hangup()
    await expect.poll(() => side.telephony.stats().trunks[0]?.calls).toBe(0)
  })

  it('is refused with 503 when telephony stops while it rings', async () => {
    onCall = (call) => call.ring()
    send('INVITE', { body: ANSWER_SDP() })
    await caller.wait('SIP 180')
    await side.telephony.stop()
    await caller.wait('SIP 503')
  })
})
