import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { Ring } from '../../core/ring.ts'
import { createCodecs } from '../codecs/codec.ts'
import { encodeG711, pcma, pcmu } from '../codecs/g711.ts'
import type { Agreement } from '../media/media.ts'
import { writeHeader } from './packet.ts'
import { RtpSession, type RtpSessionOptions } from './session.ts'

const HUMAN = { host: '198.51.100.7', port: 4000 }
const agreed: Agreement = {
  remote: HUMAN,
  signallingHost: '198.51.100.1',
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: 101,
  telephoneEventClockHz: 8000,
  listenForTones: false,
  ptimeMs: 20,
  srtp: null,
  rtcp: null,
  direction: 'sendrecv',
}

function options(o: Partial<RtpSessionOptions> = {}): RtpSessionOptions {
  return {
    ears: Ring.create(8000, 30),
    codecs: createCodecs(null),
    ssrc: 1,
    sequence: 0,
    timestamp: 0,
    cname: 'name',
    silenceTimeoutMs: 5000,
    send: () => true,
    sendControl: () => undefined,
    started: () => undefined,
    ended: () => undefined,
    digit: () => undefined,
    silent: () => undefined,
    ...o,
  }
}

function setup(change: Partial<Agreement> = {}, o: { rateHz?: number } = {}) {
  const ears = Ring.create(o.rateHz ?? 8000, 30)
  const sent: { to: string; bytes: Uint8Array }[] = []
  const control: { to: string; bytes: Uint8Array }[] = []
  const told: string[] = []
  const session = new RtpSession(
    options({
      ears,
      send: (bytes, port, host) => sent.push({ to: `${host}:${port}`, bytes: bytes.slice() }) > 0,
      sendControl: (bytes, port, host) =>
        control.push({ to: `${host}:${port}`, bytes: bytes.slice() }),
      started: (clip) => told.push(`started ${clip}`),
      ended: (clip, samples, whole) => told.push(`ended ${clip} ${samples} ${whole}`),
      digit: (key) => told.push(`key ${key}`),
      silent: () => told.push('silent'),
    }),
  )
  session.agree({ ...agreed, ...change }, 0)
  /** Ticks up to `to`, calling `each` once a frame before it. */
  const run = (from: number, to: number, each: (now: number, n: number) => void = () => {}) => {
    for (let now = from, n = 0; now < to; now += 20, n++) {
      each(now, n)
      session.tick(now)
    }
  }
  const all = () => ears.read(0, ears.written)
  return { session, ears, sent, control, told, run, all }
}

function packet(n: number, hz: number, o: { ssrc?: number; type?: number } = {}): Uint8Array {
  const { ssrc = 77, type = 0 } = o
  const bytes = new Uint8Array(172)
  writeHeader(bytes, {
    payloadType: type,
    marker: false,
    sequence: n & 0xffff,
    timestamp: (n * 160) >>> 0,
    ssrc,
  })
  encodeG711(type === 8 ? pcma : pcmu, tone(hz, 160, { from: n * 160 }), bytes, 12)
  return bytes
}

