import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type TestApp } from '../kit/app.ts'

const start = appForEachTest()

interface Traced {
  attempt: number
  messages: { at: string; direction: string; summary: string }[]
  media: object | null
}

async function traced(app: TestApp, id: string): Promise<Traced[]> {
  return (await app.ask<{ data: Traced[] }>('GET', `/calls/${id}/trace`)).data
}

const ladder = ({ messages }: Traced): string[] =>
  messages.map(({ direction, summary }) => `${direction} ${summary}`)

describe('the trace of a call', () => {
  it('is there when the webhook says that the call has ended', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi.' })
    await app.ended(id)
    const [trace, ...more] = await traced(app, id)
    expect(more).toEqual([])
    expect(trace?.attempt).toBe(1)
    expect(trace && ladder(trace)).toEqual([
      'sent INVITE',
      'received 180',
      'received 200',
      'sent BYE',
    ])
    expect(trace?.messages[0]?.at).toBe('2026-03-20T18:30:00.000Z')
  })

  it('is empty before anything was sent, and grows while the call is on', async () => {
    const app = await start()
    const at = new Date(app.clock.now() + 60_000).toISOString()
    const id = await app.place({ callAt: at })
    expect(await traced(app, id)).toEqual([])
    await app.reaches(id, 'ringing')
    expect((await traced(app, id)).map(ladder)).toEqual([['sent INVITE', 'received 180']])
  })

  it('is kept of a call that nobody answered, and after a restart', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place()
    await app.ended(id)
    await app.kill()
    await app.restart()
    expect((await traced(app, id)).map(ladder)).toEqual([
      ['sent INVITE', 'received 180', 'received 486'],
    ])
  })

  it('is done without when it cannot be stored: the call is settled all the same', async () => {
    const app = await start()
    app.storageFails((_store, method) => method === 'saveTrace')
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place()
    expect((await app.ended(id)).status).toBe('completed')
    app.storageMends()
    expect(await traced(app, id)).toEqual([])
    expect(app.log.map(({ message }) => message)).toContain('the trace of a call was not stored')
  })
})
