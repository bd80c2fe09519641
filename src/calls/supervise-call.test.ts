import { describe, expect, it } from 'vitest'
import { aCall } from '../../test/conformance/stores.ts'
import { createFakeLeg } from '../../test/kit/fake-leg.ts'
import { testIds } from '../../test/kit/open-test-storage.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import type { CallStore } from './call-store.ts'
import { superviseCall } from './supervise-call.ts'

const fence = { jobId: 'job', fence: 1 }

/** A call that is answered now, at a cent a minute. */
function setup(o: Partial<Pick<CallStore, 'heartbeat' | 'extendHold'>> = {}) {
  const clock = new SimClock()
  const held: unknown[] = []
  const beats: number[] = []
  const calls = {
    async heartbeat(_id: string, { now }: { now: number }) {
      beats.push(now)
      return true
    },
    async extendHold(_id: string, asked: Parameters<CallStore['extendHold']>[1]) {
      held.push(asked)
      return true
    },
    ...o,
  } as unknown as CallStore
  const leg = createFakeLeg({ clock })
  const stop = new AbortController()
  const ids = testIds(clock)
  const call = aCall({ ids, clock } as Parameters<typeof aCall>[0], {
    status: 'in_progress',
    startedAt: clock.now(),
    centsPerMinute: 1,
  })
  const relieve = superviseCall(
    { clock, log: silentLog, calls, options: { billingEnabled: true } },
    { call, fence, leg, stop, time: () => clock.now() },
  )
  const from = clock.now()
  return { clock, leg, stop, relieve, held, beats: () => beats.map((at) => at - from) }
}

describe('the supervision of an answered call', () => {
  it('shows a sign of life every five seconds, and none once it is relieved', async () => {
    const { clock, relieve, beats } = setup()
    await clock.advance(12_000)
    relieve()
    await clock.advance(60_000)
    expect(beats()).toEqual([5000, 10_000])
  })

  it('holds the next minute in time, under the fence', async () => {
    const { clock, held } = setup()
    await clock.advance(60_000)
    expect(held).toEqual([{ fence, holdCents: 2 }])
  })

  it('asks for the goodbye when the balance is used up, and hangs up before the minute is over', async () => {
    const { clock, leg, stop } = setup({ extendHold: async () => false })
    let endedAt = 0
    const from = clock.now()
    void leg.ended.then(() => {
      endedAt = clock.now() - from
    })
    await clock.advance(60_000)
    expect(stop.signal.reason).toBe('out_of_balance')
    expect(endedAt).toBe(56_000)
  })

  it.each(['heartbeat', 'extendHold'] as const)(
    'leaves nothing behind when it is relieved while %s is being stored',
    async (method) => {
      const answer = Promise.withResolvers<boolean>()
      const { clock, leg, stop, relieve } = setup({
        extendHold: async () => false,
        [method]: () => answer.promise,
      })
      await clock.advance(50_000)
      relieve()
      answer.resolve(method === 'heartbeat')
      let ended = false
      void leg.ended.then(() => {
        ended = true
      })
      await clock.advance(600_000)
      expect([stop.signal.aborted, ended]).toEqual([false, false])
    },
  )

  it('ends a call that another process has taken over', async () => {
    const { clock, stop, held } = setup({ heartbeat: async () => false })
    await clock.advance(5000)
    expect(stop.signal.reason).toBe('canceled')
    await clock.advance(60_000)
    expect(held).toEqual([])
  })
})
