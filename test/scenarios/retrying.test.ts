import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type SeenCall, type TestApp } from '../kit/app.ts'

const start = appForEachTest()
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const retry = { maxAttempts: 3, delaySeconds: 300 }
const BUSY = { status: 486, answersAfter: 1000 }

const outcome = (call: SeenCall) => [call.status, call.endReason, call.attempt, call.sipCode]
const statuses = (call: SeenCall) =>
  call.events.filter(({ type }) => type === 'status').map(({ status }) => status)

/** A call of three attempts whose first found the number busy. */
async function busyOnce(o: Parameters<typeof start>[0] = {}, fields: object = {}) {
  const app = await start(o)
  await app.hook()
  app.trunk.phone(NUMBER, BUSY)
  const id = await app.place({ retry, ...fields })
  await app.reaches(id, 'scheduled')
  return { app, id }
}

/** Its end was told once, as it is. */
async function told(app: TestApp, call: SeenCall): Promise<void> {
  await app.run(MINUTE)
  const posts = app.receiver.posts.filter(
    (post) => post.event === 'call.completed' && post.call.id === call.id,
  )
  expect(posts.map((post) => [post.call.status, post.call.attempt])).toEqual([
    [call.status, call.attempt],
  ])
}

describe('a call with retry', () => {
  it('is tried again until it is answered, and told of once', async () => {
    const { app, id } = await busyOnce()
    const first = app.placed(id)[0]?.at ?? 0
    const waiting = await app.call(id)
    expect(waiting).toMatchObject({ attempt: 2, sipCode: 486, endedAt: null, retry })
    expect(Date.parse(waiting.callAt ?? '')).toBe(first + 1000 + 300_000)
    await app.run(2 * MINUTE)
    expect(app.placed(id)).toHaveLength(1)
    await app.until(() => app.placed(id).length === 2, 4 * MINUTE)
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const call = await app.ended(id, 10 * MINUTE)
    expect(outcome(call)).toEqual(['completed', 'agent_hangup', 3, null])
    expect(app.placed(id).map(({ ladder }) => ladder[2])).toEqual(['486', '486', '200'])
    const times = app.placed(id).map(({ at }) => at - first)
    for (const [i, at] of times.entries()) {
      expect(at).toBeGreaterThanOrEqual(i * 301_000)
      expect(at).toBeLessThan(i * 301_000 + 2000)
    }
    const attempt = ['initiated', 'ringing', 'scheduled']
    expect(statuses(call)).toEqual([
      ...attempt,
      ...attempt,
      ...['initiated', 'ringing', 'in_progress', 'completed'],
    ])
    const again = call.events.filter(({ status }) => status === 'scheduled')
    expect(again).toMatchObject([
      { attempt: 2, reason: '486', callAt: waiting.callAt },
      { attempt: 3, reason: '486' },
    ])
    await told(app, call)
    expect(await app.balance()).toBe(500 - call.cost)
  })

  it('ends as busy when its last attempt is, and says how often it was tried', async () => {
    const { app, id } = await busyOnce({}, { retry: { maxAttempts: 2, delaySeconds: 60 } })
    const call = await app.ended(id, 5 * MINUTE)
    expect(outcome(call)).toEqual(['busy', null, 2, 486])
    expect(call.events.at(-1)).toMatchObject({ status: 'busy', endReason: null, reason: '486' })
    await told(app, call)
    await app.run(2 * HOUR)
    expect(app.placed(id)).toHaveLength(2)
  })

  it.each([
    ['no answer', { status: 480 }, 'no_answer', null],
    ['ringing for too long', { answersAfter: null }, 'no_answer', null],
    ['a trunk that refuses', { status: 503 }, 'failed', 'trunk_error'],
    ['a trunk that is silent', { dead: 'silent' }, 'failed', 'trunk_error'],
    ['a socket that is refused', { dead: 'refused' }, 'failed', 'trunk_error'],
  ] as const)('is tried again after %s', async (_, phone, status, endReason) => {
    const app = await start()
    app.trunk.phone(NUMBER, phone)
    const id = await app.place({ retry: { maxAttempts: 2, delaySeconds: 60 } })
    const call = await app.ended(id, 10 * MINUTE)
    expect(outcome(call).slice(0, 3)).toEqual([status, endReason, 2])
    expect(app.placed(id)).toHaveLength(2)
  })

  it.each([302, 403, 404, 603])('is not tried again after %i', async (status) => {
    const app = await start()
    app.trunk.phone(NUMBER, { status })
    const call = await app.ended(await app.place({ retry }))
    expect(outcome(call)).toEqual(['failed', 'rejected', 1, status])
    await app.run(HOUR)
    expect(app.trunk.placed).toHaveLength(1)
  })

  it('is not tried again when nobody knows what became of its INVITE', async () => {
    const app = await start()
    const { dial } = app.trunk
    app.trunk.dial = async (request) => {
      await dial({ ...request, signal: AbortSignal.abort() })
      return { failed: 'trunk_error', sipCode: null, reason: 'connection lost', unknown: true }
    }
    const call = await app.ended(await app.place({ retry }))
    expect(outcome(call)).toEqual(['failed', 'trunk_error', 1, null])
  })

  it('is tried once where nothing else was asked for', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, BUSY)
    for (const fields of [{}, { retry: null }, { retry: {} }, { retry: { delaySeconds: 60 } }]) {
      const call = await app.ended(await app.place(fields))
      expect(outcome(call)).toEqual(['busy', null, 1, 486])
    }
    await app.run(HOUR)
    expect(app.trunk.placed).toHaveLength(4)
  })

  it('shows retry in the answer where it was given, and always in the call', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, BUSY)
    const plain = await app.post()
    expect(plain.json).not.toHaveProperty('retry')
    const { id } = plain.json as { id: string }
    expect(await app.ended(id)).toMatchObject({ retry: { maxAttempts: 1, delaySeconds: 300 } })
    const given = await app.post({ retry: { maxAttempts: 2 } })
    expect(given.json).toMatchObject({ retry: { maxAttempts: 2, delaySeconds: 300 } })
  })

  it('tells of each attempt that rings', async () => {
    const app = await start()
    await app.hook(undefined, ['*'])
    app.trunk.phone(NUMBER, BUSY)
    const id = await app.place({ retry: { maxAttempts: 2, delaySeconds: 60 } })
    await app.ended(id, 5 * MINUTE)
    await app.run(MINUTE)
    expect(app.receiver.posts.map(({ event, call }) => [event, call.attempt])).toEqual([
      ['call.started', 1],
      ['call.started', 2],
      ['call.completed', 2],
    ])
  })

  it('answers its Idempotency-Key as before, whatever became of it', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, BUSY)
    const headers = { 'idempotency-key': 'k' }
    const first = await app.post({ retry }, headers)
    const { id } = first.json as { id: string }
    await app.reaches(id, 'scheduled')
    const again = await app.post({ retry }, headers)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    await app.run(HOUR)
    expect(app.placed(id)).toHaveLength(3)
  })
})

