import { describe, expect, it } from 'vitest'
import { Reports } from './reports.ts'
import { parseReport, type Report } from './rtcp.ts'

const sent = { ssrc: 1, timestamp: 5000, packets: 10, octets: 1600 }

function setup(seed = 1) {
  const reports = new Reports({ cname: 'name', seed, now: 0 })
  const write = (now: number, o: { packets?: number; jitterMs?: number } = {}): Report => {
    const { packets = sent.packets, jitterMs = 0 } = o
    const length = reports.write({
      now,
      sent: { ...sent, packets },
      jitterMs,
      clockHz: 8000,
      bye: false,
    })
    return parseReport(reports.packet.subarray(0, length)) as Report
  }
  return { reports, write }
}

describe('Reports', () => {
  it('is due every 5 s in the mean, between half and one and a half of that, never together', () => {
    const { reports, write } = setup(7)
    const waits: number[] = []
    for (let n = 0, now = 0; n < 2000; n++) {
      now = reports.dueAt
      write(now)
      waits.push(reports.dueAt - now)
    }
    expect(Math.min(...waits)).toBeGreaterThan(2500)
    expect(Math.max(...waits)).toBeLessThan(7500)
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
    expect(Math.abs(mean - 5000)).toBeLessThan(200)
    expect(setup(8).reports.dueAt).not.toBe(setup(9).reports.dueAt)
  })

  it('is a sender report only when something was sent since the last', () => {
    const { write } = setup()
    expect(write(1500).sender).toEqual({
      seconds: 1,
      fraction: 2 ** 31,
      timestamp: 5000,
      packets: 10,
      octets: 1600,
    })
    expect(write(6500).sender).toBeNull()
    expect(write(11_500, { packets: 11 }).sender).not.toBeNull()
  })

  it('counts loss as RFC 3550 does, across the wrap, and jitter in ticks', () => {
    const { reports, write } = setup()
    expect(write(0).blocks).toEqual([])
    for (let n = 0; n < 100; n++)
      if (n % 4 !== 3) reports.reception.count(77, (65_500 + n) & 0xffff)
    expect(write(1000, { jitterMs: 10 }).blocks[0]).toMatchObject({
      ssrc: 77,
      // The last one that was lost nobody knows of yet.
      lost: 24,
      fractionLost: Math.floor((24 * 256) / 99),
      highestSequence: 65_536 + 62,
      jitter: 80,
    })
    for (let n = 100; n < 200; n++) reports.reception.count(77, (65_500 + n) & 0xffff)
    expect(write(2000).blocks[0]).toMatchObject({ lost: 25, fractionLost: Math.floor(256 / 101) })
  })

  it('tells of duplicates as a loss below 0, and begins anew with another stream', () => {
    const { reports, write } = setup()
    for (const sequence of [1, 2, 2, 2]) reports.reception.count(77, sequence)
    expect(write(0).blocks[0]).toMatchObject({ lost: -2, fractionLost: 0 })
    reports.reception.count(78, 9)
    expect(write(0).blocks[0]).toMatchObject({ ssrc: 78, lost: 0, highestSequence: 9 })
  })

  it('measures the round trip by their echo of our report, and keeps it', () => {
    const us = setup(1)
    const them = setup(2)
    const ours = us.write(70_000_123)
    them.reports.reception.count(1, 5)
    them.reports.receive(ours, { now: 500, ssrc: 2, clockHz: 8000 })
    // 40 ms on the way there, 1000 ms at theirs, 60 ms on the way back.
    const theirs = them.write(1500)
    us.reports.receive(theirs, { now: 70_000_123 + 1100, ssrc: 1, clockHz: 8000 })
    expect(us.reports.remote?.roundTripMs).toBeCloseTo(100, 0)
    us.reports.receive(
      { ...theirs, blocks: theirs.blocks.map((block) => ({ ...block, lastReport: 0 })) },
      { now: 70_002_000, ssrc: 1, clockHz: 8000 },
    )
    expect(us.reports.remote?.roundTripMs).toBeCloseTo(100, 0)
  })

  it('echoes nothing before their first report, and believes no impossible round trip', () => {
    const { reports, write } = setup()
    reports.reception.count(77, 1)
    expect(write(9000).blocks[0]).toMatchObject({ lastReport: 0, sinceLastReport: 0 })
    const lie = {
      ssrc: 1,
      fractionLost: 0,
      lost: 7,
      highestSequence: 0,
      jitter: 160,
      lastReport: 0x7000_0000,
      sinceLastReport: 3,
    }
    reports.receive({ ssrc: 9, sender: null, blocks: [lie] }, { now: 9000, ssrc: 1, clockHz: 8000 })
    expect(reports.remote).toEqual({ packetsLost: 7, jitterMs: 20, roundTripMs: null })
  })

  it('takes only what is said of our own stream', () => {
    const { reports } = setup()
    const block = {
      ssrc: 5,
      fractionLost: 0,
      lost: 7,
      highestSequence: 0,
      jitter: 0,
      lastReport: 0,
      sinceLastReport: 0,
    }
    reports.receive({ ssrc: 9, sender: null, blocks: [block] }, { now: 0, ssrc: 1, clockHz: 8000 })
    expect(reports.remote).toBeNull()
  })
})
