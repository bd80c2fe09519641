import { afterEach, describe, expect, it } from 'vitest'
import { openTestStorage } from '../../test/kit/open-test-storage.ts'
import { settle } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import { redact } from '../observability/redact.ts'
import type { Job } from './ports.ts'
import type { Handler } from './runner.ts'
import { createScheduler, type Scheduler, type SchedulerOptions } from './scheduler.ts'

const LEASE_MS = 15_000
const DAY_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

const cleanUps: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A real job store in memory; `ran` lists what the handler was given, and when. */
function setup(o: Partial<SchedulerOptions> & { handle?: Handler } = {}) {
  const storage = openTestStorage()
  const { clock, ids, jobs } = storage
  const ran: { key: string; at: number; attempt: number }[] = []
  const handle: Handler = async (job, context) => {
    ran.push({ key: job.key, at: clock.now(), attempt: job.attempt })
    await o.handle?.(job, context)
  }
  const make = (): Scheduler =>
    createScheduler({
      clock,
      ids,
      log: silentLog,
      jobs,
      leaseMs: LEASE_MS,
      maxParallel: { work: 100 },
      ...o,
      handlers: { work: handle },
    })
  const scheduler = make()
  const add = (key: string, runAt = clock.now(), lane: string | null = null): Promise<boolean> =>
    jobs.add({ kind: 'work', key, lane, runAt })
  cleanUps.push(async () => {
    scheduler.abort('work', new Error('the test is over'))
    await scheduler.stop()
    await storage.close()
  })
  return { clock, jobs, ran, scheduler, make, add }
}

/** A handler that runs until it is told, or its signal aborts. */
function held() {
  const ends = new Map<string, () => void>()
  const reasons: unknown[] = []
  const handle: Handler = (job, { signal }) =>
    new Promise((done, fail) => {
      ends.set(job.key, done)
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason)
        fail(signal.reason)
      })
    })
  return { handle, reasons, end: (key: string) => ends.get(key)?.() }
}

describe('a job that was claimed before', () => {
  const adopted = (key: string): Job => ({
    ...{ id: `job ${key}`, kind: 'work', key, attempt: 1, fence: 1, runAt: 0 },
  })

  it('is run by its own handler under a lease of ours, and waited for at the stop', async () => {
    const { ran, scheduler, clock } = setup()
    await scheduler.start()
    const { handle, end } = held()
    let leaseUntil = 0
    const running = scheduler.adopt(async (lease) => {
      leaseUntil = lease.leaseUntil
      expect(lease.owner).not.toBe('')
      return adopted('call')
    }, handle)
    await settle()
    expect(leaseUntil).toBe(clock.now() + LEASE_MS)
    let stopped = false
    const stopping = scheduler.stop().then(() => {
      stopped = true
    })
    await settle()
    expect(stopped).toBe(false)
    end('call')
    await Promise.all([running, stopping])
    expect(ran).toEqual([])
  })

  it('is nothing when there was no claim, and rejects with what the claim threw', async () => {
    const { scheduler } = setup()
    await scheduler.start()
    const never: Handler = async () => {
      throw new Error('it was run')
    }
    await scheduler.adopt(async () => null, never)
    const failing = scheduler.adopt(() => Promise.reject(new Error('disk full')), never)
    await expect(failing).rejects.toThrow('disk full')
  })
})

