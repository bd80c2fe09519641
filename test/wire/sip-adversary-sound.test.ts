import { afterEach, describe, expect, it } from 'vitest'
import type { Leg } from '../../src/calls/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import { encodeG711, pcma, pcmu } from '../../src/telephony/codecs/g711.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import { write32, writeHeader } from '../../src/telephony/rtp/packet.ts'
import { openPeer, type Peer, sleep } from '../kit/rtp-peer.ts'
import { ANSWER_SDP, type Received, ScriptedUas } from '../kit/scripted-uas.ts'
import { randomSource } from '../kit/seeded.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { amplitudeAt, tone } from '../kit/tones.ts'

/** Sound that is to be heard, and sound that is not. */
const GOOD_HZ = 500
const POISON_HZ = 1_500
const POISON = tone(POISON_HZ, 160)

const ends: (() => unknown)[] = []
const broken: unknown[] = []
const note = (error: unknown): void => void broken.push(error)

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  expect(broken.splice(0)).toEqual([])
})

interface LiveCall {
  uas: ScriptedUas
  leg: Leg
  invite: Received
  other: Peer
  /** Where our sound comes from, and theirs goes to. */
  rtp: number
}

/** A call with real sound both ways, over real sockets. */
async function liveCall(): Promise<LiveCall> {
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: '127.0.0.1',
    portRange: [0, 0],
    silenceTimeoutMs: 60_000,
  })
  const uas = await ScriptedUas.open()
  const other = await openPeer()
  const rate = { perSecond: 1e6, burst: 1e6 }
  const side = await startSipSide([trunkOptions(uas.port)], { media, rate })
  ends.push(
    () => media.stop(),
    () => uas.close(),
    () => other.close(),
    () => side.telephony.stop(),
  )
  uas.onMessage = (received) => {
    const { kind, method } = received.message
    if (kind !== 'request' || method === 'ACK') return
    uas.reply(received, 200, method === 'INVITE' ? { body: ANSWER_SDP(other.port) } : {})
  }
  const dialed = await side.dial().dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  const invite = await uas.wait('INVITE')
  await uas.wait('ACK')
  const rtp = Number(/^m=audio (\d+)/m.exec(invite.message.body)?.[1])
  return { uas, leg: dialed.answered, invite, other, rtp }
}

/** How loud a tone is in the last 200 ms that were heard, but the very last. */
function heardLately({ ears }: Leg, hz: number): number {
  return amplitudeAt(ears.read(ears.written - 2_000, ears.written - 400), hz)
}

function loudest({ ears }: Leg, hz: number): number {
  const all = ears.read(0, ears.written)
  let most = 0
  for (let at = 0; at + 160 <= all.length; at += 80)
    most = Math.max(most, amplitudeAt(all.subarray(at, at + 160), hz))
  return most
}

type Like = Peer['sent']

/** A packet with poison in it, that would come next. */
function poison(like: Like, o: { payloadType?: number; ssrc?: number; bytes?: number } = {}) {
  const packet = new Uint8Array(12 + (o.bytes ?? 160))
  const { payloadType = 0, ssrc = like.ssrc } = o
  writeHeader(packet, { ...like, ssrc, marker: false, payloadType })
  encodeG711(payloadType === 8 ? pcma : pcmu, POISON.subarray(0, o.bytes ?? 160), packet, 12)
  return packet
}

function changed(packet: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  packet.set(bytes, at)
  return packet
}

const random = randomSource(3550)
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, () => Math.floor(random() * 256))

/** What comes beside good sound, once a packet. */
const BESIDE: [string, (like: Like, n: number) => Uint8Array][] = [
  ['headers cut short', (like, n) => poison(like).subarray(0, n % 12)],
  ['fifteen CSRCs that are not there', (like) => changed(poison(like, { bytes: 40 }), 0, 0x8f)],
  ['an extension longer than the packet', (like) => changed(poison(like), 0, 0x90, 0, 0, 0)],
  [
    'an extension of 262 KB',
    (like) => changed(changed(poison(like), 0, 0x90), 12, 0xbe, 0xde, 0xff, 0xff),
  ],
  ['padding longer than the packet', (like) => changed(changed(poison(like), 0, 0xa0), 171, 255)],
  ['padding of nothing', (like) => changed(changed(poison(like), 0, 0xa0), 171, 0)],
  ['version 0', (like) => changed(poison(like), 0, 0x00)],
  ['version 1', (like) => changed(poison(like), 0, 0x40)],
  ['version 3', (like) => changed(poison(like), 0, 0xc0)],
  [
    'payload types that nobody agreed on',
    (like, n) => poison(like, { payloadType: 96 + (n % 31) }),
  ],
  ['no payload', (like) => poison(like).subarray(0, 12)],
  [
    'RTCP on the port of sound',
    (_like, n) => {
      const report = noise(28)
      return changed(report, 0, 0x80 | (n % 32), 200 + (n % 5), 0, 6)
    },
  ],
  [
    'STUN',
    () => {
      const request = noise(20)
      changed(request, 0, 0, 1, 0, 0)
      write32(request, 4, 0x2112a442)
      return request
    },
  ],
  ['DTLS', () => changed(noise(120), 0, 22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 107)],
  ['ZRTP', () => changed(noise(40), 0, 0x10, 0, 0, 1, 0x5a, 0x52, 0x54, 0x50)],
  ['noise', (_like, n) => noise((n * 37) % 1_400)],
  ['one packet of another stream each time', (like, n) => poison(like, { ssrc: 9_000 + 7 * n })],
]

