import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { MAX_REPORT_BYTES, parseReport, type Report, writeReport } from './rtcp.ts'

const block = {
  ssrc: 0xdead_beef,
  fractionLost: 64,
  lost: 1234,
  highestSequence: 0x0002_fffe,
  jitter: 77,
  lastReport: 0x1234_5678,
  sinceLastReport: 65_536,
}
const sender = {
  seconds: 9,
  fraction: 0x8000_0000,
  timestamp: 0xffff_fff0,
  packets: 5,
  octets: 800,
}
const report: Report = { ssrc: 0xcafe_0001, sender, blocks: [block] }

function written(o: { report?: Report; cname?: string; bye?: boolean } = {}): Uint8Array {
  const to = new Uint8Array(MAX_REPORT_BYTES).fill(0xee)
  const length = writeReport(to, { report, cname: 'some-name', bye: false, ...o })
  return to.slice(0, length)
}

/** The packets of a compound: type and length in bytes. */
function packetsOf(bytes: Uint8Array): number[][] {
  const packets: number[][] = []
  for (let at = 0; at < bytes.length; ) {
    const length = (((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0) + 1) * 4
    packets.push([bytes[at + 1] ?? 0, length])
    at += length
  }
  return packets
}

describe('writeReport', () => {
  it('is read back as what it says', () => {
    expect(parseReport(written())).toEqual(report)
    expect(parseReport(written({ report: { ...report, sender: null } }))).toEqual({
      ...report,
      sender: null,
    })
    expect(parseReport(written({ report: { ...report, blocks: [] } }))?.blocks).toEqual([])
  })

  it('is a compound of report, description and, at the end, BYE', () => {
    expect(packetsOf(written())).toEqual([
      [200, 52],
      [202, 20],
    ])
    expect(packetsOf(written({ bye: true })).at(-1)).toEqual([203, 8])
    expect(packetsOf(written({ report: { ...report, sender: null, blocks: [] } }))[0]).toEqual([
      201, 8,
    ])
  })

  it('carries the name with at least one zero behind it, whatever its length', () => {
    for (let length = 1; length <= 64; length++) {
      const cname = 'n'.repeat(length)
      const bytes = written({ cname, bye: true })
      expect(bytes.length).toBeLessThanOrEqual(MAX_REPORT_BYTES)
      const at = Buffer.from(bytes).indexOf(cname)
      expect([...bytes.subarray(at - 2, at)]).toEqual([1, length])
      expect(bytes[at + length]).toBe(0)
      expect(parseReport(bytes)).toEqual(report)
    }
  })

  it('carries a loss below 0 and keeps one that is too large for its 24 bits', () => {
    const lost = (value: number): number | undefined =>
      parseReport(written({ report: { ...report, blocks: [{ ...block, lost: value }] } }))
        ?.blocks[0]?.lost
    expect(lost(-3)).toBe(-3)
    expect(lost(1e9)).toBe(0x7f_ffff)
    expect(lost(-1e9)).toBe(-0x80_0000)
  })
})

describe('parseReport', () => {
  it('reads all blocks of a report', () => {
    const bytes = new Uint8Array(8 + 3 * 24)
    bytes.set([0x83, 201, 0, 19, 0, 0, 0, 1])
    for (let n = 0; n < 3; n++) bytes[8 + 24 * n + 3] = n + 1
    expect(parseReport(bytes)?.blocks.map(({ ssrc }) => ssrc)).toEqual([1, 2, 3])
  })

  it.each<[string, (bytes: Uint8Array) => Uint8Array | undefined]>([
    ['is too short', (bytes) => bytes.subarray(0, 7)],
    ['ends early', (bytes) => bytes.subarray(0, bytes.length - 1)],
    ['goes on too long', (bytes) => Uint8Array.of(...bytes, 0, 0, 0, 0)],
    ['has another version', (bytes) => bytes.fill(0x41, 0, 1)],
    ['begins with padding', (bytes) => bytes.fill(0xa1, 0, 1)],
    ['begins with a description', (bytes) => bytes.subarray(52)],
    ['promises more blocks than it has', (bytes) => bytes.fill(0x9f, 0, 1)],
    ['has a length beyond its end', (bytes) => bytes.fill(0xff, 2, 3)],
    ['is sound', () => Uint8Array.from({ length: 172 }, (_, n) => (n === 0 ? 0x80 : 0))],
  ])('refuses what %s', (_, change) => {
    expect(parseReport(change(written()) ?? new Uint8Array(0))).toBeUndefined()
  })

  it('survives 100 000 reports that were changed by chance', () => {
    const random = randomSource(17)
    let parsed = 0
    for (let n = 0; n < 100_000; n++) {
      const bytes = written({ bye: n % 2 === 0 })
      for (let k = 0; k < 3; k++)
        bytes[Math.floor(random() * Math.min(60, bytes.length))] = Math.floor(random() * 256)
      const cut = random() < 0.2 ? Math.floor(random() * bytes.length) : bytes.length
      if (parseReport(bytes.subarray(0, cut))) parsed++
    }
    expect(parsed).toBeGreaterThan(1000)
  })
})
