import { describe, expect, it } from 'vitest'
import { CALLEE, countEnds } from '../../kit/appliance.ts'
import { awaited } from '../../kit/awaited.ts'
import { endAfterEach } from '../../kit/end-after-each.ts'
import { type Road, startRoad } from '../../kit/road.ts'
import { isSigned } from '../../kit/webhook-receiver.ts'

const end = endAfterEach()

/** A cent a second: what a call is billed for can be read off its cost. */
const setup = (): Promise<Road> => startRoad(end, { settings: { 'billing.cents_per_minute': 60 } })

async function restart({ appliance }: Road): Promise<void> {
  await appliance.kill()
  await appliance.start()
}

/** The call has one end, one dialog at most, and its webhook came under one delivery id. */
async function expectOneOfEach(road: Road, id: string): Promise<void> {
  const { appliance, phone, receiver, secret } = road
  const posts = await receiver.wait(id)
  const call = await appliance.row(id)
  expect(countEnds(call)).toBe(1)
  expect(phone.of(call.toNumber).length).toBeLessThanOrEqual(1)
  expect(new Set(posts.map(({ delivery }) => delivery)).size).toBe(1)
  expect(new Set(posts.map(({ body }) => body)).size).toBe(1)
  expect(posts.every((post) => isSigned(post, secret))).toBe(true)
  expect(posts[0]?.call).toMatchObject({ status: call.status, endReason: call.endReason })
}

describe('the executable, killed with SIGKILL and started again,', () => {
  it('right after the 201 rings the number once at most and ends the call', async () => {
    const road = await setup()
    road.phone.plan = () => ({ hangUp: 200 })
    const id = await road.appliance.call()
    await restart(road)
    const call = await road.appliance.ended(id)
    expect(['completed', 'failed']).toContain(call.status)
    if (call.status === 'failed') expect(call.endReason).toBe('interrupted')
    await expectOneOfEach(road, id)
  })

  it('while it rings cancels the call and closes it as interrupted, for nothing', async () => {
    const road = await setup()
    road.phone.plan = () => ({ answer: null })
    const id = await road.appliance.call()
    await road.appliance.until(id, ({ status }) => status === 'ringing')
    await restart(road)
    const call = await road.appliance.ended(id)
    expect(call).toMatchObject({ status: 'failed', endReason: 'interrupted', cost: 0 })
    await awaited('a CANCEL', 3_000, () => road.phone.dialogs[0]?.state === 'canceled')
    await expectOneOfEach(road, id)
  })

  it('before it hears the answer acknowledges that and hangs up', async () => {
    const road = await setup()
    const killed = Promise.withResolvers<void>()
    road.phone.plan = () => {
      void road.appliance.kill().then(killed.resolve)
      return { ring: 100, answer: 100 }
    }
    const id = await road.appliance.call()
    await killed.promise
    await awaited('the answer', 2_000, () => road.phone.dialogs[0]?.state === 'answered')
    await road.appliance.start()
    const call = await road.appliance.ended(id)
    expect(call).toMatchObject({ status: 'failed', endReason: 'interrupted', cost: 0 })
    await awaited('a BYE', 6_000, () => road.phone.dialogs[0]?.endedBy === 'them')
    await expectOneOfEach(road, id)
  })

  it('during the call hangs up, and bills it to the last heartbeat, with what was said', async () => {
    const road = await setup()
    const id = await road.appliance.call({ firstMessage: 'Hello, this is a test.' })
    const { startedAt } = await road.appliance.answered(id)
    await Bun.sleep(6_500)
    const killedAt = Date.now()
    await restart(road)
    const call = await road.appliance.ended(id)
    const lasted = killedAt - Date.parse(String(startedAt))
    expect(call).toMatchObject({
      status: 'failed',
      endReason: 'interrupted',
      transcript: [{ role: 'agent', text: 'Hello, this is a test.' }],
    })
    // One heartbeat was stored, five seconds after the answer.
    expect(call.duration).toBeGreaterThanOrEqual(5)
    expect(call.duration).toBeLessThanOrEqual(6)
    expect(call.duration * 1_000).toBeLessThan(lasted)
    expect(call.cost).toBe(call.duration)
    const me = await road.appliance.request('GET', '/api/v1/me')
    expect(me.body.balance).toBe(500 - call.cost)
    await awaited('a BYE', 3_000, () => road.phone.dialogs[0]?.endedBy === 'them')
    await expectOneOfEach(road, id)
  })

  it('before the receiver answers sends the webhook again under the same delivery', async () => {
    const road = await setup()
    road.phone.plan = () => ({ hangUp: 200 })
    road.receiver.answer = () =>
      road.receiver.posts.length === 1 ? new Promise<number>(() => {}) : 200
    const id = await road.appliance.call()
    await road.receiver.wait(id)
    await restart(road)
    await road.receiver.wait(id, { count: 2 })
    expect(await road.appliance.row(id)).toMatchObject({ status: 'completed' })
    await expectOneOfEach(road, id)
    await Bun.sleep(1_000)
    expect(road.receiver.about(id)).toHaveLength(2)
  })

  it('before its time places a scheduled call, also one that came due meanwhile, once', async () => {
    const road = await setup()
    road.phone.plan = () => ({ hangUp: 200 })
    const due = Date.now() + 2_500
    const [early, late] = [new Date(due).toISOString(), new Date(due + 2_000).toISOString()]
    const ids = [
      await road.appliance.call({ callAt: early }),
      await road.appliance.call({ callAt: late, phoneNumber: '+15551234568' }),
    ]
    await road.appliance.kill()
    await Bun.sleep(due + 300 - Date.now())
    expect(road.phone.dialogs).toEqual([])
    await road.appliance.start()
    for (const id of ids) {
      expect(await road.appliance.ended(id)).toMatchObject({ status: 'completed' })
      await expectOneOfEach(road, id)
    }
    const rung = road.phone.dialogs.map(({ number }) => number)
    expect(rung.sort()).toEqual([CALLEE, '+15551234568'])
  })
})
