/** Our sound and that of baresip, both ways: codecs, encryption, keys. The SIP side is in this process. */
import { expect, it } from 'vitest'
import type { Leg } from '../../src/calls/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createIds } from '../../src/core/ids.ts'
import { silentLog } from '../../src/core/log.ts'
import type { MediaStats } from '../../src/telephony/media/media.ts'
import { createMedia } from '../../src/telephony/media/worker-media.ts'
import type { TrunkOptions } from '../../src/telephony/trunk-options.ts'
import { type BaresipOptions, startBaresip } from '../kit/baresip.ts'
import { endAfterEach } from '../kit/end-after-each.ts'
import { describeWithPeers } from '../kit/peers.ts'
import { sleep } from '../kit/rtp-peer.ts'
import { startSipSide, trunkOptions } from '../kit/sip-side.ts'
import { sharedDataDir } from '../kit/speech.ts'
import { shared, steadyAmplitudeAt, tone } from '../kit/tones.ts'
import { until } from '../kit/until.ts'

const end = endAfterEach()
const NUMBER = '+15551234567'
/** baresip's last RTCP, a BYE, is not encrypted: it is refused where it comes before the call's end here. */
const PLAIN_BYE = expect.toBeOneOf([0, 1])

/** Calls baresip, which says 880 Hz, and says 440 Hz. */
async function call(
  trunk: Partial<TrunkOptions>,
  baresipOptions: Partial<BaresipOptions> = {},
): Promise<{
  leg: Leg
  baresip: Awaited<ReturnType<typeof startBaresip>>
  /** What the media worker counted over the call; it tells a moment after the end. */
  last: () => Promise<MediaStats | undefined>
}> {
  const baresip = await startBaresip({
    number: NUMBER,
    voice: tone(880, 8000 * 60),
    ...baresipOptions,
  })
  end(() => baresip.remove())
  end(() => baresip.stop())
  const closed: MediaStats[] = []
  const media = createMedia({
    clock: systemClock,
    log: silentLog,
    ids: createIds(systemClock, (n) => crypto.getRandomValues(new Uint8Array(n))),
    bindHost: '127.0.0.1',
    portRange: [0, 0],
    silenceTimeoutMs: 30_000,
    opusDir: sharedDataDir(),
    onClosed: (stats) => closed.push(stats),
  })
  end(() => media.stop())
  const side = await startSipSide([trunkOptions(baresip.port, trunk)], { media })
  end(() => side.telephony.stop())
  const dialed = await side.dial({ to: NUMBER }).dialed
  if ('failed' in dialed) throw new Error(`${dialed.failed}: ${dialed.reason}\n${baresip.output()}`)
  const last = async (): Promise<MediaStats | undefined> => {
    await until(() => closed.length > 0)
    return closed[0]
  }
  return { leg: dialed.answered, baresip, last }
}

/** Talks for some seconds; what each side heard of the other. */
async function talk(leg: Leg): Promise<{ theirs: number; ours: number; rateHz: number }> {
  const { rateHz } = leg.ears
  leg.mouth.enqueue(shared(tone(440, rateHz * 4, { rateHz })))
  await sleep(2000)
  const heard = leg.ears.read(leg.ears.written - rateHz, leg.ears.written - rateHz / 4)
  await leg.hangup()
  return {
    theirs: steadyAmplitudeAt(heard, 880, rateHz),
    ours: steadyAmplitudeAt(heard, 440, rateHz),
    rateHz,
  }
}

describeWithPeers('sound with baresip', ['baresip'], () => {
  it.each([
    ['PCMU', 8000, {}],
    ['PCMA', 8000, {}],
    ['G722', 16_000, { modules: ['g722.so'] }],
    ['opus', 16_000, { modules: ['opus.so'] }],
  ] as const)('goes both ways in %s', async (codec, rateHz, options) => {
    const { leg, baresip, last } = await call({ codecs: [codec] }, options)
    expect(leg.ears.rateHz).toBe(rateHz)
    const heard = await talk(leg)
    await baresip.stop()
    expect(heard.theirs).toBeGreaterThan(5000)
    expect(heard.ours).toBeLessThan(300)
    const recorded = baresip.heard()
    const middle = recorded.subarray(6000, 12_000)
    expect(steadyAmplitudeAt(middle, 440)).toBeGreaterThan(5000)
    expect(steadyAmplitudeAt(middle, 880)).toBeLessThan(300)
    expect(await last()).toMatchObject({ codec, encrypted: false, packetsForeign: 0 })
  })

  it.each([
    ['required', 'srtp-mand'],
    ['required', 'srtp'],
    ['optional', 'srtp'],
  ] as const)('is encrypted where the trunk says %s and baresip %s', async (srtp, mediaenc) => {
    const { leg, baresip, last } = await call(
      { srtp },
      { modules: ['srtp.so'], account: `;mediaenc=${mediaenc}` },
    )
    const heard = await talk(leg)
    await baresip.stop()
    expect(heard.theirs).toBeGreaterThan(5000)
    expect(steadyAmplitudeAt(baresip.heard().subarray(6000, 12_000), 440)).toBeGreaterThan(5000)
    expect(await last()).toMatchObject({ encrypted: true, packetsUnauthentic: PLAIN_BYE })
  })

  it('is plain where the trunk says optional and baresip has no encryption', async () => {
    const { leg, last } = await call({ srtp: 'optional' })
    const heard = await talk(leg)
    expect(heard.theirs).toBeGreaterThan(5000)
    expect(await last()).toMatchObject({ encrypted: false })
  })

  it('is refused where the trunk says optional and baresip wants nothing but RTP/SAVP', async () => {
    const only = { modules: ['srtp.so'], account: ';mediaenc=srtp-mand' }
    await expect(call({ srtp: 'optional' }, only)).rejects.toThrow('488')
  })

  it('is encrypted in Opus too', async () => {
    const { leg, last } = await call(
      { srtp: 'required', codecs: ['opus'] },
      { modules: ['srtp.so', 'opus.so'], account: ';mediaenc=srtp-mand' },
    )
    const heard = await talk(leg)
    expect(heard.theirs).toBeGreaterThan(5000)
    expect(await last()).toMatchObject({
      codec: 'opus',
      encrypted: true,
      packetsUnauthentic: PLAIN_BYE,
    })
  })

  it('is refused where the trunk says required and baresip has no encryption', async () => {
    await expect(call({ srtp: 'required' })).rejects.toThrow(/failed|rejected|trunk_error/)
  })

  it.each([10, 30, 60])('goes both ways in packets of %i ms', async (ptime) => {
    const { leg, baresip } = await call({}, { account: `;ptime=${ptime}` })
    const heard = await talk(leg)
    await baresip.stop()
    expect(heard.theirs).toBeGreaterThan(5000)
    expect(steadyAmplitudeAt(baresip.heard().subarray(6000, 12_000), 440)).toBeGreaterThan(5000)
  })

  it('has the reports of both sides', async () => {
    const { leg, last } = await call({})
    await sleep(11_000)
    await leg.hangup()
    const stats = await last()
    expect(stats?.remote).not.toBeNull()
    expect(stats?.remote?.packetsLost).toBe(0)
    expect(stats?.remote?.roundTripMs).toBeLessThan(200)
  })

  it('is pressed keys that baresip takes', async () => {
    const { leg, baresip } = await call({})
    await sleep(500)
    await leg.sendDigits('12#')
    await sleep(500)
    await leg.hangup()
    for (const key of '12#') expect(baresip.output()).toContain(`received event: '${key}'`)
  })
})
