import { afterEach, describe, expect, it } from 'vitest'
import { aCall, create } from '../../test/conformance/stores.ts'
import { createFakeTrunk, type Phone } from '../../test/kit/fake-trunk.ts'
import { openTestStorage } from '../../test/kit/open-test-storage.ts'
import { settle } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import { createCallEvents } from './call-events.ts'
import { createCallTraces } from './call-trace.ts'
import { createCancelCall } from './cancel-call.ts'
import { createLiveCalls } from './live-calls.ts'
import type { Conversation, Readiness } from './ports.ts'
import { createRunCall } from './run-call.ts'
import { createSettleCall } from './settle-call.ts'

const NUMBER = '+15551234567'
const cleanUps: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** One call with a phone and a conversation as the test wants them. */
async function setup(o: {
  phone?: Phone
  talk: Conversation['talk']
  engines?: string
  /** When the engines have been asked once. */
  asked?: Promise<void>
  maxAttempts?: number
}) {
  const storage = openTestStorage()
  cleanUps.push(() => storage.close())
  const { clock, calls, jobs } = storage
  const trunk = createFakeTrunk({ clock })
  trunk.phone(NUMBER, { answersAfter: 1000, ...o.phone })
  const live = createLiveCalls()
  const state = (o.engines ?? 'ready') as ReturnType<Readiness['engines']>['state']
  const run = createRunCall({
    clock,
    log: silentLog,
    calls,
    trunk,
    talker: {
      prepare: () => ({ ready: Promise.resolve(), discard: () => undefined, talk: o.talk }),
      summarise: async (_brief, turns) => `${turns.length} turns`,
    },
    readiness: {
      first: () => o.asked ?? Promise.resolve(),
      engines: () => ({ state, reason: '' }),
      trunkNumbers: () => ['+15559876543'],
      hasTrunk: () => true,
    },
    live,
    traces: createCallTraces({ clock, log: silentLog, calls }),
    events: createCallEvents({ calls }),
    settle: createSettleCall({ clock, calls, billingEnabled: true, onSettled: () => undefined }),
    dialRefusal: () => null,
    onDue: () => undefined,
    options: { billingEnabled: true, ringTimeoutMs: 45_000, maxLatenessMs: 900_000 },
  })
  const call = aCall(storage, {
    ...{ toNumber: NUMBER, maxDurationSeconds: 60, centsPerMinute: 1 },
    maxAttempts: o.maxAttempts ?? 1,
  })
  await create(storage, call)
  const claim = async () => {
    const now = clock.now()
    const job = await jobs.claim({
      ...{ kinds: ['call.run'], owner: 'me', now, leaseUntil: now + 15_000 },
    })
    if (!job) throw new Error('no call is due')
    return { jobId: job.id, fence: job.fence }
  }
  const begin = async () => run(call.id, await claim(), new AbortController().signal)
  const seen = async () => {
    const found = await calls.get(call.id)
    return found && [found.status, found.endReason, found.durationSeconds, found.summary]
  }
  return { clock, calls, jobs, trunk, live, call, claim, run, begin, seen }
}

const never: Conversation['talk'] = () => new Promise(() => {})

