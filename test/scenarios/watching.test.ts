import { describe, expect, it } from 'vitest'
import { appForEachTest, GOODBYE, NUMBER, type TestApp } from '../kit/app.ts'
import { type EventWatcher, watchEvents } from '../kit/event-watcher.ts'

const start = appForEachTest()

async function watch(app: TestApp, id: string, lastEventId?: number): Promise<EventWatcher> {
  return watchEvents(await app.events(id, lastEventId))
}

const shown = ({ events }: EventWatcher): string[] =>
  events.map(({ id, type, data }) => `${id} ${type} ${data.status ?? data.name ?? data.role}`)

describe('the event stream of a call', () => {
  it('tells all that happens as it happens, counting from 1, and closes after the end', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi.' })
    const watcher = await watch(app, id)
    await watcher.caughtUp()
    expect(shown(watcher)).toEqual(['1 status initiated'])
    await app.run(500)
    await watcher.caughtUp()
    expect(shown(watcher).at(-1)).toBe('2 status ringing')
    await app.run(2000)
    await watcher.caughtUp()
    expect(shown(watcher)).toContain('3 status in_progress')
    expect(shown(watcher)).toContain('4 transcript agent')
    expect(watcher.closed).toBe(false)
    const call = await app.ended(id)
    await watcher.caughtUp()
    expect(watcher.closed).toBe(true)
    expect(watcher.events.map((event) => event.id)).toEqual(watcher.events.map((_, i) => i + 1))
    const [settled, end] = watcher.events.slice(-2)
    expect(settled).toMatchObject({
      type: 'status',
      data: { status: 'completed', endReason: 'agent_hangup', at: call.endedAt },
    })
    const { events, timings, ...whole } = call
    expect(end?.type).toBe('end')
    expect(end?.data).toMatchObject(whole)
    expect(events).toEqual(watcher.events.slice(0, -1).map(({ type, data }) => ({ type, ...data })))
    expect(timings).toHaveLength(1)
  })

  it('begins with all that was, and resumes after Last-Event-ID', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi.' })
    const first = await watch(app, id)
    await app.run(5000)
    await first.caughtUp()
    const late = await watch(app, id)
    await late.caughtUp()
    expect(late.events).toEqual(first.events)
    const resumed = await watch(app, id, 3)
    await app.ended(id)
    for (const watcher of [first, late, resumed]) await watcher.caughtUp()
    expect(late.events).toEqual(first.events)
    expect(resumed.events).toEqual(first.events.slice(3))
    expect([first.closed, late.closed, resumed.closed]).toEqual([true, true, true])
  })

  it('of a call that has ended is told whole, and closed', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const id = await app.place()
    await app.ended(id)
    const watcher = await watch(app, id)
    await watcher.caughtUp()
    expect(shown(watcher)).toEqual([
      '1 status initiated',
      '2 status ringing',
      '3 status busy',
      '4 end busy',
    ])
    expect(watcher.closed).toBe(true)
    for (const seen of [4, 5]) expect((await app.events(id, seen)).status).toBe(204)
  })

  it('is the same for fifty who watch, come and go', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { says: [GOODBYE] })
    const id = await app.place({ firstMessage: 'Hi.' })
    const watchers: EventWatcher[] = []
    for (let i = 0; i < 50; i++) {
      watchers.push(await watch(app, id))
      await app.run(50)
    }
    for (const gone of watchers.splice(0, 25)) await gone.leave()
    await app.ended(id)
    for (const watcher of watchers) await watcher.caughtUp()
    const [one] = watchers
    for (const watcher of watchers) {
      expect(watcher.events).toEqual(one?.events)
      expect(watcher.closed).toBe(true)
    }
  })

  it('tells a scheduled call from its acceptance to its cancel', async () => {
    const app = await start()
    const id = await app.place({ callAt: '2026-03-21T18:30:00Z' })
    const watcher = await watch(app, id)
    await app.run(60_000)
    await app.cancel(id)
    await watcher.caughtUp()
    expect(shown(watcher)).toEqual(['1 status scheduled', '2 status canceled', '3 end canceled'])
    expect(watcher.closed).toBe(true)
  })

  it('goes on in the next process where it broke off, and tells of the interruption', async () => {
    const app = await start()
    const id = await app.place({ firstMessage: 'Hi.' })
    const watcher = await watch(app, id)
    await app.reaches(id, 'in_progress')
    await watcher.caughtUp()
    const seen = watcher.events.length
    await app.kill()
    await app.restart(5000)
    const resumed = await watch(app, id, seen)
    await resumed.caughtUp()
    expect(resumed.events[0]?.id).toBe(seen + 1)
    expect(
      shown(resumed)
        .slice(-2)
        .map((line) => line.replace(/^\d+ /, '')),
    ).toEqual(['status failed', 'end failed'])
    expect(resumed.closed).toBe(true)
  })

  it('ends for everybody with the appliance, after the end of the call', async () => {
    const app = await start()
    const id = await app.place({ firstMessage: 'Hi.' })
    const watcher = await watch(app, id)
    await app.reaches(id, 'in_progress')
    await app.terminate()
    await watcher.caughtUp()
    expect(watcher.events.at(-1)).toMatchObject({ type: 'end', data: { endReason: 'shutdown' } })
    expect(watcher.closed).toBe(true)
  })

  it('of no call is 404', async () => {
    const app = await start()
    const response = await app.events('0195b1a0-0000-7000-8000-000000000001')
    expect(response.status).toBe(404)
  })
})

