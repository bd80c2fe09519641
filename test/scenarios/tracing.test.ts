import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type SeenCall, type TestApp } from '../kit/app.ts'
import { OUR_NUMBER } from '../kit/app-process.ts'

const start = appForEachTest()

interface Traced {
  attempt: number
  messages: { at: string; direction: string; summary: string }[]
  media: object | null
}

async function traced(app: TestApp, id: string): Promise<Traced[]> {
  return (await app.ask<{ data: Traced[] }>('GET', `/calls/${id}/trace`)).data
}

/** The calls that came in, newest first. */
async function inbound(app: TestApp): Promise<SeenCall[]> {
  return (await app.ask<{ data: SeenCall[] }>('GET', '/calls?direction=inbound')).data
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

  it('is kept of each attempt', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place({ retry: { maxAttempts: 2, delaySeconds: 60 } })
    await app.ended(id)
    expect((await traced(app, id)).map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  it.each([
    { givesUpAfter: null, answer: ['sent 200', 'sent BYE from us'] },
    { givesUpAfter: 1500, answer: ['received CANCEL', 'sent 487'] },
  ])('is kept of a call that came to us, given up after $givesUpAfter', async (o) => {
    const app = await start()
    await app.ask('PUT', `/numbers/${OUR_NUMBER}`, {
      instructions: 'Take orders.',
      firstMessage: 'Hello?',
    })
    // The first words do not become sound: it goes on ringing.
    if (o.givesUpAfter !== null) app.engines.broken.voice = 'hangs'
    app.trunk.callUs({ to: OUR_NUMBER, says: [GOODBYE], givesUpAfter: o.givesUpAfter })
    await app.until(async () => (await inbound(app)).length > 0, 5000, 50)
    const id = (await inbound(app))[0]?.id ?? ''
    await app.ended(id)
    expect((await traced(app, id)).map(ladder)).toEqual([
      ['received INVITE', 'sent 180', ...o.answer],
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