describe('a call whose conversation does not end', () => {
  it('gets its BYE fifteen seconds after maxDuration, and is settled', async () => {
    const { clock, trunk, begin, seen } = await setup({ talk: never })
    void begin()
    await clock.advance(1000 + 75_000 - 1)
    expect(trunk.placed[0]?.ladder).toEqual(['INVITE', '180', '200'])
    await clock.advance(1)
    expect(trunk.placed[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    await clock.advance(10_000)
    expect(await seen()).toEqual(['completed', 'max_duration', 75, '0 turns'])
  })

  it('is settled with what was said when the human hangs up', async () => {
    const { clock, begin, seen } = await setup({
      phone: { hangsUpAfter: 5000 },
      talk(leg, { on }) {
        const said = { turn: 0, role: 'agent', text: 'Hi.', final: true, at: clock.now() } as const
        on({ type: 'transcript', ...said })
        return never(leg, { signal: new AbortController().signal, on })
      },
    })
    void begin()
    await clock.advance(16_000)
    expect(await seen()).toEqual(['completed', 'human_hangup', 5, '1 turns'])
  })

  it('is settled at once when the telephony ends it at a shutdown', async () => {
    const { clock, trunk, live, begin, seen } = await setup({ talk: never })
    void begin()
    await clock.advance(5000)
    live.stopAll('shutdown')
    await clock.advance(8000)
    expect((await seen())?.[0]).toBe('in_progress')
    trunk.placed[0]?.leg?.end({ by: 'us' })
    await clock.advance(500)
    expect((await seen())?.slice(0, 2)).toEqual(['completed', 'shutdown'])
  })

  it('is told to stop, and whatever it says then is written nowhere', async () => {
    const said = (text: string) =>
      ({ type: 'transcript', turn: 0, role: 'agent', text, final: true, at: 0 }) as const
    const told: unknown[] = []
    const { clock, calls, call, begin, seen } = await setup({
      phone: { hangsUpAfter: 5000 },
      talk(_leg, { signal, on }) {
        on(said('Hi.'))
        const late = (): void => on(said('Too late.'))
        signal.addEventListener('abort', () => {
          told.push(signal.reason)
          late()
        })
        clock.after(20_000, late)
        return new Promise(() => {})
      },
    })
    const run = begin()
    await clock.advance(16_000)
    expect(told).toEqual(['canceled'])
    expect((await seen())?.slice(0, 2)).toEqual(['completed', 'human_hangup'])
    const events = await calls.events(call.id, 0)
    await clock.advance(60_000)
    expect(await calls.events(call.id, 0)).toEqual(events)
    expect((await calls.transcript(call.id)).map(({ text }) => text)).toEqual(['Hi.'])
    expect(await run).toEqual({ done: true })
  })

  it('is settled although nobody confirms its BYE', async () => {
    const { clock, trunk, begin, seen } = await setup({ phone: { deaf: true }, talk: never })
    void begin()
    await clock.advance(1000 + 75_000 + 20_000)
    expect(trunk.placed[0]?.ladder).toEqual(['INVITE', '180', '200', 'BYE'])
    expect((await seen())?.slice(0, 2)).toEqual(['completed', 'max_duration'])
  })
})

describe('a call whose conversation breaks', () => {
  it('ends as engine_error', async () => {
    const talk = () => Promise.reject(new Error('bug'))
    const { clock, trunk, begin, seen } = await setup({ talk })
    void begin()
    await clock.advance(2000)
    expect((await seen())?.slice(0, 2)).toEqual(['completed', 'engine_error'])
    expect(trunk.placed[0]?.ladder.at(-1)).toBe('BYE')
  })
})

describe('a call that was claimed before', () => {
  it('and dialled gets its CANCEL and is closed as interrupted, never dialled again', async () => {
    const { clock, trunk, jobs, begin, seen, claim, calls, call } = await setup({
      phone: { answersAfter: null },
      talk: never,
    })
    void begin()
    await clock.advance(1000)
    // Its lease is taken from it, as after a stall: what it still writes is lost.
    await jobs.rescue({ now: clock.now(), all: true })
    await begin()
    await settle()
    expect(trunk.placed).toHaveLength(1)
    expect(trunk.placed[0]?.ladder).toEqual(['INVITE', '180', 'CANCEL'])
    expect((await seen())?.slice(0, 2)).toEqual(['failed', 'interrupted'])
    await expect(claim()).rejects.toThrow('no call is due')
    expect(await calls.events(call.id, 0)).toHaveLength(4)
  })

  it('and not dialled is dialled', async () => {
    const { clock, trunk, jobs, begin, claim } = await setup({ talk: never })
    await claim()
    await jobs.rescue({ now: clock.now(), all: true })
    void begin()
    await clock.advance(100)
    expect(trunk.placed).toHaveLength(1)
  })
})

describe('a due call', () => {
  it.each(['unknown', 'away', 'missing'])('waits while the engines are %s', async (engines) => {
    const { clock, trunk, begin } = await setup({ talk: never, engines })
    expect(await begin()).toEqual({ again: clock.now() + 2000 })
    expect(trunk.placed).toEqual([])
  })

  it('waits where it is until the engines have been asked once', async () => {
    const asked = Promise.withResolvers<void>()
    const { clock, trunk, begin } = await setup({ talk: never, asked: asked.promise })
    void begin()
    await clock.advance(3000)
    expect(trunk.placed).toEqual([])
    asked.resolve()
    await clock.advance(0)
    expect(trunk.placed).toHaveLength(1)
  })
})

describe('a call that is canceled while its next attempt is put down', () => {
  const busy = { talk: never, phone: { status: 486 }, maxAttempts: 3 }

  it('ends, when that was stored before the cancel was heard', async () => {
    const { clock, calls, live, call, begin, seen } = await setup(busy)
    const { scheduleRetry } = calls
    calls.scheduleRetry = async (id, o) => {
      const waiting = await scheduleRetry(id, o)
      expect(live.stop(call.id, 'canceled')).toBe(true)
      return waiting
    }
    void begin()
    await clock.advance(1000)
    expect((await seen())?.slice(0, 2)).toEqual(['canceled', 'canceled'])
  })

  it('ends, when the cancel was heard before', async () => {
    const { clock, trunk, live, call, begin, seen } = await setup(busy)
    const { dial } = trunk
    trunk.dial = async (request) => {
      const dialed = await dial(request)
      live.stop(call.id, 'canceled')
      return dialed
    }
    void begin()
    await clock.advance(1000)
    expect((await seen())?.slice(0, 2)).toEqual(['canceled', 'canceled'])
  })

  it('ends, when its run hears of the cancel no more', async () => {
    const { clock, calls, call, begin, seen } = await setup(busy)
    void begin()
    await clock.advance(1000)
    expect((await seen())?.[0]).toBe('scheduled')
    const cancel = createCancelCall({
      ...{ clock, calls },
      live: { ...createLiveCalls(), stop: () => true },
      settle: createSettleCall({ clock, calls, billingEnabled: true, onSettled: () => undefined }),
    })
    expect((await cancel(call.id)).status).toBe('canceled')
  })

  it('is nothing that a lost lease looks like', async () => {
    const { clock, calls, claim, run, call, seen } = await setup(busy)
    const lease = new AbortController()
    const { scheduleRetry } = calls
    calls.scheduleRetry = async (id, o) => {
      const waiting = await scheduleRetry(id, o)
      lease.abort()
      return waiting
    }
    void run(call.id, await claim(), lease.signal)
    await clock.advance(1000)
    expect((await seen())?.[0]).toBe('scheduled')
  })
})
