/** What users of other systems complained of in public, each as what has to happen here instead. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Leg } from '../../src/calls/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import { EventReceiver } from '../../src/telephony/rtp/event-receiver.ts'
import { ToneReceiver } from '../../src/telephony/rtp/tone-receiver.ts'
import { headerOf } from '../../src/telephony/sip/wire-message.ts'
import type { SipOptions, TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { openPeer, type Peer, sleep, until } from '../kit/rtp-peer.ts'
import { HUMAN, openSession, talker } from '../kit/rtp-session.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { amplitudeAt, shared, tone } from '../kit/tones.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface LiveCall {
  uas: ScriptedUas
  side: SipSide
  leg: Leg
  invite: Received
  other: Peer
}

/** A call with real sound; the other side's SIP is at `host`. */
async function call(
  o: { host?: string; trunk?: Partial<TrunkOptions>; sip?: Partial<SipOptions>; sdp?: string } = {},
): Promise<LiveCall> {
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: o.sip?.host ?? '127.0.0.1',
    portRange: [0, 0],
    silenceTimeoutMs: 60_000,
  })
  const host = o.host ?? '127.0.0.1'
  const uas = await ScriptedUas.open(0, host)
  const other = await openPeer()
  const side = await startSipSide([trunkOptions(uas.port, { host, ...o.trunk })], {
    media,
    ...(o.sip ? { sip: o.sip } : {}),
  })
  ends.push(
    () => media.stop(),
    () => uas.close(),
    () => other.close(),
    () => side.telephony.stop(),
  )
  const body = (o.sdp ?? ANSWER_SDP(other.port)).replace('PORT', String(other.port))
  uas.onMessage = (received) => {
    const { kind, method } = received.message
    if (kind !== 'request' || method === 'ACK') return
    uas.reply(received, 200, method === 'INVITE' ? { body } : {})
  }
  const dialed = await side.dial().dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  return { uas, side, leg: dialed.answered, invite: await uas.wait('INVITE'), other }
}

describe('a call that connects', () => {
  it('is heard by who was called, though not a packet came from there (dograh-hq/dograh#794)', async () => {
    const { leg, other } = await call()
    const said = leg.mouth.enqueue(shared(tone(440, 4_000)))
    expect(await said.ended).toEqual({ heardSamples: 4_000, whole: true })
    await until(() => other.packets.length > 25)
    expect(amplitudeAt(other.sound('PCMU').subarray(-3_000, -400), 440)).toBeGreaterThan(5_000)
    await leg.hangup()
  })

  it.each<[string, Partial<SipOptions>, RegExp]>([
    ['nothing but where it listens', { host: '0.0.0.0' }, /^127\.0\.0\.1$/],
    ['an address of its own', { host: '0.0.0.0', publicHost: '192.0.2.9' }, /^192\.0\.2\.9$/],
  ])(
    'tells an address that leads back, with %s configured (hkjarral/AVA-AI-Voice-Agent-for-Asterisk#118)',
    async (_what, sip, expected) => {
      const { invite, leg, side } = await call({ sip })
      const contact = /@([^:>]+):(\d+)/.exec(headerOf(invite.message, 'contact') ?? '')
      expect(contact?.[1]).toMatch(expected)
      expect(Number(contact?.[2])).toBe(side.telephony.localPort())
      expect(/^c=IN IP4 (.*)\r$/m.exec(invite.message.body)?.[1]).toMatch(expected)
      expect(invite.text).not.toContain('0.0.0.0')
      await leg.hangup()
    },
  )

  it('does so with a PBX on a LAN address, with no provider and no cloud (dograh-hq/dograh#297, bolna-ai/bolna#149, vocodedev/vocode-core#476)', async () => {
    const { leg, invite, uas, other } = await call({ host: '127.0.0.5', sip: { host: '0.0.0.0' } })
    expect(invite.message.requestUri).toContain('@127.0.0.5')
    await uas.wait('ACK')
    await until(() => other.packets.length > 5)
    await leg.hangup()
    expect(uas.all('BYE').length).toBe(1)
  })
})

describe('keys in a menu (pipecat-ai/pipecat#2702, pipecat-ai/pipecat#1951, pipecat-ai/pipecat#1386)', () => {
  it('are heard as events where the menu takes events', async () => {
    const { leg, other } = await call()
    await leg.sendDigits('15#')
    const receiver = new EventReceiver()
    const events = other.packets.filter(({ payloadType }) => payloadType === 101)
    expect(events.map((packet) => receiver.push(packet) ?? '').join('')).toBe('15#')
    await leg.hangup()
  })

  it('are heard as tones where it takes none', async () => {
    const sdp = ANSWER_SDP()
      .replace('40000', 'PORT')
      .replace(' 101\r', '\r')
      .replace(/a=(rtpmap|fmtp):101.*\r\n/g, '')
    const { leg, other } = await call({ sdp })
    await leg.sendDigits('15#')
    await sleep(100)
    expect(new ToneReceiver(8_000).push(other.sound('PCMU'))).toBe('15#')
    await leg.hangup()
  })

  it('are told by INFO where the trunk wants that', async () => {
    const { leg, uas } = await call({ trunk: { dtmf: 'info' } })
    await leg.sendDigits('15#')
    const told = uas.all('INFO').map(({ message }) => /Signal= ?(.)/.exec(message.body)?.[1])
    expect(told.join('')).toBe('15#')
    await leg.hangup()
  })
})

