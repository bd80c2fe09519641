import { describe, expect, it } from 'vitest'
import { agreed, HUMAN, openSession, talker } from '../../../test/kit/rtp-session.ts'
import { randomSource } from '../../../test/kit/seeded.ts'
import { MAX_REPORT_BYTES, parseReport, type ReportBlock, writeReport } from './rtcp.ts'

const CONTROL = { ...HUMAN, port: 4001 }

function report(o: { ssrc?: number; lost?: number } = {}): Uint8Array {
  const block: ReportBlock = {
    ssrc: 1,
    fractionLost: 0,
    lost: o.lost ?? 3,
    highestSequence: 9,
    jitter: 80,
    lastReport: 0,
    sinceLastReport: 0,
  }
  const to = new Uint8Array(MAX_REPORT_BYTES)
  const length = writeReport(to, {
    report: { ssrc: o.ssrc ?? 77, sender: null, blocks: [block] },
    cname: 'them',
    bye: false,
  })
  return to.slice(0, length)
}

describe('RTCP of a session', () => {
  it('goes to the port above every 5 s or so, with what was sent and what came', () => {
    const { session, run, sent, control } = openSession({ rtcp: { port: CONTROL.port } })
    const next = talker()
    run(0, 60_000, (now, n) => {
      const packet = next()
      if (n % 10 !== 9) session.receive(packet, HUMAN.host, HUMAN.port, now)
    })
    expect(control.length).toBeGreaterThanOrEqual(8)
    expect(control.length).toBeLessThanOrEqual(24)
    expect(new Set(control.map(({ to }) => to))).toEqual(new Set(['198.51.100.7:4001']))
    const last = parseReport(control.at(-1)?.bytes ?? new Uint8Array(0))
    expect(last?.ssrc).toBe(1)
    expect(last?.sender?.packets).toBeGreaterThan(2000)
    expect(last?.sender?.packets).toBeLessThanOrEqual(sent.length)
    expect(last?.sender?.octets).toBe((last?.sender?.packets ?? 0) * 160)
    const [block] = last?.blocks ?? []
    expect(block?.ssrc).toBe(77)
    expect(Math.abs((block?.fractionLost ?? 0) - 25)).toBeLessThan(6)
  })

  it('shares the port where that was agreed on', () => {
    const { session, run, sent, control } = openSession({ rtcp: 'mux' })
    run(0, 20_000)
    expect(control).toEqual([])
    const reports = sent.filter(({ bytes }) => bytes[1] === 200)
    expect(reports.length).toBeGreaterThanOrEqual(2)
    expect(reports.every(({ to }) => to === '198.51.100.7:4000')).toBe(true)
    session.receive(report(), HUMAN.host, HUMAN.port, 20_000)
    expect(session.stats().remote).toEqual({ packetsLost: 3, jitterMs: 10, roundTripMs: null })
    expect(session.stats().packetsReceived).toBe(0)
    // Reports are no sound: they are not counted as packets of it.
    expect(session.stats().packetsSent).toBe(1000)
  })

  it('goes nowhere where none was agreed on', () => {
    const { session, run, sent, control } = openSession({ rtcp: null })
    run(0, 20_000)
    session.receiveControl(report(), HUMAN.host, CONTROL.port, 20_000)
    session.close(20_000)
    expect(control).toEqual([])
    expect(sent.every(({ bytes }) => bytes[1] === 0)).toBe(true)
    expect(session.stats().remote).toBeNull()
  })

  it('says BYE at the end, and only where something was sent', () => {
    const talked = openSession({ rtcp: { port: CONTROL.port } })
    talked.run(0, 100)
    talked.session.close(100)
    talked.session.close(200)
    expect(talked.control).toHaveLength(1)
    const bytes = [...(talked.control[0]?.bytes ?? [])]
    expect(bytes.slice(-8)).toEqual([0x81, 203, 0, 1, 0, 0, 0, 1])
    const silent = openSession({ rtcp: { port: CONTROL.port } })
    silent.session.close(0)
    expect(silent.control).toEqual([])
  })

  it('goes on while the other side holds us', () => {
    const { run, control } = openSession({ rtcp: { port: CONTROL.port }, direction: 'inactive' })
    run(0, 20_000)
    expect(control.length).toBeGreaterThanOrEqual(2)
  })

  it.each([
    ['another port', HUMAN.host, 4002],
    ['another address', '203.0.113.66', CONTROL.port],
  ])('is not believed from %s, and nothing goes there', (_, host, port) => {
    const { session, run, control } = openSession({ rtcp: { port: CONTROL.port } })
    run(0, 14_000, (now) => session.receiveControl(report({ lost: 9999 }), host, port, now))
    expect(session.stats().remote).toBeNull()
    expect(session.stats().packetsForeign).toBe(700)
    expect(control.every(({ to }) => to === '198.51.100.7:4001')).toBe(true)
  })

  it('follows a NAT that changed its port too, but not to another address', () => {
    const { session, run, control } = openSession({ rtcp: { port: CONTROL.port } })
    run(0, 30_000, (now) => {
      session.receiveControl(report({ lost: 9999 }), '203.0.113.66', 61_001, now)
      if (now > 16_000 && now % 5000 === 0)
        session.receiveControl(report(), HUMAN.host, 61_001, now)
    })
    expect(session.stats().remote?.packetsLost).toBe(3)
    expect(control.at(-1)?.to).toBe('198.51.100.7:61001')
  })

  it('does not keep a call alive whose sound has stopped', () => {
    const { session, run, told } = openSession({ rtcp: { port: CONTROL.port } })
    run(0, 6000, (now) => session.receiveControl(report(), HUMAN.host, CONTROL.port, now))
    expect(told).toEqual(['silent'])
  })

  it.each([{ port: CONTROL.port }, 'mux'] as const)(
    'survives 100 000 mutated packets of sound and RTCP (%o)',
    (rtcp) => {
      const { session, ears, sent, control } = openSession({ rtcp, listenForTones: true })
      const random = randomSource(23)
      const next = talker()
      for (let n = 0; n < 100_000; n++) {
        const now = n / 50
        const bytes = n % 3 === 0 ? report() : next()
        for (let k = 0; k < 4; k++)
          bytes[Math.floor(random() * Math.min(40, bytes.length))] = Math.floor(random() * 256)
        const cut = random() < 0.3 ? Math.floor(random() * bytes.length) : bytes.length
        session.receive(bytes.subarray(0, cut), HUMAN.host, HUMAN.port, now)
        session.receiveControl(bytes.subarray(0, cut), HUMAN.host, CONTROL.port, now)
        if (n % 1000 === 0) session.tick(now)
      }
      expect(ears.written / 8).toBeLessThan(2600)
      for (const { to } of [...sent, ...control])
        expect(['198.51.100.7:4000', '198.51.100.7:4001']).toContain(to)
      session.agree(agreed, 2000)
      const again = talker({ hz: 900, ssrc: 42 })
      for (let now = 2000; now < 5000; now += 20) {
        session.receive(again(), HUMAN.host, HUMAN.port, now)
        session.tick(now)
      }
      expect(session.stats().packetsReceived).toBeGreaterThan(150)
    },
  )
})