describe('GET /calls', () => {
  interface Page {
    data: { id: string; status: string; toNumber: string; transcript?: unknown; events?: unknown }[]
    nextCursor: string | null
  }

  async function pages(app: TestApp, query: string): Promise<string[]> {
    const ids: string[] = []
    let cursor = ''
    for (let i = 0; i < 20; i++) {
      const page: Page = await app.ask('GET', `/calls?${query}${cursor}`)
      ids.push(...page.data.map(({ id }) => id))
      if (page.nextCursor === null) return ids
      cursor = `&cursor=${page.nextCursor}`
    }
    throw new Error('the pages do not end')
  }

  it('shows every call once, newest first, also while new ones come between the pages', async () => {
    const app = await start({ settings: { 'billing.enabled': false } })
    const ids: string[] = []
    for (let i = 0; i < 9; i++) ids.unshift(await app.place({ phoneNumber: `+155520000${10 + i}` }))
    expect(await pages(app, 'limit=2')).toEqual(ids)
    const first: Page = await app.ask('GET', '/calls?limit=4')
    const newer = await app.place()
    const second: Page = await app.ask('GET', `/calls?limit=100&cursor=${first.nextCursor}`)
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids)
    expect(await pages(app, 'limit=100')).toEqual([newer, ...ids])
    expect(first.data[0]).not.toHaveProperty('transcript')
    expect(first.data[0]).not.toHaveProperty('events')
  })

  it('finds by status, number and time', async () => {
    const app = await start()
    app.trunk.phone(NUMBER, { status: 486 })
    const busy = await app.place()
    await app.ended(busy)
    const noon = new Date(app.clock.now()).toISOString()
    await app.run(1000)
    const other = await app.place({ phoneNumber: '+15557654321' })
    const later = await app.place({ callAt: '2026-03-21T18:30:00Z' })
    expect(await pages(app, 'status=busy')).toEqual([busy])
    expect(await pages(app, 'status=scheduled')).toEqual([later])
    expect(await pages(app, 'toNumber=%2B15557654321')).toEqual([other])
    expect(await pages(app, `createdAfter=${noon}`)).toEqual([later, other])
    expect(await pages(app, `createdBefore=${noon}`)).toEqual([busy])
    expect(await pages(app, 'direction=inbound')).toEqual([])
    expect(await pages(app, 'direction=outbound&limit=1')).toEqual([later, other, busy])
  })
})
