/** What a call's trace tells of what passed on a real wire, both ways round, and what it keeps to itself. */
import { afterEach, describe, expect, it } from 'vitest'
import type { IncomingCall, TraceSource } from '../../src/calls/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { openPeer } from '../kit/rtp-peer.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function open(
  uas: ScriptedUas,
  o: Parameters<typeof startSipSide>[1] & {
    trunks?: TrunkOptions[]
    trunk?: Partial<TrunkOptions>
  } = {},
) {
  const { trunks, trunk, ...setup } = o
  const side = await startSipSide(trunks ?? [trunkOptions(uas.port, trunk)], setup)
  cleanUps.push(
    () => uas.close(),
    () => side.telephony.stop(),
  )
  let trace: TraceSource | undefined
  const dial = async () => {
    const dialed = await side.dial({
      onTrace: (source) => {
        trace = source
      },
    }).dialed
    return { dialed, trace: trace as TraceSource }
  }
  return { side, dial }
}

const ladder = (trace: TraceSource): string[] =>
  trace
    .read()
    .messages.map(
      ({ direction, summary, repeated }) =>
        `${direction === 'sent' ? '>' : '<'} ${summary}${repeated > 0 ? ` +${repeated}` : ''}`,
    )

const CHALLENGE = 'Proxy-Authenticate: Digest realm="r", nonce="N0NCE", opaque="0PAQUE", qop="auth"'
const KEY = 'K'.repeat(40)

/** Challenges the INVITE, answers the second, and lets us in to hang up. */
function challenging(uas: ScriptedUas, body = ANSWER_SDP()): void {
  uas.onMessage = (received: Received) => {
    const { method, cseq } = received.message
    if (method === 'BYE')
      uas.reply(received, 200, { headers: ['Authentication-Info: nextnonce="N3XT"'] })
    if (method !== 'INVITE') return
    if (cseq?.number === 1) uas.reply(received, 407, { headers: [CHALLENGE] })
    else {
      uas.reply(received, 180)
      uas.reply(received, 200, { body })
    }
  }
}

