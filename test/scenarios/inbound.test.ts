import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type SeenCall, type TestApp } from '../kit/app.ts'
import { OUR_NUMBER } from '../kit/app-process.ts'
import type { Caller } from '../kit/fake-caller.ts'

const start = appForEachTest()
const CALLER = '+15557654321'
const FIELDS = { instructions: 'Take orders.', firstMessage: "Joe's Pizza, hello." }
const HOUR = 3_600_000

async function configured(
  o: Parameters<typeof start>[0] = {},
  fields: Record<string, unknown> = {},
): Promise<TestApp> {
  const app = await start(o)
  await app.ask('PUT', `/numbers/${OUR_NUMBER}`, { ...FIELDS, ...fields })
  return app
}

function ring(app: TestApp, caller: Partial<Caller> = {}) {
  return app.trunk.callUs({ to: OUR_NUMBER, from: CALLER, ...caller })
}

/** The calls that came in, newest first. */
async function inbound(app: TestApp): Promise<SeenCall[]> {
  return (await app.ask<{ data: SeenCall[] }>('GET', '/calls?direction=inbound')).data
}

/** The one call that came in, once there is one. */
async function newest(app: TestApp): Promise<string> {
  await app.until(async () => (await inbound(app)).length > 0, 5000, 50)
  return (await inbound(app))[0]?.id ?? ''
}

