import { describe, expect, it } from 'vitest'
import {
  agreed,
  codecs,
  HUMAN,
  sessionOptions,
  openSession as setup,
  talker,
} from '../../../test/kit/rtp-session.ts'
import { randomSource } from '../../../test/kit/seeded.ts'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { encodeG711, pcma, pcmu } from '../codecs/g711.ts'
import { writeHeader } from './packet.ts'
import { RtpSession } from './session.ts'

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

  it('pauses its clips at the next frame while the flag is up, and goes on from the same sample', () => {
    const { session, ears, run, told } = setup()
    session.enqueue(1, tone(440, 8000), 0)
    session.enqueue(2, tone(440, 8000), 0)
    run(0, 200)
    ears.arm({ minSpeech: 100, graceUntil: 0, graceMinSpeech: 100 })
    ears.pauseIfArmed(0, 200)
    run(200, 600)
    expect(told).toEqual(['started 1'])
    expect(ears.heard).toBe(1600)
    ears.resume()
    run(600, 620)
    expect(ears.heard).toBe(1760)
    run(620, 620 + 780)
    expect(told).toEqual(['started 1', 'ended 1 8000 true'])
  })

  it('drops what was paused when it is stopped, and does not pause what comes after', () => {
    const { session, ears, run, told } = setup()
    session.enqueue(1, tone(440, 8000), 0)
    run(0, 200)
    ears.arm({ minSpeech: 100, graceUntil: 0, graceMinSpeech: 100 })
    ears.pauseIfArmed(0, 200)
    run(200, 300)
    session.stop()
    session.enqueue(2, tone(440, 160), 300)
    run(300, 340)
    expect(told).toEqual(['started 1', 'ended 1 1600 false', 'started 2', 'ended 2 160 true'])
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

  it('tells each time that silence has lasted, on hold never', () => {
    const { session, run, told } = setup()
    run(0, 4000, (now, n) => session.receive(packet(n, 500), HUMAN.host, HUMAN.port, now))
    session.agree({ ...agreed, direction: 'recvonly' }, 4000)
    run(4000, 20_000)
    expect(told).toEqual([])
    session.agree(agreed, 20_000)
    run(20_000, 31_000)
    expect(told).toEqual(['silent', 'silent'])
  })

  it('hears nothing where the direction says that we do not listen, and keeps time', () => {
    const { session, run, all } = setup({ direction: 'inactive' })
    run(0, 2000, (now, n) => session.receive(packet(n, 500), HUMAN.host, HUMAN.port, now))
    expect(all().length / 8).toBeGreaterThan(1900)
    expect(all().every((sample) => sample === 0)).toBe(true)
  })

  it('does nothing before the agreement', () => {
    const { ears } = setup()
    const session = new RtpSession(sessionOptions({ ears }))
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

  it.each([10, 30, 60])('sends packets of %i ms where they ask for them', (ptimeMs) => {
    const { session, sent, told } = setup({ ptimeMs })
    session.enqueue(1, tone(440, 4800), 0)
    for (let now = 0; now < 600; now = session.dueAt) session.tick(now)
    expect(sent).toHaveLength(600 / ptimeMs)
    expect(sent.every(({ bytes }) => bytes.length === 12 + 8 * ptimeMs)).toBe(true)
    expect(told).toEqual(['started 1', 'ended 1 4800 true'])
  })

  it.each([10, 30, 60, 200])('hears packets of %i ms', (ms) => {
    const { session, run, all } = setup()
    const next = talker({ ms })
    run(0, 3000, (now) => {
      for (let at = now; at < now + 20; at += 10)
        if (at % ms === 0) session.receive(next(), HUMAN.host, HUMAN.port, at)
    })
    expect(amplitudeAt(all().subarray(8000, 16_000), 500)).toBeGreaterThan(7800)
    expect(session.stats().packetsLost).toBe(0)
  })

  it('hears 16 kHz by G.722 and speaks it', () => {
    const { session, run, sent, lately } = setup(
      { codec: 'G722', payloadType: 9 },
      { rateHz: 16_000 },
    )
    const next = talker({ codec: 'G722', hz: 5000 })
    session.enqueue(1, tone(6000, 32_000, { rateHz: 16_000 }), 0)
    run(0, 2000, (now) => session.receive(next(), HUMAN.host, HUMAN.port, now))
    expect(amplitudeAt(lately(), 5000, 16_000)).toBeGreaterThan(7000)
    expect(session.stats().packetsLost).toBe(0)
    const decoder = codecs.get('G722')?.decoder()
    const spoken = Int16Array.from(
      sent.flatMap(({ bytes }) => [...(decoder?.decode(bytes.subarray(12)) ?? [])]),
    )
    expect(amplitudeAt(spoken.subarray(8000, 24_000), 6000, 16_000)).toBeGreaterThan(7000)
  })

  it.each([
    ['PCMU', 'G722', 8000],
    ['G722', 'PCMA', 16_000],
  ] as const)('keeps the ring at its rate when %s is changed for %s', (first, then, rateHz) => {
    const payloadType = { PCMU: 0, PCMA: 8, G722: 9 }
    const { session, run, sent, lately, ears } = setup(
      { codec: first, payloadType: payloadType[first] },
      { rateHz },
    )
    const early = talker({ codec: first })
    run(0, 1000, (now) => session.receive(early(), HUMAN.host, HUMAN.port, now))
    session.agree({ ...agreed, codec: then, payloadType: payloadType[then] }, 1000)
    session.enqueue(1, tone(440, rateHz * 2, { rateHz }), 1000)
    const late = talker({ codec: then, ssrc: 99, hz: 700 })
    run(1000, 4000, (now) => session.receive(late(), HUMAN.host, HUMAN.port, now))
    expect(amplitudeAt(lately(), 700, rateHz)).toBeGreaterThan(7000)
    expect(Math.abs((ears.written * 1000) / rateHz - 4000)).toBeLessThan(100)
    expect(sent.slice(-50).every(({ bytes }) => bytes[1] === payloadType[then])).toBe(true)
    expect(ears.heard).toBe(rateHz * 2)
  })

  it('tells keys under the number that we offered, where theirs is another (RFC 3264 §6.1)', () => {
    const { session, run, told } = setup({ telephoneEventPayloadType: 97 })
    run(0, 400, (now, n) => {
      const bytes = new Uint8Array(16)
      const header = { marker: false, sequence: n, timestamp: 5_000, ssrc: 5_555 }
      writeHeader(bytes, { ...header, payloadType: 101 })
      bytes.set([5, n > 5 ? 0x8a : 0x0a, 0, 160], 12)
      if (n < 10) session.receive(bytes, HUMAN.host, HUMAN.port, now)
    })
    expect(told).toEqual(['key 5'])
  })

  it('tells keys that come as events, once each, beside sound and as a stream of their own', () => {
    const { session, run, told, all } = setup()
    const next = talker()
    const event = (key: number, n: number, ssrc: number): Uint8Array => {
      const bytes = new Uint8Array(16)
      writeHeader(bytes, {
        payloadType: 101,
        marker: false,
        sequence: 900 + n,
        timestamp: 5000 * (key + 1),
        ssrc,
      })
      bytes.set([key, n > 5 ? 0x8a : 0x0a, 0, 160], 12)
      return bytes
    }
    run(0, 2000, (now, n) => {
      session.receive(next(), HUMAN.host, HUMAN.port, now)
      if (n > 20 && n < 30) session.receive(event(3, n - 20, 5555), HUMAN.host, HUMAN.port, now)
    })
    expect(told).toEqual(['key 3'])
    expect(session.stats().digitsReceived).toBe(1)
    expect(session.stats().packetsLost).toBe(0)
    expect(amplitudeAt(all().subarray(400), 500)).toBeGreaterThan(7800)
  })

  it('tells keys that come as tones only where no events are agreed on', () => {
    const keySeven = (n: number): Int16Array => {
      const [row, column] = [tone(852, 160, { from: n * 160 }), tone(1209, 160, { from: n * 160 })]
      return row.map((sample, i) => (n % 25 < 5 ? (sample + (column[i] as number)) / 2 : 0))
    }
    for (const listenForTones of [true, false]) {
      const { session, run, told } = setup({ telephoneEventPayloadType: null, listenForTones })
      run(0, 1000, (now, n) => {
        const bytes = packet(n, 0)
        encodeG711(pcmu, keySeven(n), bytes, 12)
        session.receive(bytes, HUMAN.host, HUMAN.port, now)
      })
      expect(told).toEqual(listenForTones ? ['key 7', 'key 7'] : [])
    }
  })

  it('makes silence of comfort noise, and keeps time', () => {
    const { session, run, all, told } = setup()
    const next = talker()
    run(0, 12_000, (now, n) => {
      if (n < 50) session.receive(next(), HUMAN.host, HUMAN.port, now)
      else if (n % 10 === 0) {
        // RFC 3389: a level and no more; the sequence goes on, one packet every 200 ms.
        const bytes = new Uint8Array(13)
        writeHeader(bytes, {
          payloadType: 13,
          marker: false,
          sequence: 50 + (n - 50) / 10,
          timestamp: n * 160,
          ssrc: 77,
        })
        bytes[12] = 40
        session.receive(bytes, HUMAN.host, HUMAN.port, now)
      }
    })
    expect(
      all()
        .subarray(8500)
        .every((sample) => sample === 0),
    ).toBe(true)
    expect(Math.abs(all().length / 8 - 12_000)).toBeLessThan(100)
    expect(session.stats().packetsLost).toBe(0)
    expect(told).toEqual([])
  })

  it('refuses a codec that it does not have', () => {
    const { session } = setup()
    expect(() => session.agree({ ...agreed, codec: 'opus' }, 0)).toThrow('opus is not available')
  })
})
