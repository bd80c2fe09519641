import { describe, expect, it } from 'vitest'
import type { Part } from '../../src/core/lifecycle.ts'
import { appForEachTest, NUMBER } from '../kit/app.ts'

const start = appForEachTest()
const part = (stop: () => Promise<void>): Part => ({ start: async () => undefined, stop })
const OTHER = '+15557654321'

describe('a shutdown', () => {
  it('says goodbye on live calls and ends them within ten seconds, told to the webhook by the next process', async () => {
    const app = await start()
    await app.hook()
    const ids: string[] = []
    for (const phoneNumber of [NUMBER, OTHER])
      ids.push(await app.place({ phoneNumber, firstMessage: 'Hi.' }))
    for (const id of ids) await app.reaches(id, 'in_progress')
    await app.run(4000)
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
    for (const id of ids) expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    await app.restart(1000)
    await app.run(1000)
    for (const id of ids) {
      const call = await app.call(id)
      expect([call.status, call.endReason]).toEqual(['completed', 'shutdown'])
      expect(call.transcript.at(-1)?.text).toContain('have to end the call now')
      expect(call.summary).not.toBe('')
    }
    expect(app.receiver.posts.map(({ call }) => call.id).toSorted()).toEqual(ids.toSorted())
  })

  it('cancels what rings, and leaves what waits for a line to the next process', async () => {
    const app = await start({ settings: { 'calls.max_concurrent': 1 } })
    app.trunk.phone(NUMBER, { answersAfter: 40_000 })
    const ringing = await app.place()
    const waiting = await app.place({ phoneNumber: OTHER })
    await app.reaches(ringing, 'ringing')
    await app.terminate()
    expect(app.placed(ringing)[0]?.ladder).toEqual(['INVITE', '180', 'CANCEL', '487'])
    expect(app.placed(waiting)).toEqual([])
    await app.restart(1000)
    expect((await app.call(ringing)).status).toBe('canceled')
    await app.run(1000)
    expect(app.placed(waiting)).toHaveLength(1)
    expect(app.placed(ringing)).toHaveLength(1)
  })

  it('takes no new calls', async () => {
    const app = await start()
    const id = await app.place()
    await app.reaches(id, 'in_progress')
    const ending = app.terminate()
    const answer = await app.post({ phoneNumber: OTHER })
    expect([answer.status, (answer.json as { code: string }).code]).toEqual([503, 'shutting_down'])
    await ending
    expect(app.trunk.placed).toHaveLength(1)
  })

  it('does not wait for a conversation that does not end', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { deaf: true })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    app.engines.broken.voice = 'hangs'
    app.engines.broken.model = 'hangs'
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
  })

  it('lets a call end with the telephony, and settles it before the database is closed', async () => {
    let hangUp = (): Promise<void> => Promise.resolve()
    const app = await start({ parts: [part(() => hangUp())] })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    const leg = app.placed(id)[0]?.leg
    if (!leg) throw new Error('not answered')
    // The conversation says goodbye for ever; the trunk's own end hangs up.
    app.engines.broken.voice = 'hangs'
    app.engines.broken.model = 'hangs'
    leg.hangup = () => new Promise(() => {})
    hangUp = async () => leg.end({ by: 'us' })
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
    expect(app.placed(id)[0]?.ladder.at(-1)).toBe('BYE')
    expect(await app.database.calls.get(id)).toMatchObject({
      status: 'completed',
      endReason: 'shutdown',
    })
  })

  it('stops every part although one throws and another does not end', async () => {
    const stopped: string[] = []
    const app = await start({
      parts: [
        part(async () => void stopped.push('last')),
        part(() => new Promise(() => {})),
        part(() => {
          stopped.push('second')
          throw new Error('second')
        }),
        part(() => Promise.reject(new Error('first'))),
      ],
    })
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
    expect(stopped).toEqual(['second', 'last'])
    const told = app.log.map(({ message }) => message)
    expect(told.filter((line) => line === 'a part could not be stopped')).toHaveLength(2)
    expect(told).toContain('a part does not stop')
  })

  it('breaks a POST off that is under way, and counts it as no failure', async () => {
    const app = await start()
    const { id } = await app.hook()
    app.receiver.answer = () => 'hangs'
    app.trunk.phone(NUMBER, { status: 486 })
    await app.ended(await app.place())
    await app.run(100)
    expect(await app.terminate()).toBeLessThanOrEqual(3000)
    expect(app.receiver.open).toBe(0)
    const [delivery] = await app.database.webhooks.deliveries(id, { limit: 1, cursor: null })
    expect(delivery).toMatchObject({ state: 'pending', failures: 0, attempts: [] })
    app.receiver.answer = () => 204
    await app.restart(1000)
    await app.run(1000)
    expect(app.receiver.posts).toHaveLength(2)
  })

  it('does not wait for a receiver that hangs: its delivery is sent again by the next process', async () => {
    const app = await start()
    await app.hook()
    app.receiver.answer = () => 'hangs'
    app.trunk.phone(NUMBER, { status: 486 })
    await app.ended(await app.place())
    await app.run(100)
    expect(app.receiver.open).toBe(1)
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
    app.receiver.answer = () => 204
    await app.restart(60_000)
    await app.run(1000)
    const ids = new Set(app.receiver.posts.map(({ delivery }) => delivery))
    expect(ids.size).toBe(1)
    expect(app.receiver.posts.length).toBeGreaterThanOrEqual(2)
  })
})