describe('a call that good sound comes into', () => {
  it.each(BESIDE)('goes on beside %s', async (_what, beside) => {
    const { leg, other, rtp } = await liveCall()
    other.talk(rtp, tone(GOOD_HZ, 4_800))
    for (let n = 0; n < 10; n++) {
      await sleep(20)
      other.raw(rtp, beside(other.sent, n))
    }
    await sleep(260)
    expect(heardLately(leg, GOOD_HZ)).toBeGreaterThan(6_500)
    expect(loudest(leg, POISON_HZ)).toBeLessThan(2_500)
    await leg.hangup()
  })

  it.each<[string, (other: Peer, rtp: number) => Promise<void>]>([
    [
      'timestamps that jump by a day and back',
      async (other, rtp) => {
        for (const jump of [691_200_000, -691_200_000, 0x7fff_ffff]) {
          const { sent } = other
          const timestamp = (sent.timestamp + jump) >>> 0
          other.talk(rtp, tone(GOOD_HZ, 800), { like: { ...sent, timestamp } })
          await sleep(110)
        }
      },
    ],
    [
      'sequence numbers that begin anew',
      async (other, rtp) => {
        for (const sequence of [0, 40_000, 20_000]) {
          other.talk(rtp, tone(GOOD_HZ, 800), { like: { ...other.sent, sequence } })
          await sleep(110)
        }
      },
    ],
    [
      'another SSRC in each tenth of a second',
      async (other, rtp) => {
        for (const ssrc of [1, 0, 0xffff_ffff]) {
          other.talk(rtp, tone(GOOD_HZ, 800), { like: { ...other.sent, ssrc } })
          await sleep(110)
        }
      },
    ],
    [
      'the other law in the middle',
      async (other, rtp) => {
        other.talk(rtp, tone(GOOD_HZ, 800), { codec: 'PCMA' })
        await sleep(110)
      },
    ],
    [
      'packets of 10, 30 and 60 ms by turns',
      async (other, rtp) => {
        for (const ms of [10, 30, 60, 10]) {
          const { sent } = other
          const packet = new Uint8Array(12 + ms * 8)
          writeHeader(packet, { ...sent, marker: false, payloadType: 0 })
          encodeG711(pcmu, tone(GOOD_HZ, ms * 8), packet, 12)
          other.raw(rtp, packet)
          const sequence = (sent.sequence + 1) & 0xffff
          const timestamp = (sent.timestamp + ms * 8) >>> 0
          other.talk(rtp, new Int16Array(0), { like: { ...sent, sequence, timestamp } })
          await sleep(ms)
        }
      },
    ],
  ])('goes on after %s', async (_what, upset) => {
    const { leg, other, rtp } = await liveCall()
    other.talk(rtp, tone(GOOD_HZ, 1_600))
    await sleep(220)
    await upset(other, rtp)
    const before = leg.ears.written
    other.talk(rtp, tone(GOOD_HZ, 3_200))
    await sleep(440)
    expect(heardLately(leg, GOOD_HZ)).toBeGreaterThan(6_500)
    // Sound is never later than it came: no jump of theirs adds silence to what is heard.
    expect(leg.ears.written - before).toBeLessThan(8_000)
    await leg.hangup()
  })
})

describe('inside a call', () => {
  it('nothing that is asked and makes no sense ends it, or has its sound stop', async () => {
    const { leg, other, rtp, uas, invite } = await liveCall()
    other.talk(rtp, tone(GOOD_HZ, 16_000))
    const asks: [string, Parameters<ScriptedUas['request']>[2]][] = [
      ['INVITE', { body: 'v=0\r\n' }],
      ['INVITE', { body: '\0\0\0' }],
      ['INVITE', { body: 'x', headers: ['Content-Type: text/html'] }],
      ['INVITE', { headers: ['Require: magic'] }],
      ['INVITE', { headers: ['Session-Expires: 1'] }],
      ['UPDATE', { body: 'm=audio' }],
      ['INFO', { body: 'Signal=%%%', headers: ['Content-Type: application/dtmf-relay'] }],
      ['INFO', { headers: ['Info-Package: none'] }],
      ['NOTIFY', { body: 'SIP/2.0 999 x', headers: ['Event: refer', 'Subscription-State: gone'] }],
      ['REFER', { headers: ['Refer-To: <sip:+19005550000@127.0.0.1>'] }],
      ['REFER', { headers: ['Refer-To: <<'] }],
      ['PRACK', { headers: ['RAck: a b c'] }],
      ['MESSAGE', { body: '<script>', headers: ['Content-Type: text/html'] }],
      ['PUBLISH', {}],
      ['GARBAGE', {}],
      ['BYE', { tag: 'of-another-call' }],
      ['CANCEL', {}],
      ['ACK', { body: 'nothing' }],
      ['OPTIONS', { contact: 'sip:x@[::1' }],
    ]
    let cseq = 500
    for (const [method, o] of asks) {
      uas.request(method, invite, { cseq: ++cseq, ...o })
      await sleep(10)
    }
    await sleep(300)
    expect(heardLately(leg, GOOD_HZ)).toBeGreaterThan(6_500)
    expect(uas.all('BYE')).toEqual([])
    expect(uas.all('INVITE').length).toBe(1)
    await leg.hangup()
    expect(uas.all('BYE').length).toBe(1)
  })
})