describe('between the attempts of a call', () => {
  it('another call to the number may be made, and the next attempt waits for its end', async () => {
    const { app, id } = await busyOnce()
    await app.run(298_000)
    app.trunk.phone(NUMBER, { hangsUpAfter: 30_000 })
    const other = await app.place()
    await app.reaches(other, 'in_progress')
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    await app.run(20_000)
    expect((await app.call(id)).status).toBe('scheduled')
    expect(app.placed(id)).toHaveLength(1)
    const call = await app.ended(id)
    expect(outcome(call)).toEqual(['completed', 'agent_hangup', 2, null])
    const [, second] = app.placed(id)
    expect(second?.at).toBeGreaterThanOrEqual(Date.parse((await app.call(other)).endedAt ?? ''))
  })

  it('nothing is held: the balance is free for another call', async () => {
    const { app } = await busyOnce({
      settings: { 'billing.initial_credit': 1, 'billing.cents_per_minute': 1 },
    })
    expect((await app.post({ phoneNumber: '+15557654321' })).status).toBe(201)
  })

  it('cancelling ends it at once, and nobody is rung again', async () => {
    const { app, id } = await busyOnce()
    const answer = await app.cancel(id)
    expect(answer.json).toMatchObject({ status: 'canceled', endReason: 'canceled', sipCode: 486 })
    const call = await app.call(id)
    await told(app, call)
    await app.run(HOUR)
    expect(app.placed(id)).toHaveLength(1)
    expect((await app.cancel(id)).status).toBe(409)
  })

  it('a cancel that comes while the next attempt is put down ends it too', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, BUSY)
    const id = await app.place({ retry })
    await app.run(999)
    const asked: Promise<{ status: number }>[] = []
    app.storageFails((_, method) => {
      if (method === 'scheduleRetry') asked.push(app.cancel(id))
      return false
    })
    await app.run(1)
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200])
    const call = await app.ended(id)
    expect(call.status).toBe('canceled')
    await told(app, call)
    await app.run(HOUR)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('its length is kept while the disk is full, and it is dialled once there is room', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, BUSY)
    const id = await app.place({ retry: { maxAttempts: 2, delaySeconds: 60 } })
    app.storageFails((_, method) => method === 'scheduleRetry')
    await app.run(10_000)
    expect((await app.call(id)).status).toBe('ringing')
    app.storageMends()
    await app.reaches(id, 'scheduled')
    expect(outcome(await app.ended(id, 5 * MINUTE))).toEqual(['busy', null, 2, 486])
    expect(app.placed(id)).toHaveLength(2)
  })
})

