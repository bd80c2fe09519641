import { afterEach, expect, it } from 'vitest'
import type { Leg } from '../../src/calls/ports.ts'
import { describeWithPeers } from '../kit/peers.ts'
import { type SipSide, startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { type Sipp, startSipp } from '../kit/sipp.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A call that sipp answered and holds by `scenario`. */
async function setup(scenario: string): Promise<{ sipp: Sipp; side: SipSide; leg: Leg }> {
  const sipp = await startSipp(scenario)
  ends.push(() => sipp.stop())
  const side = await startSipSide([trunkOptions(sipp.port)])
  ends.push(() => side.telephony.stop())
  const dialed = await side.dial().dialed
  if (!('answered' in dialed)) throw new Error(JSON.stringify(dialed))
  return { sipp, side, leg: dialed.answered }
}

const agreements = (side: SipSide) => side.media.sessions[0]?.agreements ?? []

describeWithPeers('inside a dialog with sipp', ['sipp'], () => {
  it('is held and resumed, in the new way and the old', async () => {
    const { sipp, side, leg } = await setup('dialog-hold')
    await expect
      .poll(() => agreements(side).map(({ direction }) => direction), { timeout: 5_000 })
      .toEqual(['sendrecv', 'recvonly', 'sendrecv', 'inactive', 'sendrecv'])
    expect(leg.held).toBe(false)
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it('changes the codec, and refuses one that we do not have', async () => {
    const { sipp, side, leg } = await setup('dialog-codec')
    await expect
      .poll(() => agreements(side).map(({ codec }) => codec), { timeout: 5_000 })
      .toEqual(['PCMU', 'PCMA'])
    await Bun.sleep(300)
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it('refreshes the session by re-INVITE', async () => {
    const { sipp, side, leg } = await setup('dialog-refresher')
    // Each of the two refreshes comes at half of 4 s; what changes nothing leaves the sound alone.
    await Bun.sleep(4_800)
    expect(agreements(side)).toHaveLength(1)
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it('refreshes the session by UPDATE, and takes theirs', async () => {
    const { sipp, side, leg } = await setup('dialog-update')
    await expect
      .poll(() => agreements(side).map(({ direction }) => direction), { timeout: 8_000 })
      .toEqual(['sendrecv', 'recvonly', 'sendrecv'])
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it('is refreshed by re-INVITE and UPDATE, but not too often', async () => {
    const { sipp, leg } = await setup('dialog-refreshed')
    await Bun.sleep(600)
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it('acknowledges a reliable 183 and takes its description for the answer', async () => {
    const { sipp, side, leg } = await setup('dialog-prack')
    expect(agreements(side)).toMatchObject([{ codec: 'PCMA', payloadType: 8 }])
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })

  it.each([
    ['dialog-refer', { ok: true }],
    ['dialog-refer-busy', { ok: false, reason: 'the number is busy' }],
  ])('transfers by REFER and follows the NOTIFYs: %s', async (scenario, outcome) => {
    const { sipp, leg } = await setup(scenario)
    expect(await leg.transfer('+15559990000')).toEqual(outcome)
    await leg.hangup()
    expect(await sipp.exit()).toBe(0)
  })
})