describe('the trace of a call that we made', () => {
  it('has the whole ladder, and neither credentials, nonces nor keys', async () => {
    const uas = await ScriptedUas.open()
    const body = ANSWER_SDP().replace('RTP/AVP', 'RTP/SAVP')
    challenging(uas, `${body}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}\r\n`)
    const { side, dial } = await open(uas, {
      trunk: { username: 'us3r', password: 'p4ss', srtp: 'required' },
    })
    const { dialed, trace } = await dial()
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await uas.wait('ACK', { n: 2 })
    await dialed.answered.hangup()
    await trace.complete
    expect(ladder(trace)).toEqual([
      '> INVITE',
      '< 407 Scripted (INVITE)',
      '> ACK',
      '> INVITE',
      '< 180 Scripted (INVITE)',
      '< 200 Scripted (INVITE)',
      '> ACK',
      '> BYE',
      '< 200 Scripted (BYE)',
    ])
    const { messages } = trace.read()
    expect(messages.every(({ trunk, transport }) => trunk === 'main' && transport === 'UDP')).toBe(
      true,
    )
    expect(new Set(messages.map(({ remote }) => remote))).toEqual(
      new Set([`127.0.0.1:${uas.port}`]),
    )
    expect(messages.map(({ at }) => at)).toEqual(messages.map(({ at }) => at).toSorted())
    const shown = messages.map(({ text }) => text).join('')
    expect(shown).toContain('Proxy-Authorization: Digest ')
    expect(shown).toContain('realm="r"')
    const sent = uas.all('INVITE').map(({ text }) => text)
    const [ours] = /inline:([^|\s]+)/.exec(sent[0] ?? '')?.slice(1) ?? []
    const [answer] = /response="?([0-9a-f]{32})/.exec(sent[1] ?? '')?.slice(1) ?? []
    const [cnonce] = /cnonce="([^"]+)"/.exec(sent[1] ?? '')?.slice(1) ?? []
    for (const secret of ['N0NCE', '0PAQUE', 'N3XT', KEY, ours, answer, cnonce]) {
      expect(secret).toBeTruthy()
      expect(shown).not.toContain(secret)
    }
    // As the user of our Contact it stays.
    expect(shown).not.toContain('username="us3r')
    expect(side.telephony.stats().malformed).toBe(0)
  })

  it('counts what was sent again, and has the ACK of a refusal', async () => {
    const uas = await ScriptedUas.open()
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE' && uas.all('INVITE').length === 2) {
        uas.reply(received, 486)
        uas.reply(received, 486)
      }
    }
    const { dial } = await open(uas)
    const { dialed, trace } = await dial()
    expect(dialed).toMatchObject({ failed: 'busy' })
    await trace.complete
    await uas.wait('ACK')
    expect(ladder(trace).map((line) => line.replace(/ \+\d$/, ''))).toEqual([
      '> INVITE',
      '< 486 Scripted (INVITE)',
      '> ACK',
    ])
    const [invite, refusal] = trace.read().messages
    expect([invite?.repeated, refusal?.repeated]).toEqual([1, 1])
    expect(trace.read().media).toBeNull()
  })

  it('tells every trunk that was tried', async () => {
    const broken = await ScriptedUas.open()
    const uas = await ScriptedUas.open()
    cleanUps.push(() => broken.close())
    broken.onMessage = (received) => {
      if (received.message.method === 'INVITE') broken.reply(received, 503)
    }
    uas.onMessage = (received) => {
      if (received.message.method === 'INVITE') uas.reply(received, 486)
    }
    const { dial } = await open(uas, {
      trunks: [trunkOptions(broken.port, { name: 'one' }), trunkOptions(uas.port, { name: 'two' })],
    })
    const { trace } = await dial()
    await trace.complete
    const seen = trace.read().messages.map(({ trunk, summary }) => `${trunk} ${summary}`)
    expect(seen.filter((line) => !line.endsWith('ACK'))).toEqual([
      'one INVITE',
      'one 503 Scripted (INVITE)',
      'two INVITE',
      'two 486 Scripted (INVITE)',
    ])
  })

  it('is the same over TCP', async () => {
    const uas = await ScriptedUas.openStream()
    challenging(uas)
    const { dial } = await open(uas, {
      trunk: { transport: 'tcp', username: 'us3r', password: 'p4ss' },
    })
    const { dialed, trace } = await dial()
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await uas.wait('ACK', { n: 2 })
    await dialed.answered.hangup()
    await trace.complete
    expect(ladder(trace)).toHaveLength(9)
    expect(trace.read().messages.every(({ transport }) => transport === 'TCP')).toBe(true)
  })

  it('has the figures of the sound, to the last packet', async () => {
    const uas = await ScriptedUas.open()
    const peer = await openPeer()
    challenging(uas, ANSWER_SDP(peer.port))
    const media = createMedia({
      ...{ clock: systemClock, log: silentLog, bindHost: '127.0.0.1', portRange: [0, 0] },
      ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
      silenceTimeoutMs: 10_000,
    })
    cleanUps.push(
      () => media.stop(),
      () => peer.close(),
    )
    const { dial } = await open(uas, { media, trunk: { username: 'us3r', password: 'p4ss' } })
    const { dialed, trace } = await dial()
    if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
    await uas.wait('ACK', { n: 2 })
    const port = Number(/m=audio (\d+)/.exec(uas.all('INVITE')[1]?.text ?? '')?.[1])
    peer.talk(port, new Int16Array(10 * 160).fill(1000))
    await expect.poll(() => dialed.answered.ears.written, { timeout: 3_000 }).toBeGreaterThan(1600)
    await dialed.answered.hangup()
    await trace.complete
    const figures = trace.read().media
    expect(figures).toMatchObject({ codec: 'PCMU', ptimeMs: 20, encrypted: false, ssrcChanges: 0 })
    expect(figures?.packetsReceived).toBe(10)
    expect(figures?.bytesReceived).toBe(10 * 172)
    expect(figures?.packetsSent).toBe(peer.packets.length)
    expect(figures?.bytesSent).toBe(peer.packets.length * 172)
  })
})

describe('the trace of a call that came to us', () => {
  it('begins with the INVITE and ends with the hang-up', async () => {
    const caller = await ScriptedUas.open()
    let trace: TraceSource | undefined
    let answering: ReturnType<IncomingCall['answer']> | undefined
    const { side } = await open(caller, {
      onCall: (call) => {
        trace = call.trace
        call.ring()
        answering = call.answer({ beforeAnswer: async () => {} })
      },
    })
    const port = side.telephony.localPort()
    const send = (method: string, cseq: number, to: string, body = ''): void => {
      const lines = [
        `${method} sip:+15550001111@127.0.0.1:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bK${method};rport`,
        'From: <sip:+15551234567@127.0.0.1>;tag=caller',
        `To: ${to}`,
        'Call-ID: traced-inbound',
        `CSeq: ${cseq} ${method}`,
        'Max-Forwards: 70',
        `Contact: <sip:caller@127.0.0.1:${caller.port}>`,
        ...(body ? ['Content-Type: application/sdp'] : []),
        `Content-Length: ${body.length}`,
      ]
      caller.send(`${lines.join('\r\n')}\r\n\r\n${body}`, { host: '127.0.0.1', port })
    }
    send('INVITE', 1, '<sip:+15550001111@127.0.0.1>', ANSWER_SDP())
    const ok = await caller.wait('SIP 200')
    const to = ok.message.headers.find(({ name }) => name === 'to')?.value ?? ''
    send('ACK', 1, to)
    const outcome = await answering
    send('BYE', 2, to)
    if (outcome && 'answered' in outcome) await outcome.answered.ended
    await trace?.complete
    expect(trace && ladder(trace)).toEqual([
      '< INVITE',
      '> 180 Ringing (INVITE)',
      '> 200 OK (INVITE)',
      '< ACK',
      '< BYE',
      '> 200 OK (BYE)',
    ])
  })
})