describe('the next attempt of a call', () => {
  it('is missed when it comes later than calls.max_lateness', async () => {
    const { app, id } = await busyOnce()
    await app.kill()
    await app.restart(HOUR)
    const call = await app.ended(id)
    expect(outcome(call)).toEqual(['failed', 'missed', 2, 486])
    await told(app, call)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('comes after a restart, when it is due', async () => {
    const { app, id } = await busyOnce()
    const due = Date.parse((await app.call(id)).callAt ?? '')
    await app.kill()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    await app.restart(MINUTE)
    const call = await app.ended(id, HOUR)
    expect(outcome(call)).toEqual(['completed', 'agent_hangup', 2, null])
    expect(app.placed(id)).toHaveLength(2)
    expect(app.placed(id)[1]?.at).toBeGreaterThanOrEqual(due)
    await told(app, call)
  })

  it('also comes after a shutdown and a start', async () => {
    const { app, id } = await busyOnce()
    await app.terminate()
    await app.restart(MINUTE)
    await app.until(() => app.placed(id).length === 2, HOUR)
  })

  it('is refused when the dial policy has come to block the number', async () => {
    const { app, id } = await busyOnce()
    await app.kill()
    await app.restart(0, { 'calls.blocked_prefixes': '+1555' })
    const call = await app.ended(id, HOUR)
    expect(outcome(call).slice(0, 3)).toEqual(['failed', 'rejected', 2])
    expect(call.events.at(-1)).toMatchObject({
      reason: 'Numbers that begin with +1555 are blocked by calls.blocked_prefixes.',
    })
    expect(app.placed(id)).toHaveLength(1)
  })

  it('is not made when the balance is gone', async () => {
    const { app, id } = await busyOnce({
      settings: { 'billing.initial_credit': 2, 'billing.cents_per_minute': 2 },
    })
    const other = '+15557654321'
    app.trunk.phone(other, { hangsUpAfter: 30_000 })
    await app.ended(await app.place({ phoneNumber: other }))
    await app.run(MINUTE)
    const call = await app.ended(id, HOUR)
    expect(outcome(call).slice(0, 3)).toEqual(['failed', 'out_of_balance', 2])
    await told(app, call)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('rings nobody while an engine is away', async () => {
    const { app, id } = await busyOnce()
    app.engineIs('away')
    await app.run(6 * MINUTE)
    expect(app.placed(id)).toHaveLength(1)
    app.engineIs('ready')
    await app.until(() => app.placed(id).length === 2, MINUTE)
  })
})

describe('a crash in an attempt', () => {
  it.each([1, 2])('is the end of the call, whatever attempts are left (%i)', async (attempt) => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { ...BUSY, answersAfter: 5000 })
    const id = await app.place({ retry })
    await app.until(() => app.placed(id).length === attempt, HOUR)
    await app.reaches(id, 'ringing')
    await app.kill()
    await app.restart(1000)
    const call = await app.ended(id)
    expect(outcome(call)).toEqual(['failed', 'interrupted', attempt, null])
    expect(call.events.at(-1)?.reason).toBe('the appliance stopped while the call was under way')
    await told(app, call)
    await app.run(2 * HOUR)
    expect(app.placed(id)).toHaveLength(attempt)
  })

  it('while it was told that the phone is busy does not ring it twice for one attempt', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, BUSY)
    const id = await app.place({ retry })
    app.storageFails((_, method) => method === 'scheduleRetry')
    await app.run(5000)
    await app.kill()
    await app.restart(1000)
    expect(outcome(await app.ended(id)).slice(0, 3)).toEqual(['failed', 'interrupted', 1])
    await app.run(HOUR)
    expect(app.placed(id)).toHaveLength(1)
  })

  it.each([1, 2, 3])(
    'at any moment leaves no number rung more often than asked (%i)',
    async (seed) => {
      const app = await start({ settings: { 'calls.per_second': 50 } })
      await app.hook()
      app.trunk.phone(NUMBER, { ...BUSY, answersAfter: 900 })
      const ids: string[] = []
      for (let round = 0; round < 10; round++) {
        const answer = await app.post({ retry: { maxAttempts: 3, delaySeconds: 60 } })
        if (answer.status === 201) ids.push((answer.json as { id: string }).id)
        await app.run((round * 7919 * seed) % 61_700)
        await app.kill()
        await app.restart(200)
      }
      expect(ids.length).toBeGreaterThan(3)
      for (const id of ids) {
        const call = await app.ended(id, HOUR)
        expect(app.placed(id).length).toBeLessThanOrEqual(call.attempt)
        expect(call.attempt).toBeLessThanOrEqual(3)
      }
      await app.run(MINUTE)
      for (const id of ids) {
        const ends = app.receiver.posts.filter(({ call }) => call.id === id)
        expect(new Set(ends.map(({ delivery }) => delivery)).size).toBe(1)
      }
    },
  )
})