describe('music on hold', () => {
  it('of 80 minutes is neither silence nor an end, and keeps time; its end is noticed (livekit/agents#5862)', () => {
    const { session, ears, told, run } = openSession({}, { rateHz: 8_000 })
    const next = talker({ hz: 500 })
    const minutes = 80
    run(0, minutes * 60_000, (now) => session.receive(next(), HUMAN.host, HUMAN.port, now))
    expect(told).toEqual([])
    expect(Math.abs(ears.written / 8_000 - minutes * 60)).toBeLessThan(1)
    expect(session.stats()).toMatchObject({ packetsLost: 0, packetsLate: 0 })
    run(minutes * 60_000, minutes * 60_000 + 6_000)
    expect(told).toEqual(['silent'])
  })

  it('is hung up on at once, whatever goes on playing (livekit/agents#5862)', async () => {
    const { leg, other, uas, invite } = await call()
    const port = Number(/^m=audio (\d+)/m.exec(invite.message.body)?.[1])
    other.talk(port, tone(500, 16_000))
    await sleep(100)
    const asked = performance.now()
    await leg.hangup()
    expect(await leg.ended).toEqual({ by: 'us' })
    expect(performance.now() - asked).toBeLessThan(1_000)
    expect(uas.all('BYE').length).toBe(1)
    // What was on its way has come.
    await sleep(50)
    const sofar = other.packets.length
    await sleep(100)
    expect(other.packets.length).toBe(sofar)
  })
})

describe('one call', () => {
  it('rings one phone once, however much of it is lost (elizaOS/eliza#22382, CALLE-AI/awesome-phone-call-agents#315, CALLE-AI/awesome-phone-call-agents#234, voygr-tech/placecall PR#35)', async () => {
    const first = await ScriptedUas.open()
    const second = await ScriptedUas.open()
    const trunks = [trunkOptions(first.port), trunkOptions(second.port, { name: 'second' })]
    const side = await startSipSide(trunks)
    ends.push(
      () => first.close(),
      () => second.close(),
      () => side.telephony.stop(),
    )
    let invites = 0
    first.onMessage = (received) => {
      if (received.message.method !== 'INVITE') return
      invites++
      // The first answers are lost; then it rings, and the trunk breaks down.
      if (invites === 3) first.reply(received, 180)
      if (invites === 3) setTimeout(() => first.reply(received, 503), 50)
    }
    expect(await side.dial().dialed).toMatchObject({ failed: 'trunk_error', sipCode: 503 })
    const sent = first
      .all('INVITE')
      .map(({ message }) => `${message.callId} ${message.via?.branch}`)
    expect(sent.length).toBe(3)
    expect(new Set(sent).size).toBe(1)
    expect(second.received).toEqual([])
    expect(side.states.length).toBe(1)
  })
})

describe('an appliance that nothing can reach from outside', () => {
  it('registers, calls and is called by what it opened itself; strangers hear nothing (langwatch/langwatch#8016)', async () => {
    const uas = await ScriptedUas.open()
    const stranger = await ScriptedUas.open(0, '127.0.0.8')
    const numbers: unknown[] = []
    const side = await startSipSide(
      [trunkOptions(uas.port, { register: true, username: 'user', password: 'secret' })],
      {
        onCall: (incoming) => {
          numbers.push(incoming.to)
          incoming.reject(486)
        },
      },
    )
    ends.push(
      () => uas.close(),
      () => stranger.close(),
      () => side.telephony.stop(),
    )
    uas.onMessage = (received) => {
      if (received.message.method === 'REGISTER') uas.reply(received, 200)
    }
    const register = await uas.wait('REGISTER')
    const invite = (from: ScriptedUas): string =>
      [
        `INVITE sip:+15550001111@127.0.0.1 SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${from.port};branch=z9hG4bKin${from.port};rport`,
        'From: <sip:+15551234567@127.0.0.1>;tag=x',
        'To: <sip:+15550001111@127.0.0.1>',
        `Call-ID: in-${from.port}`,
        'CSeq: 1 INVITE',
        `Contact: <sip:x@127.0.0.1:${from.port}>`,
        'Content-Type: application/sdp',
        `Content-Length: ${ANSWER_SDP().length}`,
        '',
        ANSWER_SDP(),
      ].join('\r\n')
    // To where the REGISTER came from, which is all that a router lets in.
    uas.send(invite(uas), register.from)
    stranger.send(invite(stranger), register.from)
    await uas.wait('SIP 486')
    await sleep(100)
    expect(stranger.received).toEqual([])
    expect(numbers.length).toBe(1)
  })
})
