import { Database } from 'bun:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { aCall, claimCall, create } from '../../test/conformance/stores.ts'
import { openTestStorage, testIds } from '../../test/kit/open-test-storage.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'

const cleanUps: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** Two connections on one file, as two processes would have them. */
function setup() {
  const directory = mkdtempSync(join(tmpdir(), 'landline-'))
  const path = join(directory, 'landline.db')
  const clock = new SimClock()
  const [a, b] = ['a', 'b'].map((seed) =>
    openTestStorage({ path, clock, ids: testIds(clock, seed) }),
  ) as [ReturnType<typeof openTestStorage>, ReturnType<typeof openTestStorage>]
  cleanUps.push(async () => {
    await a.close()
    await b.close()
    rmSync(directory, { recursive: true })
  })
  return { a, b, path, clock }
}

describe('two processes on one database', () => {
  it('never hold the same job', async () => {
    const { a, b, clock } = setup()
    for (let i = 0; i < 40; i++)
      await a.jobs.add({ kind: 'work', key: `${i}`, lane: null, runAt: clock.now() })
    const now = clock.now()
    const claim = (s: typeof a) =>
      s.jobs.claim({ kinds: ['work'], owner: 'x', now, leaseUntil: now + 1000 })
    const claimed = await Promise.all(Array.from({ length: 50 }, (_, i) => claim(i % 2 ? a : b)))
    const keys = claimed.flatMap((job) => (job ? [job.key] : []))
    expect(keys).toHaveLength(40)
    expect(new Set(keys).size).toBe(40)
  })

  it('respect a lane together', async () => {
    const { a, b, clock } = setup()
    await a.jobs.setLane({ name: 'lane', capacity: 3 })
    const now = clock.now()
    for (let i = 0; i < 9; i++)
      await a.jobs.add({ kind: 'work', key: `${i}`, lane: 'lane', runAt: now })
    const claimed = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        (i % 2 ? a : b).jobs.claim({ kinds: ['work'], owner: 'x', now, leaseUntil: now + 1000 }),
      ),
    )
    expect(claimed.filter((job) => job !== null)).toHaveLength(3)
  })

  it('take over a call only with a fence that stops the first', async () => {
    const { a, b, clock } = setup()
    const call = aCall(a)
    await create(a, call)
    const first = await claimCall(a)
    clock.jump(15_000)
    expect(await b.jobs.rescue({ now: clock.now(), all: false })).toBe(1)
    const second = await claimCall(b)
    const sip = { trunk: 'main', phase: 'invite', callId: 'x' } as const
    const dialing = { attempt: 1, sip, now: clock.now() }
    expect(await a.calls.saveDialing(call.id, { ...dialing, fence: first.fence })).toBe(false)
    expect(await b.calls.saveDialing(call.id, { ...dialing, fence: second.fence })).toBe(true)
  })

  it('let one of many calls to one number in', async () => {
    const { a, b } = setup()
    const toNumber = '+15551234567'
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const s = i % 2 ? a : b
        return create(s, aCall(s, { toNumber }))
      }),
    )
    expect(results.filter((one) => 'created' in one)).toHaveLength(1)
  })
})

describe('the database itself', () => {
  it('refuses a second active call to a number, whoever writes it', async () => {
    const { a, path } = setup()
    const [first, second] = [aCall(a), aCall(a)]
    await create(a, first)
    await create(a, second)
    const raw = new Database(path)
    const move = raw.query('update call set to_number = ? where id = ?')
    expect(() => move.run(first.toNumber, second.id)).toThrow(/UNIQUE/)
    move.finalize()
    raw.close()
  })

  it('looks everything up by an index', () => {
    const { path } = setup()
    const raw = new Database(path)
    const active = "status in ('initiated', 'ringing', 'in_progress')"
    const scans = [
      `select sum(hold_cents) from call where ${active}`,
      `select id from call where to_number = ? and ${active}`,
      'select * from call order by created_at desc, id desc limit 20',
      'select * from call where (created_at, id) < (?, ?) order by created_at desc, id desc limit 20',
      'select * from call where status = ? order by created_at desc, id desc limit 20',
      'select * from call where to_number = ? order by created_at desc, id desc limit 20',
      "select id from job where state = 'ready' and lane = ? and run_at <= ? order by run_at, id limit 1",
      "select id from job where state = 'ready' and lane is null and run_at <= ? order by run_at, id limit 1",
      "select count(*) from job where state = 'leased' and lane = ?",
      "select min(lease_until) from job where state = 'leased'",
      'select * from delivery where webhook_id = ? order by created_at desc, id desc limit 20',
      'delete from idempotency where created_at <= ?',
    ].flatMap((sql) => {
      const plan = raw.query<{ detail: string }, []>(`explain query plan ${sql}`)
      const details = plan.all().map((row) => row.detail)
      plan.finalize()
      const bad = details.filter((d) => /TEMP B-TREE|SCAN (call|job|delivery|idempotency)$/.test(d))
      return bad.map((detail) => `${sql}: ${detail}`)
    })
    raw.close()
    expect(scans).toEqual([])
  })
})
