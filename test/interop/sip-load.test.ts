import { expect, it } from 'vitest'
import { describeWithPeers } from '../kit/peers.ts'
import { callSipp } from '../kit/sip-load.ts'

// A hundred calls each by `bun scripts/bench/sip.ts`.
describeWithPeers('many calls to sipp', ['sipp'], () => {
  it('are all answered at 10 a second, for 12 ms of CPU each at most', async () => {
    // The first calls compile what the others only run.
    await callSipp({ calls: 10, perSecond: 20 })
    const { answered, failures, cpuMsPerCall } = await callSipp({ calls: 40, perSecond: 10 })
    expect(failures).toEqual([])
    expect(answered).toBe(40)
    expect(cpuMsPerCall).toBeLessThan(12)
  })

  it('are answered, 98 of 100 at least, when a fifth of all datagrams is lost both ways', async () => {
    const { answered, harmed } = await callSipp({
      calls: 50,
      perSecond: 25,
      harm: { lose: 0.2, seed: 3 },
    })
    expect(harmed.lost).toBeGreaterThan(40)
    expect(answered).toBeGreaterThanOrEqual(49)
  })

  it('are answered when datagrams come twice, late and in another order', async () => {
    const { answered, harmed } = await callSipp({
      calls: 30,
      perSecond: 15,
      harm: { lose: 0.05, repeat: 0.3, reorder: 0.3, seed: 7 },
    })
    expect(harmed.repeated).toBeGreaterThan(20)
    expect(harmed.reordered).toBeGreaterThan(20)
    expect(answered).toBe(30)
  })
})