describe('a call to one of our numbers', () => {
  it('rings, is answered with the first message, talked to and reported like any other', async () => {
    const app = await configured({}, { name: "Joe's Pizza", metadata: { shop: '7' } })
    const { secret } = await app.hook(undefined, ['*'])
    const came = ring(app, {
      says: [
        { at: 3000, ms: 900, text: 'A large pepperoni.' },
        { ...GOODBYE, at: 9000 },
      ],
    })
    const call = await app.ended(await newest(app))
    expect(came.ladder).toEqual(['INVITE', '180', '200', 'BYE from us'])
    expect(call).toMatchObject({
      direction: 'inbound',
      status: 'completed',
      endReason: 'agent_hangup',
      toNumber: OUR_NUMBER,
      fromNumber: CALLER,
      instructions: 'Take orders.',
      firstMessage: "Joe's Pizza, hello.",
      name: "Joe's Pizza",
      metadata: { shop: '7' },
      summary: 'A large pepperoni was ordered for seven.',
      cost: 1,
      attempt: 1,
    })
    expect(call.transcript.slice(0, 2)).toEqual([
      { role: 'agent', text: "Joe's Pizza, hello." },
      { role: 'human', text: 'A large pepperoni.' },
    ])
    const statuses = call.events.filter(({ type }) => type === 'status').map((e) => e.status)
    expect(statuses).toEqual(['ringing', 'in_progress', 'completed'])
    await app.run(1000)
    const told = app.receiver.posts.map(({ event, call: sent }) => [event, sent.direction])
    expect(told).toEqual([
      ['call.started', 'inbound'],
      ['call.answered', 'inbound'],
      ['call.completed', 'inbound'],
    ])
    expect(app.receiver.posts.at(-1)?.call).toMatchObject({ id: call.id, fromNumber: CALLER })
    expect(await app.balance()).toBe(499)
    expect(secret).toMatch(/^whsec_/)
  })

  it('is answered once the first message is sound, and hears it at once', async () => {
    const app = await configured()
    const came = ring(app)
    await app.run(3000)
    const [, rang, answered] = came.times
    expect(Number(answered) - Number(rang)).toBeGreaterThan(0)
    expect(came.leg?.played[0]?.from).toBeLessThanOrEqual(100)
  })

  it('is answered all the same when the voice does not make the first message', async () => {
    const app = await configured()
    app.engines.broken.voice = 'hangs'
    const came = ring(app)
    await app.run(5000)
    expect(came.ladder).toEqual(['INVITE', '180', '200'])
  })

  it('without a first message is greeted by the model at once', async () => {
    const app = await configured({}, { firstMessage: null })
    const came = ring(app)
    await app.run(3000)
    expect(came.leg?.played[0]?.from).toBeLessThan(1500)
  })

  it('tells the model that it was called', async () => {
    const app = await configured({}, { name: "Joe's Pizza" })
    ring(app)
    await app.run(1000)
    const prompt = app.engines.warmedUp[0]?.[0]?.content ?? ''
    expect(prompt).toContain("answering the phone for Joe's Pizza")
    expect(prompt).not.toContain('You speak as the caller')
  })

  it('is hung up on by the caller', async () => {
    const app = await configured()
    const came = ring(app, { hangsUpAfter: 4000 })
    const call = await app.ended(await newest(app))
    expect(came.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    expect(call).toMatchObject({ status: 'completed', endReason: 'human_hangup', duration: 4 })
  })

  it('ends at the number’s own maxDuration', async () => {
    const app = await configured({}, { maxDuration: 20 })
    ring(app)
    const call = await app.ended(await newest(app))
    expect(call).toMatchObject({ endReason: 'max_duration', maxDuration: 20 })
  })

  it('costs what a call to the caller would cost, of an unknown one the general rate', async () => {
    const app = await configured({
      settings: { 'billing.cents_per_minute': 2 },
      toml: '[[billing.rates]]\nprefix = "+44"\ncents_per_minute = 60\n',
    })
    ring(app, { from: '+442071234567', hangsUpAfter: 10_000 })
    await app.run(15_000)
    ring(app, { from: 'anonymous', hangsUpAfter: 10_000 })
    await app.run(15_000)
    const calls = await inbound(app)
    expect(calls.map(({ fromNumber, cost }) => [fromNumber, cost])).toEqual([
      ['anonymous', 1],
      ['+442071234567', 10],
    ])
  })

  it('may come beside others to the same number, and beside a call to its caller', async () => {
    const app = await configured()
    const placed = await app.place({ phoneNumber: CALLER })
    await app.reaches(placed, 'in_progress')
    const both = [ring(app), ring(app)]
    await app.run(3000)
    expect(both.map(({ ladder }) => ladder.at(-1))).toEqual(['200', '200'])
    expect((await app.call(placed)).status).toBe('in_progress')
  })

  it('does not keep us from calling that number of ours from another', async () => {
    const app = await configured({
      toml: '[[sip.trunks]]\nhost = "b.example.com"\nnumbers = ["+15550002222"]\n',
    })
    ring(app)
    await app.run(3000)
    expect((await app.post({ phoneNumber: OUR_NUMBER, fromNumber: '+15550002222' })).status).toBe(
      201,
    )
  })

  it('is canceled over the API while it talks', async () => {
    const app = await configured()
    const came = ring(app)
    const id = await newest(app)
    await app.reaches(id, 'in_progress')
    expect((await app.cancel(id)).status).toBe(200)
    expect(await app.ended(id)).toMatchObject({ status: 'completed', endReason: 'canceled' })
    expect(came.ladder.at(-1)).toBe('BYE from us')
  })

  it('is told on its event stream from the ringing on', async () => {
    const app = await configured()
    ring(app, { hangsUpAfter: 3000 })
    const id = await newest(app)
    await app.ended(id)
    const text = await (await app.events(id)).text()
    expect(text).toMatch(/^:\n\nid: 1\nevent: status\ndata: \{"status":"ringing"/)
    expect(text).toContain('event: end')
  })
})

describe('a call that nobody answers', () => {
  it('is no_answer when the caller gives up', async () => {
    const app = await configured()
    await app.hook()
    app.engines.broken.voice = 'hangs'
    const came = ring(app, { givesUpAfter: 1500 })
    const call = await app.ended(await newest(app))
    expect(came.ladder).toEqual(['INVITE', '180', 'CANCEL', '487'])
    expect(call).toMatchObject({
      status: 'no_answer',
      endReason: null,
      sipCode: 487,
      startedAt: null,
      cost: 0,
    })
    await app.run(1000)
    expect(app.receiver.posts.map(({ call: sent }) => sent.status)).toEqual(['no_answer'])
  })

  it('is canceled when the API says so while it rings', async () => {
    const app = await configured()
    app.engines.broken.voice = 'hangs'
    const came = ring(app)
    const id = await newest(app)
    await app.cancel(id)
    expect(await app.ended(id)).toMatchObject({ status: 'canceled', endReason: 'canceled' })
    expect(came.ladder).toEqual(['INVITE', '180', '480'])
  })

  it.each([
    [488, 'rejected'],
    [503, 'trunk_error'],
  ])('fails when all that can be said to it is %i', async (unanswerable, endReason) => {
    const app = await configured()
    ring(app, { unanswerable })
    const call = await app.ended(await newest(app))
    expect(call).toMatchObject({ status: 'failed', endReason, sipCode: unanswerable, cost: 0 })
  })
})

describe('a call that is refused', () => {
  const refused = async (app: TestApp, caller: Partial<Caller> = {}) => {
    const before = (await inbound(app)).length
    const came = ring(app, caller)
    await app.run(1000)
    expect((await inbound(app)).length).toBe(before)
    return came
  }

  it('is 404 for a number that is not configured, or none of ours, without ringing', async () => {
    const app = await start()
    expect((await refused(app)).ladder).toEqual(['INVITE', '404'])
    expect((await refused(app, { to: null })).ladder).toEqual(['INVITE', '404'])
    await app.ask('PUT', `/numbers/${OUR_NUMBER}`, FIELDS)
    await app.send('DELETE', `/api/v1/numbers/${OUR_NUMBER}`)
    expect((await refused(app)).ladder).toEqual(['INVITE', '404'])
  })

  it('is 486 without a free line, which calls of both directions share', async () => {
    const app = await configured({ settings: { 'calls.max_concurrent': 2 } })
    const placed = await app.place()
    await app.reaches(placed, 'in_progress')
    expect(ring(app).ladder).toEqual(['INVITE'])
    await app.run(3000)
    expect((await refused(app)).ladder).toEqual(['INVITE', '486'])
    await app.cancel(placed)
    await app.ended(placed)
    ring(app)
    await app.run(1000)
    expect(await inbound(app)).toHaveLength(2)
  })

  it('holds a line that an outbound call then waits for', async () => {
    const app = await configured({ settings: { 'calls.max_concurrent': 1 } })
    ring(app, { hangsUpAfter: 8000 })
    await app.run(3000)
    const waiting = await app.place()
    await app.run(2000)
    expect((await app.call(waiting)).status).toBe('initiated')
    expect(app.placed(waiting)).toEqual([])
    await app.reaches(waiting, 'in_progress', 20_000)
  })

  it('is 480 when the balance, less holds, does not cover a minute', async () => {
    const app = await configured({ settings: { 'billing.cents_per_minute': 300 } })
    ring(app)
    await app.run(1000)
    expect((await refused(app)).ladder).toEqual(['INVITE', '480'])
  })

  it('is 480 with a time to try again while an engine is away', async () => {
    const app = await configured()
    app.engineIs('away')
    await app.run(10_000)
    const came = await refused(app)
    expect(came.ladder).toEqual(['INVITE', '480'])
    expect(came.retryAfterSeconds).toBe(30)
  })

  it('is 503 while the database cannot be used', async () => {
    const app = await configured()
    app.storageFails((store, method) => store === 'calls' && method === 'receive')
    expect((await refused(app)).ladder).toEqual(['INVITE', '503'])
    app.storageMends()
    ring(app)
    await app.run(1000)
    expect(await inbound(app)).toHaveLength(1)
  })
})

describe('a call that came in, when the appliance goes', () => {
  it('is said goodbye to at a shutdown, and later ones are 503', async () => {
    const app = await configured()
    const came = ring(app)
    const id = await newest(app)
    await app.reaches(id, 'in_progress')
    const ending = app.terminate()
    const late = ring(app)
    expect(late.ladder).toEqual(['INVITE', '503'])
    expect(await ending).toBeLessThanOrEqual(10_000)
    expect(came.ladder.at(-1)).toBe('BYE from us')
    expect(await app.database.calls.get(id)).toMatchObject({
      status: 'completed',
      endReason: 'shutdown',
    })
  })

  it('is canceled by a shutdown while it rings', async () => {
    const app = await configured()
    app.engines.broken.voice = 'hangs'
    const came = ring(app)
    const id = await newest(app)
    await app.terminate()
    expect(came.ladder).toEqual(['INVITE', '180', '503'])
    expect(await app.database.calls.get(id)).toMatchObject({ status: 'canceled', sipCode: 503 })
  })

  it('is hung up and closed as interrupted after a crash, with its turns and its cost', async () => {
    const app = await configured({ settings: { 'billing.cents_per_minute': 60 } })
    const came = ring(app)
    const id = await newest(app)
    await app.reaches(id, 'in_progress')
    await app.run(13_900)
    await app.kill()
    await app.restart(HOUR)
    expect(came.ladder).toEqual(['INVITE', '180', '200', 'BYE from us'])
    const call = await app.call(id)
    expect(call).toMatchObject({
      status: 'failed',
      endReason: 'interrupted',
      duration: 10,
      cost: 10,
    })
    expect(call.transcript[0]).toEqual({ role: 'agent', text: "Joe's Pizza, hello." })
    await app.run(60_000)
    expect(app.trunk.placed).toEqual([])
    ring(app)
    await app.run(1000)
    expect(await inbound(app)).toHaveLength(2)
  })

  it('is hung up also when the crash came between the 200 and the next write', async () => {
    const app = await configured()
    app.storageFails((_, method) => method === 'markAnswered')
    const came = ring(app)
    const id = await newest(app)
    await app.run(2000)
    expect(came.ladder.at(-1)).toBe('200')
    await app.kill()
    await app.restart(1000)
    expect(came.ladder.at(-1)).toBe('BYE from us')
    expect(await app.call(id)).toMatchObject({ endReason: 'interrupted', cost: 0 })
  })

  it('is refused and closed after a crash while it rang', async () => {
    const app = await configured()
    app.engines.broken.voice = 'hangs'
    const came = ring(app)
    const id = await newest(app)
    await app.kill()
    await app.restart(1000)
    expect(await app.call(id)).toMatchObject({ status: 'failed', endReason: 'interrupted' })
    expect(came.ladder).toEqual(['INVITE', '180', '503'])
    const other = await app.place({ phoneNumber: NUMBER })
    await app.reaches(other, 'in_progress')
  })
})
