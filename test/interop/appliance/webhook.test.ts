import { describe, expect, it } from 'vitest'
import { CALLEE } from '../../kit/appliance.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { OUR_NUMBER } from '../../kit/landline-toml.ts'
import { type Road, startRoad } from '../../kit/road.ts'
import { isSigned, startReceiver } from '../../kit/webhook-receiver.ts'

const end = endAfterEach()

async function setup(): Promise<Road> {
  const road = await startRoad(end)
  road.phone.plan = () => ({ hangUp: 200 })
  return road
}

describe("the executable's webhook", () => {
  it('comes over HTTPS under a private CA, signed, with the settled call', async () => {
    const { appliance, receiver, secret } = await setup()
    const id = await appliance.call({ name: "Joe's Pizza", metadata: { order: '7' } })
    const [post] = await receiver.wait(id)
    if (!post) throw new Error('no post')
    expect(isSigned(post, secret)).toBe(true)
    expect(isSigned(post, `${secret}x`)).toBe(false)
    expect(post.headers.get('x-mio-event')).toBe('call.completed')
    expect(post.delivery).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
    expect(Math.abs(Number(post.headers.get('x-mio-timestamp')) * 1000 - post.at)).toBeLessThan(
      2_000,
    )
    const call = await appliance.row(id)
    expect(post.call).toMatchObject({
      id,
      direction: 'outbound',
      status: 'completed',
      endReason: 'human_hangup',
      name: "Joe's Pizza",
      toNumber: CALLEE,
      fromNumber: OUR_NUMBER,
      instructions: 'Say hello.',
      metadata: { order: '7' },
      attempt: 1,
      cost: call.cost,
      duration: call.duration,
      transcript: call.transcript,
      summary: call.summary,
      startedAt: call.startedAt,
      endedAt: call.endedAt,
      createdAt: call.createdAt,
    })
  })

  it('comes again after a 500: the same delivery and body, signed anew', async () => {
    const { appliance, receiver, secret } = await setup()
    receiver.answer = () => (receiver.posts.length === 1 ? 500 : 200)
    const id = await appliance.call()
    const [first, second] = await receiver.wait(id, { count: 2 })
    if (!first || !second) throw new Error('no posts')
    expect(second.delivery).toBe(first.delivery)
    expect(second.body).toBe(first.body)
    expect([first, second].map((post) => isSigned(post, secret))).toEqual([true, true])
    // 300 ms, give or take a tenth.
    expect(second.at - first.at).toBeGreaterThan(250)
    await Bun.sleep(1_200)
    expect(receiver.about(id)).toHaveLength(2)
  })

  it('is not sent to a receiver whose certificate nobody signed for', async () => {
    const { appliance } = await setup()
    const stranger = await startReceiver()
    end(() => stranger.stop())
    const made = await appliance.request('POST', '/api/v1/webhooks', { url: stranger.url })
    const path = `/api/v1/webhooks/${made.body.id}/test`
    const { status, body } = await appliance.request('POST', path)
    expect(status).toBe(200)
    expect(body).toMatchObject({ delivered: false, status: null })
    expect(stranger.posts).toHaveLength(0)
  })
})
