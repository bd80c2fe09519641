import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, HOOK_URL, NUMBER, type SeenCall } from '../kit/app.ts'

const start = appForEachTest()
const HOUR = 3_600_000
const outcome = (call: SeenCall) => [call.status, call.endReason]

describe('after a crash', () => {
  it('an answered call gets its BYE, is billed to its last heartbeat and keeps its turns', async () => {
    const app = await start({ settings: { 'billing.cents_per_minute': 60 } })
    const { secret } = await app.hook()
    app.trunk.phone(NUMBER, { says: [{ at: 3000, ms: 900, text: 'What would you like?' }] })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    await app.run(13_900)
    await app.kill()
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200'])
    await app.restart(HOUR)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    const call = await app.call(id)
    expect(outcome(call)).toEqual(['failed', 'interrupted'])
    expect(call).toMatchObject({ duration: 10, cost: 10, summary: null })
    expect(call.transcript.slice(0, 2)).toEqual([
      { role: 'agent', text: 'Hi.' },
      { role: 'human', text: 'What would you like?' },
    ])
    expect(await app.balance()).toBe(490)
    await app.run(1000)
    expect(app.receiver.posts.map((post) => post.call)).toMatchObject([
      { id, status: 'failed', endReason: 'interrupted', transcript: call.transcript, cost: 10 },
    ])
    expect(secret).toMatch(/^whsec_/)
  })

  it('an answered call without a heartbeat yet costs nothing', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    await app.run(1000)
    await app.kill()
    await app.restart(1000)
    expect(await app.call(id)).toMatchObject({ endReason: 'interrupted', duration: 0, cost: 0 })
    expect(await app.balance()).toBe(500)
  })

  it('a call that rang gets its CANCEL', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { answersAfter: 40_000 })
    const id = await app.place()
    await app.reaches(id, 'ringing')
    await app.kill()
    await app.restart(1000)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', 'CANCEL'])
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
  })

  it('a call whose INVITE nobody had answered gets its CANCEL too', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { ringsAfter: 30_000, answersAfter: 40_000 })
    const id = await app.place()
    await app.run(100)
    await app.kill()
    await app.restart(1000)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', 'CANCEL'])
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
  })

  it('a call that was answered between gets its BYE', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { answersAfter: 5000 })
    const id = await app.place()
    await app.reaches(id, 'ringing')
    await app.kill()
    await app.restart(10_000)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
  })

  it('a call gets its BYE also when the process that was to send it crashes too', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    await app.kill()
    // The phone does not hear what the second process sends.
    const { recover } = app.trunk
    app.trunk.recover = () => new Promise(() => {})
    await app.restart(1000)
    const settled = await app.call(id)
    expect(outcome(settled)).toEqual(['failed', 'interrupted'])
    await app.kill()
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200'])
    app.trunk.recover = recover
    await app.restart(1000)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    // It is ended, not settled again.
    expect(await app.call(id)).toEqual(settled)
    let again = 0
    app.trunk.recover = async () => void again++
    await app.kill()
    await app.restart(1000)
    expect(again).toBe(0)
  })

  it('what cannot be ended is tried for ten minutes and no longer', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    let tries = 0
    app.trunk.recover = () => {
      tries++
      return new Promise(() => {})
    }
    for (const after of [1000, 300_000, 600_000]) {
      await app.kill()
      await app.restart(after)
    }
    expect(tries).toBe(2)
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
  })

  it('what was stored and cannot be read is given up at once', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    let tries = 0
    app.trunk.recover = async () => {
      tries++
      throw new Error('its stored SIP state cannot be read')
    }
    for (const after of [1000, 1000]) {
      await app.kill()
      await app.restart(after)
    }
    expect(tries).toBe(1)
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
    expect((await app.post()).status).toBe(201)
  })

  it('no interrupted call is dialled again, and its number is free for another', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    await app.kill()
    await app.restart(1000)
    await app.run(2 * HOUR)
    expect(app.placed(id)).toHaveLength(1)
    expect((await app.post()).status).toBe(201)
  })

  it('a call that was accepted and not dialled is dialled, once', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const first = await app.place({ phoneNumber: '+15557654321' })
    const id = await app.place()
    await app.reaches(first, 'in_progress')
    await app.kill()
    await app.restart(1000)
    expect(outcome(await app.ended(id))).toEqual(['completed', 'agent_hangup'])
    expect(app.placed(id)).toHaveLength(1)
    expect(outcome(await app.call(first))).toEqual(['failed', 'interrupted'])
  })

  it('a delivery whose answer was never recorded is sent again under the same id, byte for byte', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place()
    app.receiver.answer = () => ({ status: 204, ms: 5000 })
    await app.ended(id)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(1)
    await app.kill()
    await app.restart(60_000)
    await app.run(10_000)
    const [first, second, third] = app.receiver.posts
    expect(third).toBeUndefined()
    expect([second?.delivery, second?.body]).toEqual([first?.delivery, first?.body])
    expect(Number(second?.timestamp) - Number(first?.timestamp)).toBeGreaterThanOrEqual(60)
  })

  it('a backlog of deliveries goes out at its due times, at most four at once to one webhook', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 20, 'calls.per_second': 100 } })
    await app.hook()
    for (let i = 0; i < 20; i++) {
      const phoneNumber = `+1555200${String(i).padStart(4, '0')}`
      app.trunk.phone(phoneNumber, { status: 486, answersAfter: 1000 })
      await app.place({ phoneNumber })
    }
    app.receiver.answer = () => ({ status: 204, ms: 3000 })
    await app.run(1300)
    await app.kill()
    await app.restart(1000)
    await app.run(30_000)
    expect(app.receiver.mostOpen).toBe(4)
    expect(new Set(app.receiver.posts.map(({ call }) => call.id)).size).toBe(20)
  })

  it('a retry that was due later stays due at its time', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.trunk.phone(NUMBER, { status: 486 })
    app.receiver.answer = () => 500
    await app.ended(await app.place())
    await app.run(100)
    const log = await app.ask<{ data: { nextAttemptAt: string }[] }>(
      'GET',
      `/webhooks/${id}/deliveries`,
    )
    const due = Date.parse(log.data[0]?.nextAttemptAt ?? '')
    await app.kill()
    await app.restart(2000)
    await app.run(30_000)
    expect(app.receiver.to(HOOK_URL)[1]?.at).toBe(due)
  })

  it.each([1, 2, 3])(
    'at any moment, each accepted call is dialled at most once and told of (%i)',
    async (seed) => {
      const app = await start({ settings: { 'calls.max_concurrent': 3, 'calls.per_second': 50 } })
      await app.hook()
      const ids: string[] = []
      for (let round = 0; round < 12; round++) {
        for (let i = 0; i < 3; i++) {
          const phoneNumber = `+155540000${(round % 3) * 3 + i}`
          app.trunk.phone(phoneNumber, { hangsUpAfter: 4000, answersAfter: 800 + 300 * i })
          const answer = await app.post({ phoneNumber })
          if (answer.status === 201) ids.push((answer.json as { id: string }).id)
        }
        await app.run((round * 937 * seed) % 6100)
        await app.kill()
        await app.restart(300)
      }
      for (const id of ids) {
        await app.ended(id, 300_000)
        expect(app.placed(id).length).toBeLessThanOrEqual(1)
      }
      await app.run(60_000)
      for (const id of ids) {
        const told = app.receiver.posts.filter(({ call }) => call.id === id)
        expect(new Set(told.map(({ delivery }) => delivery)).size).toBe(1)
      }
      // No phone is left ringing or answered.
      for (const { ladder } of app.trunk.placed)
        expect(['BYE', 'BYE from them', 'CANCEL', '487']).toContain(ladder.at(-1))
    },
  )
})