describe('RtpSession', () => {
  it('sends every 20 ms from the agreement on, whatever is heard', () => {
    const { run, sent, session } = setup()
    run(0, 1000)
    expect(sent).toHaveLength(50)
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(['198.51.100.7:4000']))
    expect(session.dueAt).toBe(1000)
  })

  it.each([
    ['another port', '198.51.100.7', 4002],
    ['another address', '203.0.113.66', 4000],
    ['the signalling address', '198.51.100.1', 4000],
  ])('hears no sample from %s and sends none there', (_, host, port) => {
    const { session, run, all, sent } = setup()
    run(0, 10_000, (now, n) => {
      session.receive(packet(n, 500), HUMAN.host, HUMAN.port, now)
      // The attacker copies SSRC and sequence, is one ahead, and floods.
      for (let ahead = 1; ahead <= 3; ahead++)
        session.receive(packet(n + ahead, 1700), host, port, now + ahead)
    })
    expect(amplitudeAt(all().subarray(200), 500)).toBeGreaterThan(7000)
    expect(amplitudeAt(all().subarray(200), 1700)).toBeLessThan(50)
    expect(session.stats().packetsForeign).toBe(1500)
    expect(session.stats().packetsReceived).toBe(500)
    expect(sent.every(({ to }) => to === '198.51.100.7:4000')).toBe(true)
  })

  it('follows a human whose NAT changed the port, after 500 ms, and sends there', () => {
    const { session, run, all, sent } = setup()
    run(0, 2000, (now, n) => session.receive(packet(n, 500), HUMAN.host, 61_000, now))
    expect(session.stats().packetsForeign).toBe(25)
    expect(amplitudeAt(all().subarray(6000), 500)).toBeGreaterThan(7000)
    expect(sent.at(-1)?.to).toBe('198.51.100.7:61000')
  })

  it('is not moved by junk from the right address', () => {
    const { session, run, sent } = setup()
    const random = randomSource(5)
    run(0, 3000, (now) => {
      const junk = Uint8Array.from({ length: 172 }, () => random() * 256)
      junk[0] = 0x80
      junk[1] = 50
      session.receive(junk, HUMAN.host, 61_000, now)
    })
    expect(sent.every(({ to }) => to === '198.51.100.7:4000')).toBe(true)
  })

  it('survives 50 000 datagrams of junk from the right source', () => {
    const { session, run, ears } = setup()
    const random = randomSource(9)
    run(0, 10_000, (now) => {
      for (let k = 0; k < 100; k++) {
        const junk = Uint8Array.from({ length: random() * 60 }, () => random() * 256)
        if (junk.length > 1) junk[0] = 0x80 | ((junk[0] as number) & 0x3f)
        session.receive(junk, HUMAN.host, HUMAN.port, now)
      }
    })
    expect(ears.written / 8).toBeLessThan(10_600)
  })

  it('decodes both laws by their static numbers and ignores other payload types', () => {
    const { session, run, all } = setup()
    run(0, 1000, (now, n) => {
      session.receive(packet(2 * n, 500, { type: 96 }), HUMAN.host, HUMAN.port, now)
      session.receive(packet(n, 500, { type: n % 2 ? 8 : 0 }), HUMAN.host, HUMAN.port, now)
    })
    expect(amplitudeAt(all().subarray(200), 500)).toBeGreaterThan(7000)
  })

  it('stops its clips when the stop flag is up, at the next frame', () => {
    const { session, ears, run, told } = setup()
    session.enqueue(1, tone(440, 8000), 0)
    session.enqueue(2, tone(440, 8000), 0)
    run(0, 200)
    ears.arm({ minSpeech: 100, graceUntil: 0, graceMinSpeech: 100 })
    ears.stopIfArmed(0, 200)
    run(200, 220)
    expect(told).toEqual(['started 1', 'ended 1 1600 false', 'ended 2 0 false'])
    expect(ears.heard).toBe(1600)
  })

  it('lets a clip begin at once in silence, but not between two beats of another', () => {
    const { session, run } = setup()
    run(0, 100)
    expect(session.dueAt).toBe(100)
    expect(session.enqueue(1, tone(440, 320), 87)).toBe(true)
    expect(session.dueAt).toBe(87)
    session.tick(87)
    expect(session.enqueue(2, tone(440, 320), 90)).toBe(false)
    expect(session.dueAt).toBe(107)
  })

  it('tells silence once, on hold never', () => {
    const { session, run, told } = setup()
    run(0, 4000, (now, n) => session.receive(packet(n, 500), HUMAN.host, HUMAN.port, now))
    session.agree({ ...agreed, direction: 'recvonly' }, 4000)
    run(4000, 20_000)
    expect(told).toEqual([])
    session.agree(agreed, 20_000)
    run(20_000, 40_000)
    expect(told).toEqual(['silent'])
  })

  it('hears nothing where the direction says that we do not listen, and keeps time', () => {
    const { session, run, all } = setup({ direction: 'inactive' })
    run(0, 2000, (now, n) => session.receive(packet(n, 500), HUMAN.host, HUMAN.port, now))
    expect(all().length / 8).toBeGreaterThan(1900)
    expect(all().every((sample) => sample === 0)).toBe(true)
  })

  it('does nothing before the agreement', () => {
    const { ears } = setup()
    const session = new RtpSession(options({ ears }))
    session.receive(packet(0, 500), HUMAN.host, HUMAN.port, 0)
    session.tick(1000)
    expect([ears.written, session.stats().packetsSent, session.dueAt]).toEqual([
      0,
      0,
      Number.POSITIVE_INFINITY,
    ])
  })

  it.each(['0.0.0.0', '255.255.255.255', '239.1.2.3'])('never sends to %s', (host) => {
    const { sent, run } = setup({ remote: { host, port: 4000 } })
    run(0, 1000)
    expect(sent).toEqual([])
  })
})