describe('the scheduler', () => {
  it('runs what is due at its time, and sleeps in between', async () => {
    const { clock, ran, scheduler, add } = setup()
    const start = clock.now()
    await scheduler.start()
    await add('soon', start + 500)
    scheduler.wake()
    await clock.advance(499)
    expect(ran).toEqual([])
    await clock.advance(1)
    expect(ran).toEqual([{ key: 'soon', at: start + 500, attempt: 1 }])
  })

  it('waits a day for a job with no more than a look every half minute', async () => {
    const { clock, ran, scheduler, add } = setup()
    const runAt = clock.now() + DAY_MS + 12_345
    await add('far', runAt)
    await scheduler.start()
    await clock.advance(DAY_MS)
    expect(ran).toEqual([])
    expect(clock.fired).toBeLessThanOrEqual(DAY_MS / 30_000 + 1)
    await clock.advance(12_345)
    expect(ran).toEqual([{ key: 'far', at: runAt, attempt: 1 }])
  })

  it('runs at once what it is woken for', async () => {
    const { clock, ran, scheduler, add } = setup()
    await scheduler.start()
    await clock.advance(10_000)
    await add('now')
    scheduler.wake()
    await settle()
    expect(ran.map((one) => one.key)).toEqual(['now'])
  })

  it('loses no wake while it is looking', async () => {
    const { clock, ran, scheduler, add } = setup()
    await scheduler.start()
    for (let i = 0; i < 50; i++) {
      const added = add(`${i}`)
      scheduler.wake()
      await added
      scheduler.wake()
    }
    await settle()
    expect(ran).toHaveLength(50)
    expect(clock.fired).toBe(0)
  })

  it('ends a job that ran, and does not mind one that ended itself', async () => {
    const { jobs, ran, scheduler, add } = setup({
      async handle(job: Job) {
        if (job.key === 'self') await jobs.complete({ id: job.id, fence: job.fence })
      },
    })
    await add('self')
    await add('other')
    await scheduler.start()
    await settle()
    expect(ran).toHaveLength(2)
    expect(await jobs.nextDue({ kinds: ['work'] })).toBeNull()
  })

  it('leaves a job to the time to which its handler released it', async () => {
    const { clock, jobs, ran, scheduler, add } = setup({
      async handle(job: Job) {
        if (job.attempt === 1)
          await jobs.release({ id: job.id, fence: job.fence, runAt: clock.now() + 2000 })
      },
    })
    await add('again')
    await scheduler.start()
    await clock.advance(1999)
    expect(ran).toHaveLength(1)
    await clock.advance(1)
    expect(ran.map((one) => one.attempt)).toEqual([1, 2])
  })

  it('tries a job again after a growing rest when its handler throws', async () => {
    const { clock, jobs, ran, scheduler, add } = setup({
      async handle(job: Job) {
        if (job.attempt < 4) throw new Error('not yet')
      },
    })
    const start = clock.now()
    await add('shaky')
    await scheduler.start()
    await clock.advance(60_000)
    expect(ran.map((one) => one.attempt)).toEqual([1, 2, 3, 4])
    const waits = ran.map((one, i) => one.at - (ran[i - 1]?.at ?? start)).slice(1)
    for (const [i, expected] of [1000, 2000, 4000].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(expected * 0.9)
      expect(waits[i]).toBeLessThanOrEqual(expected * 1.1)
    }
    expect(await jobs.nextDue({ kinds: ['work'] })).toBeNull()
  })

  it('runs no more handlers at once than it may', async () => {
    const { handle, end } = held()
    const { ran, scheduler, add } = setup({ handle, maxParallel: { work: 2 } })
    for (const key of ['a', 'b', 'c']) await add(key)
    await scheduler.start()
    await settle()
    expect(ran.map((one) => one.key)).toEqual(['a', 'b'])
    end('a')
    await settle()
    expect(ran.map((one) => one.key)).toEqual(['a', 'b', 'c'])
  })
})

describe('kinds of jobs', () => {
  it('have room of their own: many slow ones of one kind hold up none of another', async () => {
    const storage = openTestStorage()
    const { clock, ids, jobs } = storage
    const ran: string[] = []
    const endless: Handler = () => new Promise(() => {})
    const scheduler = createScheduler({
      ...{
        clock,
        ids,
        jobs,
        log: silentLog,
        leaseMs: LEASE_MS,
        maxParallel: { slow: 3, quick: 2 },
      },
      handlers: {
        slow: endless,
        async quick(job) {
          ran.push(job.key)
        },
      },
    })
    cleanUps.push(() => storage.close())
    for (let i = 0; i < 10; i++)
      await jobs.add({ kind: 'slow', key: `${i}`, lane: null, runAt: clock.now() - 1000 })
    await scheduler.start()
    await settle()
    await jobs.add({ kind: 'quick', key: 'call', lane: null, runAt: clock.now() + 5000 })
    scheduler.wake()
    await clock.advance(4999)
    // What has no room is not looked at again and again.
    expect(clock.fired).toBeLessThan(5)
    expect(ran).toEqual([])
    await clock.advance(1)
    expect(ran).toEqual(['call'])
  })
})

