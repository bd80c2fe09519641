import { describe, expect, it } from 'vitest'
import { HUMAN, openSession, talker } from '../../../test/kit/rtp-session.ts'

describe('the figures of a session', () => {
  it('count packets and their bytes both ways, and name codec and packet length', () => {
    const { session, run, sent } = openSession({ ptimeMs: 30 })
    const next = talker()
    run(0, 600, (now) => session.receive(next().subarray(0, 172), HUMAN.host, HUMAN.port, now))
    const bytes = sent.reduce((sum, packet) => sum + packet.bytes.length, 0)
    expect(session.stats()).toMatchObject({
      ...{ codec: 'PCMU', ptimeMs: 30, encrypted: false },
      ...{ packetsReceived: 30, bytesReceived: 30 * 172 },
      ...{ packetsSent: sent.length, bytesSent: bytes },
      ...{ packetsLost: 0, concealedMs: 0, ssrcChanges: 0, packetsDuplicate: 0 },
    })
  })

  it('tell how much sound was made up, and how often another stream took over', () => {
    const { session, run } = openSession()
    const [first, second] = [talker({ ssrc: 1 }), talker({ ssrc: 2 })]
    run(0, 1000, (now, n) => {
      const packet = n < 25 ? first() : second()
      if (n === 10) return
      session.receive(packet, HUMAN.host, HUMAN.port, now)
      if (n === 12) session.receive(packet, HUMAN.host, HUMAN.port, now)
    })
    expect(session.stats()).toMatchObject({ packetsLost: 1, packetsDuplicate: 1, ssrcChanges: 1 })
    expect(session.stats().concealedMs).toBe(20)
  })
})
