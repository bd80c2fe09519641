import { describe, expect, it } from 'vitest'
import { appForEachTest, NUMBER } from '../kit/app.ts'
import type { FakeReply } from '../kit/fake-engines.ts'
import { SimClock } from '../kit/sim-clock.ts'

const start = appForEachTest()
const HOUR_MS = 3_600_000

interface Listed {
  id: string
  status: string
  callAt: string | null
}

/** An appliance whose agent schedules a callback, so many hours after the tests' beginning, and says goodbye. */
async function setup(hours: number) {
  const when = new Date(new SimClock().now() + hours * HOUR_MS).toISOString()
  const reply = (messages: readonly { role: string; content: string }[]): FakeReply => {
    const last = messages.at(-1)
    if (last?.content.includes('Summarise')) return { text: 'They will be called again.' }
    if (last?.role === 'tool')
      return { text: `${last.content} Goodbye.`, tools: [{ name: 'end_call', arguments: {} }] }
    return { tools: [{ name: 'schedule_callback', arguments: { when } }] }
  }
  const app = await start({ reply })
  app.trunk.phone(NUMBER, { says: [{ at: 3000, ms: 1500, text: 'Please call me back later.' }] })
  const scheduled = async (): Promise<Listed[]> =>
    (await app.ask<{ data: Listed[] }>('GET', '/calls?status=scheduled')).data
  return { app, when, scheduled }
}

describe('a callback', () => {
  it('is a scheduled call like the one in which it was asked for, and is made', async () => {
    const { app, when, scheduled } = await setup(3)
    const fields = { firstMessage: 'Hi.', name: 'Ann', metadata: { order: '7' }, maxDuration: 120 }
    await app.ended(await app.place(fields))
    const [again, ...more] = await scheduled()
    expect(more).toEqual([])
    expect(again).toMatchObject({ ...fields, toNumber: NUMBER, callAt: when })
    await app.run(3 * HOUR_MS)
    await app.reaches(again?.id ?? '', 'in_progress', 60_000)
    expect(app.placed(again?.id ?? '')).toHaveLength(1)
  })

  it.each([
    ['in the past', -1],
    ['in two months', 60 * 24],
  ])('%s is refused', async (_, hours) => {
    const { app, scheduled } = await setup(hours)
    const call = await app.ended(await app.place({ firstMessage: 'Hi.' }))
    expect(call.transcript.at(-1)?.text).toMatch(/no call was scheduled/)
    expect(await scheduled()).toEqual([])
  })

  it('is refused where the number was called too often within a day', async () => {
    const { app, scheduled } = await setup(72)
    for (let n = 0; n < 11; n++) {
      await app.ended(await app.place({ firstMessage: 'Hi.' }))
      await app.run(1000)
    }
    // Each of the first calls scheduled one, which counts as a call to the number too.
    expect(await scheduled()).toHaveLength(5)
  })
})
