import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type SeenCall } from '../kit/app.ts'

const start = appForEachTest()
const outcome = (call: SeenCall) => [call.status, call.endReason]
const writesOf =
  (...methods: string[]) =>
  (_store: string, method: string): boolean =>
    methods.includes(method)
/** Every write; reading goes on. */
const allWrites = (store: string, method: string): boolean =>
  !/^(get|list|transcript|timings|events|interrupted|account|findByHash|findReplay|delivery|deliveries|nextDue)$/.test(
    method,
  ) && store !== ''

describe('a database that cannot be written for a while', () => {
  it('while a call is in progress: the call goes on, ends, and is told whole once it can be', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, {
      says: [
        { at: 3000, ms: 900, text: 'What would you like?' },
        { ...GOODBYE, at: 9000 },
      ],
    })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.reaches(id, 'in_progress')
    app.storageFails(allWrites)
    await app.run(40_000)
    expect(app.placed(id)[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    expect((await app.call(id)).status).toBe('in_progress')
    app.storageMends()
    const call = await app.ended(id, 20_000)
    expect(outcome(call)).toEqual(['completed', 'agent_hangup'])
    expect(call.transcript.map(({ role }) => role)).toEqual([
      'agent',
      'human',
      'agent',
      'human',
      'agent',
    ])
    expect(call.duration).toBeLessThan(15)
    await app.run(30_000)
    expect(app.receiver.posts.map((post) => post.call.id)).toEqual([id])
    expect(app.trunk.placed).toHaveLength(1)
  })

  it('at the answer: the call goes on and ends as completed', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    app.storageFails(writesOf('markAnswered'))
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.run(5000)
    app.storageMends()
    expect(outcome(await app.ended(id))).toEqual(['completed', 'agent_hangup'])
    expect(app.placed(id)).toHaveLength(1)
  })

  it('before the INVITE: nobody is rung, and the call is dialled when it can be', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    app.storageFails(writesOf('saveDialing'))
    const id = await app.place()
    await app.run(3000)
    expect(app.trunk.placed).toEqual([])
    expect((await app.call(id)).status).toBe('initiated')
    app.storageMends()
    expect(outcome(await app.ended(id))).toEqual(['completed', 'agent_hangup'])
    expect(app.placed(id)).toHaveLength(1)
  })

  it('when a call was refused: it is settled when it can be, and not dialled again', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    app.storageFails(writesOf('settle'))
    const id = await app.place()
    await app.run(60_000)
    expect((await app.call(id)).status).toBe('ringing')
    app.storageMends()
    expect((await app.ended(id, 30_000)).status).toBe('busy')
    await app.run(60_000)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('while it rings: it is settled as what it became', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    app.storageFails(writesOf('markRinging'))
    const id = await app.place()
    expect((await app.ended(id)).status).toBe('busy')
  })

  it('until the appliance is restarted: what could not be told is closed as interrupted, never dialled again', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    app.storageFails(writesOf('settle'))
    const id = await app.place()
    await app.run(10_000)
    expect(await app.terminate()).toBeLessThanOrEqual(10_000)
    await app.restart(1000)
    expect(outcome(await app.call(id))).toEqual(['failed', 'interrupted'])
    await app.run(60_000)
    expect(app.placed(id)).toHaveLength(1)
  })

  it('when a delivery was answered: it is sent again, under the same id', async () => {
    const app = await start()
    await app.hook()
    app.trunk.phone(NUMBER, { status: 486 })
    app.storageFails(writesOf('recordSuccess'))
    await app.ended(await app.place())
    await app.run(500)
    app.storageMends()
    await app.run(60_000)
    expect(app.receiver.posts.length).toBeGreaterThanOrEqual(2)
    expect(new Set(app.receiver.posts.map(({ delivery }) => delivery)).size).toBe(1)
  })
})
