import { describe, expect, it } from 'vitest'
import { appForEachTest, NUMBER, type SeenCall, type TestApp } from '../kit/app.ts'

const start = appForEachTest()

/** Cancels, and sees that the call ends as canceled, told once to the webhook. */
async function cancelAndSee(app: TestApp, id: string): Promise<SeenCall> {
  const answer = await app.cancel(id)
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ id })
  const call = await app.ended(id, 10_000)
  await app.run(20_000)
  expect(app.receiver.posts.map((post) => [post.call.id, post.call.endReason])).toEqual([
    [id, 'canceled'],
  ])
  return call
}

describe('cancelling a call', () => {
  it('that is scheduled ends it at once, and it is never dialled', async () => {
    const app = await start()
    await app.hook()
    const id = await app.place({ callAt: '2026-03-21T18:30:00Z' })
    const answer = await app.cancel(id)
    expect(answer.json).toMatchObject({ id, status: 'canceled', endReason: 'canceled' })
    await app.run(25 * 3_600_000)
    expect(app.trunk.placed).toEqual([])
    expect(app.receiver.posts).toHaveLength(1)
    expect(app.receiver.posts[0]?.call).toMatchObject({ status: 'canceled', cost: 0, duration: 0 })
  })

  it('that waits for a line ends it at once', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    await app.place({ phoneNumber: '+15557654321' })
    await app.hook()
    const id = await app.place()
    const call = await cancelAndSee(app, id)
    expect(call.status).toBe('canceled')
    expect(app.placed(id)).toEqual([])
  })

  it('that waits for another call to its number ends it at once', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { answersAfter: 40_000 })
    await app.place()
    await app.hook()
    const id = await app.place({ callAt: '2026-03-20T18:30:05Z' })
    await app.run(10_000)
    const call = await cancelAndSee(app, id)
    expect(call.status).toBe('canceled')
    expect(app.placed(id)).toEqual([])
  })

  it('that rings sends CANCEL, and the call is canceled', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { answersAfter: 30_000 })
    const id = await app.place()
    await app.reaches(id, 'ringing')
    const call = await cancelAndSee(app, id)
    expect([call.status, call.cost]).toEqual(['canceled', 0])
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', 'CANCEL', '487'])
  })

  it('that does not ring yet sends CANCEL too', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { ringsAfter: 5000, answersAfter: 9000 })
    const id = await app.place()
    await app.run(1000)
    expect((await app.call(id)).status).toBe('initiated')
    expect((await cancelAndSee(app, id)).status).toBe('canceled')
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', 'CANCEL', '487'])
  })

  it('that is in progress hangs up without a goodbye: it is completed, with reason canceled', async () => {
    const app = await start()
    await app.hook()
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    await app.run(4000)
    const call = await cancelAndSee(app, id)
    expect([call.status, call.endReason, call.cost]).toEqual(['completed', 'canceled', 1])
    expect(call.transcript).toEqual([{ role: 'agent', text: 'Hi.' }])
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
  })

  it('that has ended is 409, and changes nothing', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place()
    const before = await app.ended(id)
    const answer = await app.cancel(id)
    expect(answer.status).toBe(409)
    expect(answer.json).toMatchObject({ code: 'conflict' })
    expect(await app.call(id)).toEqual(before)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(1)
  })

  it('that never was is 404', async () => {
    const app = await start()
    expect((await app.cancel('0195b1a0-0000-7000-8000-000000000001')).status).toBe(404)
  })

  it('twice is once', async () => {
    const app = await start()
    await app.hook()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    const answers = await Promise.all([app.cancel(id), app.cancel(id), app.cancel(id)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await app.ended(id)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(1)
    expect(app.placed(id)[0]?.ladder.filter((message) => message === 'BYE')).toHaveLength(1)
  })

  it.each([0, 1, 2, 3, 4, 5])(
    'in any moment between its acceptance and its INVITE leaves no phone ringing (%i)',
    async (turns) => {
      const app = await start()
      app.trunk.phone(NUMBER, { ringsAfter: null, answersAfter: null })
      const id = await app.place()
      for (let i = 0; i < turns; i++) await Promise.resolve()
      await app.cancel(id)
      const call = await app.ended(id, 10_000)
      expect([call.status, call.endReason]).toEqual(['canceled', 'canceled'])
      const ladder = app.placed(id)[0]?.ladder ?? []
      expect([0, 3]).toContain(ladder.length)
      expect((await app.post()).status).toBe(201)
    },
  )
})
