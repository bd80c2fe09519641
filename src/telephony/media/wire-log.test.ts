import { describe, expect, it } from 'vitest'
import { encodeG711, pcma, pcmu } from '../codecs/g711.ts'
import { writeHeader } from '../rtp/packet.ts'
import { WireLog } from './wire-log.ts'

function datagram(payloadType: number, amplitude: number): Uint8Array {
  const packet = new Uint8Array(12 + 160)
  writeHeader(packet, { payloadType, marker: false, sequence: 1, timestamp: 160, ssrc: 7 })
  const samples = Int16Array.from({ length: 160 }, (_, i) => (i % 2 ? amplitude : -amplitude))
  encodeG711(payloadType === 8 ? pcma : pcmu, samples, packet, 12)
  return packet
}

describe('the log of a wire', () => {
  it('keeps time, direction and loudness of each packet, for whoever opens the same memory', () => {
    const log = WireLog.create()
    log.passed(datagram(0, 0), { at: 20.25, sent: true })
    log.passed(datagram(8, 4032), { at: 30.5, sent: false })
    log.passed(datagram(0, 32_000), { at: 40, sent: true })
    const seen = new WireLog(log.buffer).packets()
    expect(seen.map(({ at, sent }) => [at, sent])).toEqual([
      [20.25, true],
      [30.5, false],
      [40, true],
    ])
    expect(seen[0]?.loudness).toBeLessThan(10)
    expect(seen[1]?.loudness).toBeCloseTo(4032, -3)
    expect(seen[2]?.loudness).toBeGreaterThan(31_000)
    expect(log.packets(1, 2)).toEqual([seen[1]])
  })

  it('leaves out what is no sound in G.711', () => {
    const log = WireLog.create()
    log.passed(datagram(101, 100), { at: 1, sent: false })
    log.passed(new Uint8Array(3), { at: 2, sent: false })
    expect(log.count).toBe(0)
  })

  it('writes no further than its memory reaches', () => {
    const log = WireLog.create(8)
    for (let at = 0; at < 20; at++) log.add({ at, sent: false, loudness: 1 })
    expect(log.packets(6, 50).map(({ at }) => at)).toEqual([6, 7])
  })
})
