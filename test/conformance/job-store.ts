import { describe, expect, it } from 'vitest'
import { claim, type OpenStores, type StoresUnderTest, withStores } from './stores.ts'

/** What every JobStore does. */
export function exerciseJobStore(name: string, open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))
  const add = (
    s: StoresUnderTest,
    key: string,
    o: { runAt?: number; lane?: string | null; kind?: string } = {},
  ): Promise<boolean> => s.jobs.add({ kind: 'work', key, lane: null, runAt: s.clock.now(), ...o })

  describe(`${name}: jobs`, () => {
    check('are there once per kind and key', async (s) => {
      expect(await add(s, 'a')).toBe(true)
      expect(await add(s, 'a')).toBe(false)
      expect(await add(s, 'a', { kind: 'other' })).toBe(true)
    })

    check('are claimed when due, longest waiting first, each once', async (s) => {
      const now = s.clock.now()
      await add(s, 'later', { runAt: now + 1 })
      await add(s, 'second', { runAt: now - 5 })
      await add(s, 'first', { runAt: now - 9 })
      expect((await claim(s, 'work'))?.key).toBe('first')
      expect((await claim(s, 'work'))?.key).toBe('second')
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(1)
      expect(await claim(s, 'work')).toMatchObject({ key: 'later', runAt: now + 1, attempt: 1 })
    })

    check('of another kind are left alone', async (s) => {
      await add(s, 'a', { kind: 'other' })
      expect(await claim(s, 'work', 'more')).toBeNull()
      expect((await claim(s, 'work', 'other'))?.key).toBe('a')
    })

    check('get a larger fence with each claim, and an old fence changes nothing', async (s) => {
      await add(s, 'a')
      const old = await claim(s, 'work')
      if (!old) throw new Error('nothing claimed')
      expect(await s.jobs.rescue({ now: s.clock.now(), all: true })).toBe(1)
      // Not even before somebody else has claimed it.
      expect(await s.jobs.complete({ id: old.id, fence: old.fence })).toBe(false)
      const fresh = await claim(s, 'work')
      expect(fresh).toMatchObject({ id: old.id, attempt: 2 })
      expect(fresh?.fence).toBeGreaterThan(old.fence)
      const { id, fence } = old
      expect(await s.jobs.renew({ id, fence, leaseUntil: s.clock.now() + 1 })).toBe(false)
      expect(await s.jobs.release({ id, fence, runAt: s.clock.now() })).toBe(false)
      expect(await s.jobs.complete({ id, fence })).toBe(false)
      expect(await s.jobs.complete({ id, fence: fresh?.fence ?? 0 })).toBe(true)
      expect(await s.jobs.complete({ id, fence: fresh?.fence ?? 0 })).toBe(false)
      expect(await add(s, 'a')).toBe(true)
    })

    check('are rescued when their lease has run out, not before', async (s) => {
      await add(s, 'a')
      const job = await claim(s, 'work')
      if (!job) throw new Error('nothing claimed')
      s.clock.jump(10_000)
      await s.jobs.renew({ id: job.id, fence: job.fence, leaseUntil: s.clock.now() + 15_000 })
      s.clock.jump(14_999)
      expect(await s.jobs.rescue({ now: s.clock.now(), all: false })).toBe(0)
      s.clock.jump(1)
      expect(await s.jobs.rescue({ now: s.clock.now(), all: false })).toBe(1)
      expect((await claim(s, 'work'))?.attempt).toBe(2)
    })

    check('that are released run again at their new time', async (s) => {
      await add(s, 'a')
      const job = await claim(s, 'work')
      const again = { id: job?.id ?? '', fence: job?.fence ?? 0, runAt: s.clock.now() + 100 }
      expect(await s.jobs.release(again)).toBe(true)
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(100)
      expect((await claim(s, 'work'))?.key).toBe('a')
    })

    check('that were due stay due when the clock was set back, and no others', async (s) => {
      const seen = s.clock.now()
      await add(s, 'b', { runAt: seen })
      await add(s, 'a', { runAt: seen - 1 })
      await add(s, 'later', { runAt: seen + 1 })
      s.clock.jump(-3_600_000)
      await s.jobs.keepDue({ seen, now: s.clock.now() })
      expect((await claim(s, 'work'))?.key).toBe('a')
      expect((await claim(s, 'work'))?.key).toBe('b')
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(3_600_000)
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(1)
      expect((await claim(s, 'work'))?.key).toBe('later')
    })

    check('tell when the next may start or the next lease runs out', async (s) => {
      const now = s.clock.now()
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBeNull()
      await add(s, 'a', { runAt: now + 500 })
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(now + 500)
      await add(s, 'b')
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(now)
      await claim(s, 'work')
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(now + 500)
      s.clock.jump(500)
      await claim(s, 'work')
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(now + 15_000)
    })
  })

  describe(`${name}: the next due time`, () => {
    check('is that of the kinds that are asked for, and of all leases', async (s) => {
      const now = s.clock.now()
      await add(s, 'a', { runAt: now + 10 })
      await add(s, 'b', { runAt: now + 5, kind: 'other' })
      await add(s, 'c', { runAt: now + 7, kind: 'other', lane: 'lane' })
      await add(s, 'd', { runAt: now + 8, lane: 'lane' })
      const due = (...kinds: string[]) => s.jobs.nextDue({ kinds })
      expect(await due('work')).toBe(now + 8)
      expect(await due('other')).toBe(now + 5)
      expect(await due('work', 'other')).toBe(now + 5)
      expect(await due()).toBeNull()
      s.clock.jump(5)
      await claim(s, 'other')
      expect(await due()).toBe(now + 5 + 15_000)
    })
  })

  describe(`${name}: lanes`, () => {
    check('run as many jobs at once as they have room for', async (s) => {
      await s.jobs.setLane({ name: 'narrow', capacity: 2 })
      for (const key of ['a', 'b', 'c']) await add(s, key, { lane: 'narrow' })
      const first = await claim(s, 'work')
      expect(await claim(s, 'work')).not.toBeNull()
      expect(await claim(s, 'work')).toBeNull()
      // Nothing to wait for but the leases.
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(s.clock.now() + 15_000)
      await s.jobs.complete({ id: first?.id ?? '', fence: first?.fence ?? 0 })
      expect((await claim(s, 'work'))?.key).toBe('c')
    })

    check('that are full do not hold up others', async (s) => {
      const now = s.clock.now()
      await s.jobs.setLane({ name: 'full', capacity: 0 })
      await s.jobs.setLane({ name: 'free', capacity: 1 })
      await add(s, 'stuck', { lane: 'full', runAt: now - 9 })
      await add(s, 'younger', { lane: 'free', runAt: now - 1 })
      await add(s, 'older', { runAt: now - 5 })
      expect((await claim(s, 'work'))?.key).toBe('older')
      expect((await claim(s, 'work'))?.key).toBe('younger')
      expect(await claim(s, 'work')).toBeNull()
    })

    check('take turns by who waited longest', async (s) => {
      const now = s.clock.now()
      for (const [i, lane] of ['x', 'y', 'x', 'y'].entries()) {
        await s.jobs.setLane({ name: lane, capacity: 9 })
        await add(s, `${i}`, { lane, runAt: now - 10 + i })
      }
      const order: string[] = []
      for (let i = 0; i < 4; i++) order.push((await claim(s, 'work'))?.key ?? '')
      expect(order).toEqual(['0', '1', '2', '3'])
    })

    check('open at their time', async (s) => {
      const openAt = s.clock.now() + 1000
      await s.jobs.setLane({ name: 'shut', capacity: 1, openAt })
      await add(s, 'a', { lane: 'shut' })
      expect(await claim(s, 'work')).toBeNull()
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(openAt)
      s.clock.jump(1000)
      expect((await claim(s, 'work'))?.key).toBe('a')
    })

    check('start their jobs a pace apart, also after the clock was set back', async (s) => {
      await s.jobs.setLane({ name: 'paced', capacity: 9, paceMs: 200 })
      for (const key of ['a', 'b', 'c']) await add(s, key, { lane: 'paced', runAt: 0 })
      expect((await claim(s, 'work'))?.key).toBe('a')
      s.clock.jump(199)
      expect(await claim(s, 'work')).toBeNull()
      expect(await s.jobs.nextDue({ kinds: ['work'] })).toBe(s.clock.now() + 1)
      s.clock.jump(1)
      expect((await claim(s, 'work'))?.key).toBe('b')
      s.clock.jump(-3_600_000)
      expect((await claim(s, 'work'))?.key).toBe('c')
    })

    check('give the start of a job that began nothing to the next, and only that', async (s) => {
      await s.jobs.setLane({ name: 'paced', capacity: 9, paceMs: 200 })
      for (const key of ['a', 'b', 'c']) await add(s, key, { lane: 'paced' })
      const release = (job: Awaited<ReturnType<typeof claim>>, unbegun: boolean) =>
        s.jobs.release({
          id: job?.id ?? '',
          fence: job?.fence ?? 0,
          runAt: s.clock.now() + 60_000,
          unbegun,
        })
      const a = await claim(s, 'work')
      expect(await claim(s, 'work')).toBeNull()
      expect(await release(a, true)).toBe(true)
      const b = await claim(s, 'work')
      expect(b?.key).toBe('b')
      // One that did begin has used its start, and a late release takes none from another.
      await release(a, true)
      expect(await claim(s, 'work')).toBeNull()
      await release(b, false)
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(200)
      expect((await claim(s, 'work'))?.key).toBe('c')
      s.clock.jump(60_000)
      expect(await claim(s, 'work')).toMatchObject({ key: 'a', attempt: 1 })
      s.clock.jump(200)
      expect(await claim(s, 'work')).toMatchObject({ key: 'b', attempt: 2 })
    })

    check('keep what a later setting does not name', async (s) => {
      const openAt = s.clock.now() + 1000
      await s.jobs.setLane({ name: 'lane', capacity: 1, openAt, paceMs: 500 })
      await s.jobs.setLane({ name: 'lane', capacity: 2 })
      await add(s, 'a', { lane: 'lane' })
      await add(s, 'b', { lane: 'lane' })
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(1000)
      expect((await claim(s, 'work'))?.key).toBe('a')
      expect(await claim(s, 'work')).toBeNull()
      s.clock.jump(500)
      expect((await claim(s, 'work'))?.key).toBe('b')
    })

    check('that nobody set have no limits', async (s) => {
      await add(s, 'a', { lane: 'new' })
      await add(s, 'b', { lane: 'new' })
      expect((await claim(s, 'work'))?.key).toBe('a')
      expect((await claim(s, 'work'))?.key).toBe('b')
    })
  })
}