describe('a thousand jobs due in one second', () => {
  it('keep to the room and the pace of their lane, and all run once', async () => {
    let running = 0
    let most = 0
    const { clock, jobs, ran, scheduler, add } = setup({
      async handle() {
        most = Math.max(most, ++running)
        await new Promise<void>((done) => clock.after(3000, done))
        running--
      },
    })
    await jobs.setLane({ name: 'calls', capacity: 10, paceMs: 200 })
    const due = clock.now() + 1000
    for (let i = 0; i < 1000; i++) await add(`${i}`, due + i, 'calls')
    await scheduler.start()
    await clock.advance(1_000_000)
    expect(new Set(ran.map((one) => one.key)).size).toBe(1000)
    expect(ran).toHaveLength(1000)
    expect(most).toBe(10)
    const gaps = ran.slice(1).map((one, i) => one.at - (ran[i]?.at ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(200)
    // Ten lines of three seconds each, one job after the other.
    expect((ran.at(-1)?.at ?? 0) - due).toBeLessThanOrEqual(310_000)
    expect(ran.map((one) => Number(one.key))).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  })
})

describe('leases', () => {
  it('are renewed while a handler runs, however long', async () => {
    const { handle, end, reasons } = held()
    const { clock, jobs, ran, scheduler, add } = setup({ handle })
    await add('long')
    await scheduler.start()
    await clock.advance(10 * LEASE_MS)
    expect(await jobs.rescue({ now: clock.now(), all: false })).toBe(0)
    end('long')
    await settle()
    expect(ran).toHaveLength(1)
    expect(reasons).toEqual([])
    expect(await jobs.nextDue({ kinds: ['work'] })).toBeNull()
  })

  it('that are lost abort the handler, which changes nothing any more', async () => {
    const { handle, reasons } = held()
    const { clock, jobs, ran, scheduler, add } = setup({ handle })
    await add('a')
    await scheduler.start()
    await settle()
    await jobs.rescue({ now: clock.now(), all: true })
    const now = clock.now()
    const other = { kinds: ['work'], owner: 'other', now, leaseUntil: now + 10 * LEASE_MS }
    const taken = await jobs.claim(other)
    await clock.advance(LEASE_MS / 3)
    expect(reasons).toMatchObject([{ message: expect.stringContaining('lost') }])
    expect(ran).toHaveLength(1)
    expect(await jobs.complete({ id: taken?.id ?? '', fence: taken?.fence ?? 0 })).toBe(true)
  })

  it('of an earlier process are taken over at the start', async () => {
    const { clock, jobs, ran, scheduler, add } = setup()
    await add('left')
    const now = clock.now()
    await jobs.claim({ kinds: ['work'], owner: 'dead', now, leaseUntil: now + DAY_MS })
    await scheduler.start()
    await settle()
    expect(ran).toMatchObject([{ key: 'left', attempt: 2 }])
  })
})

describe('a clock that jumps', () => {
  it('an hour forward takes no running job from its handler, and lets due ones start', async () => {
    const { handle, reasons, end } = held()
    const { clock, ran, scheduler, add } = setup({ handle })
    await add('running')
    await add('due', clock.now() + HOUR_MS)
    await scheduler.start()
    await settle()
    clock.jump(HOUR_MS)
    await clock.advance(30_000)
    expect(reasons).toEqual([])
    expect(ran.map((one) => `${one.key} ${one.attempt}`)).toEqual(['running 1', 'due 1'])
    end('running')
    end('due')
  })

  it('an hour back starts nothing early or twice, and stalls nothing', async () => {
    const { handle, reasons, end } = held()
    const { clock, jobs, ran, scheduler, add } = setup({ handle })
    await jobs.setLane({ name: 'lane', capacity: 9, paceMs: 200 })
    await add('running', clock.now(), 'lane')
    await scheduler.start()
    const due = clock.now() + 60_000
    await add('later', due, 'lane')
    scheduler.wake()
    await settle()
    clock.jump(-HOUR_MS)
    await add('new', clock.now(), 'lane')
    scheduler.wake()
    await clock.advance(HOUR_MS + 59_000)
    expect(ran.map((one) => one.key)).toEqual(['running', 'new'])
    await clock.advance(1000)
    expect(ran.at(-1)).toEqual({ key: 'later', at: due, attempt: 1 })
    expect(reasons).toEqual([])
    for (const key of ['running', 'new', 'later']) end(key)
  })
})

describe('what is logged of a job', () => {
  it('names what it is about', async () => {
    const lines: { message: string; fields: Record<string, unknown> }[] = []
    const warn = (message: string, fields: Record<string, unknown> = {}): void =>
      void lines.push({ message, fields: redact(fields, { personal: false }) })
    const { clock, scheduler, add } = setup({
      log: { ...silentLog, warn },
      handle: () => Promise.reject(new Error('away')),
    })
    await add('0195b1a0')
    await scheduler.start()
    await clock.advance(0)
    expect(lines[0]).toMatchObject({ message: 'job failed', fields: { about: '0195b1a0' } })
  })
})

describe('stopping', () => {
  it('claims nothing more and waits for what runs', async () => {
    const { handle, end } = held()
    const { clock, jobs, ran, scheduler, add } = setup({ handle })
    await add('a')
    await scheduler.start()
    await settle()
    let stopped = false
    const stop = scheduler.stop().then(() => {
      stopped = true
    })
    await add('b')
    scheduler.wake()
    await clock.advance(LEASE_MS * 2)
    expect(stopped).toBe(false)
    end('a')
    await stop
    expect(ran.map((one) => one.key)).toEqual(['a'])
    expect(await jobs.rescue({ now: clock.now(), all: true })).toBe(0)
    await scheduler.stop()
  })

  it('tells running handlers why, and leaves their jobs due for the next start', async () => {
    const { handle, reasons } = held()
    const { clock, jobs, scheduler, make, ran, add } = setup({ handle })
    await add('a')
    await scheduler.start()
    await settle()
    scheduler.abort('work', 'shutdown')
    await scheduler.stop()
    expect(reasons).toEqual(['shutdown'])
    expect(await jobs.nextDue({ kinds: ['work'] })).toBe(clock.now())
    const next = make()
    await next.start()
    await settle()
    expect(ran.map((one) => one.attempt)).toEqual([1, 2])
    next.abort('work', 'shutdown')
    await next.stop()
  })

  it('may come before the start, which then does nothing', async () => {
    const { ran, scheduler, add } = setup()
    await add('a')
    await scheduler.stop()
    await scheduler.start()
    await settle()
    expect(ran).toEqual([])
  })
})

describe('a store that fails for a while', () => {
  it('delays jobs, and loses none', async () => {
    let broken = true
    const storage = openTestStorage()
    const { clock } = storage
    const jobs = {
      ...storage.jobs,
      claim: (o: Parameters<typeof storage.jobs.claim>[0]) =>
        broken ? Promise.reject(new Error('disk full')) : storage.jobs.claim(o),
    }
    const { ran, scheduler } = setup({ jobs, clock })
    await storage.jobs.add({ kind: 'work', key: 'a', lane: null, runAt: clock.now() })
    await scheduler.start()
    await clock.advance(5000)
    expect(ran).toEqual([])
    broken = false
    await clock.advance(1000)
    expect(ran).toHaveLength(1)
  })
})
