import { describe, expect, it } from 'vitest'
import { FRAME_MS, rms } from '../../../src/core/pcm.ts'
import { decodeG711, pcmu } from '../../../src/telephony/codecs/g711.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { startRoad } from '../../kit/road.ts'
import type { Peer } from '../../kit/rtp-peer.ts'

const end = endAfterEach()

/** How long something was to be heard after `from`, in ms. */
function heardSince({ packets }: Peer, from: number): number {
  const loud = packets.filter(
    ({ at, payloadType, payload }) =>
      at > from && payloadType === 0 && rms(decodeG711(pcmu, payload)) > 200,
  )
  return loud.length * FRAME_MS
}

describe('the executable, asked to stop with SIGTERM,', () => {
  it('says goodbye, hangs up, sends or keeps the webhook, and exits with 0 within 10 s', async () => {
    const { appliance, phone, receiver } = await startRoad(end)
    const id = await appliance.call()
    await appliance.answered(id)
    await Bun.sleep(1_500)
    const asked = performance.now()
    const stopping = appliance.terminate()
    await Bun.sleep(200)
    const refused = await appliance
      .request('POST', '/api/v1/calls', { phoneNumber: '+15551230000', instructions: 'Too late.' })
      .catch(() => ({ status: 503 }))
    expect(refused.status).toBe(503)
    const { code, ms } = await stopping
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_000)
    expect(heardSince(phone.sound, asked)).toBeGreaterThan(1_000)
    expect(phone.dialogs).toMatchObject([{ endedBy: 'them', byes: 1 }])

    await appliance.start()
    const [post] = await receiver.wait(id)
    expect(post?.call).toMatchObject({ status: 'completed', endReason: 'shutdown' })
    expect(await appliance.row(id)).toMatchObject({ status: 'completed', endReason: 'shutdown' })
    expect(new Set(receiver.about(id).map(({ delivery }) => delivery)).size).toBe(1)
  })

  it('while it rings cancels the call', async () => {
    const { appliance, phone, receiver } = await startRoad(end)
    phone.plan = () => ({ answer: null })
    const id = await appliance.call()
    await appliance.until(id, ({ status }) => status === 'ringing')
    const { code, ms } = await appliance.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_000)
    expect(phone.dialogs).toMatchObject([{ state: 'canceled' }])
    await appliance.start()
    expect(await appliance.row(id)).toMatchObject({ status: 'canceled', endReason: 'canceled' })
    await receiver.wait(id)
  })

  it('exits with 0 within 10 s although a receiver hangs and nobody confirms the BYE', async () => {
    const { appliance, phone, receiver } = await startRoad(end)
    receiver.answer = () => new Promise(() => {})
    phone.plan = () => ({ hangUp: 100 })
    const first = await appliance.call()
    await appliance.ended(first)
    await receiver.wait(first)
    phone.plan = () => ({})
    const second = await appliance.call()
    await appliance.answered(second)
    phone.close()
    const { code, ms } = await appliance.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_000)
    receiver.answer = () => 200
    await appliance.start()
    expect(await appliance.row(second)).toMatchObject({ status: 'completed' })
    const posts = await receiver.wait(first, { count: 2 })
    expect(new Set(posts.map(({ delivery }) => delivery)).size).toBe(1)
  })

  it('with nothing to do exits with 0 at once, and leaves a scheduled call for later', async () => {
    const { appliance, phone } = await startRoad(end)
    phone.plan = () => ({ hangUp: 100 })
    const id = await appliance.call({ callAt: new Date(Date.now() + 2_000).toISOString() })
    const { code, ms } = await appliance.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(2_000)
    await appliance.start()
    expect(await appliance.ended(id)).toMatchObject({ status: 'completed' })
  })
})
