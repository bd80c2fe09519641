import { describe, expect, it } from 'vitest'
import type { Dialed, DialRequest, SipState, Trunk } from '../../src/calls/ports.ts'
import type { Phone } from '../kit/fake-trunk.ts'

/** A trunk with one telephone at its other end. */
export interface TrunkUnderTest {
  trunk: Trunk
  /** What the phone does with the calls that come from now on. */
  phone(phone: Pick<Phone, 'ringsAfter' | 'answersAfter' | 'status' | 'dead'>): void
  /** The requests that reached the phone, in order, each once; no ACK. */
  requests(): string[]
  /** The human hangs up. */
  hangUp(): void
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>
  /** Lets time pass until `promise` settles. */
  settled<T>(promise: Promise<T>): Promise<T>
  close(): Promise<void>
}

export const PHONE_NUMBER = '+15551234567'
const CALLER = '+15550001111'

/** What every trunk owes the rules of calls. Times are short: some trunks live in real time. */
export function exerciseTrunk(name: string, open: () => Promise<TrunkUnderTest>): void {
  const check = (sentence: string, test: (t: TrunkUnderTest) => Promise<void>): void =>
    it(sentence, async () => {
      const t = await open()
      try {
        await test(t)
      } finally {
        await t.close()
      }
    })

  describe(`${name} as a trunk`, () => {
    check(
      'rings once and answers; a hang-up of ours ends it, however often it is asked for',
      async (t) => {
        t.phone({ ringsAfter: 10, answersAfter: 60 })
        const call = dial(t)
        const dialed = await t.settled(call.dialed)
        if (!('answered' in dialed)) throw new Error(dialed.reason)
        expect(call.rang()).toBe(1)
        const leg = dialed.answered
        expect(leg.held).toBe(false)
        await t.settled(Promise.all([leg.hangup(), leg.hangup()]))
        await t.settled(leg.hangup())
        expect(await leg.ended).toEqual({ by: 'us' })
        expect(t.requests()).toEqual(['INVITE', 'BYE'])
      },
    )

    check('waits for what a crash would need to be stored before its INVITE leaves', async (t) => {
      const stored = Promise.withResolvers<void>()
      const states: SipState[] = []
      const { dialed } = dial(t, {
        async beforeInvite(state) {
          states.push(state)
          await stored.promise
        },
      })
      await t.pass(100)
      expect(states).toMatchObject([{ trunk: 'main', phase: 'invite' }])
      expect(t.requests()).toEqual([])
      stored.resolve()
      const answer = await t.settled(dialed)
      if (!('answered' in answer)) throw new Error(answer.reason)
      expect(answer.state).toMatchObject({
        ...{ trunk: 'main', phase: 'dialog' },
        callId: states[0]?.callId,
      })
      expect(JSON.parse(JSON.stringify(answer.state))).toEqual(answer.state)
    })

    check('tells the dialog of an answer, and hands the leg over meanwhile', async (t) => {
      const told: SipState[] = []
      const { dialed } = dial(t, {
        async onAnswered(state) {
          told.push(state)
          await new Promise(() => undefined)
        },
      })
      const answer = await t.settled(dialed)
      if (!('answered' in answer)) throw new Error(answer.reason)
      expect(told).toEqual([answer.state])
      expect(told).toMatchObject([{ trunk: 'main', phase: 'dialog' }])
    })

    check('sends nothing when that cannot be stored, and throws what was thrown', async (t) => {
      const full = new Error('the disk is full')
      const { dialed } = dial(t, {
        beforeInvite: async () => {
          throw full
        },
      })
      await expect(t.settled(dialed)).rejects.toBe(full)
      await t.pass(100)
      expect(t.requests()).toEqual([])
    })

    check('tells when the human hangs up', async (t) => {
      const dialed = await t.settled(dial(t).dialed)
      if (!('answered' in dialed)) throw new Error(dialed.reason)
      t.hangUp()
      expect(await t.settled(dialed.answered.ended)).toEqual({ by: 'human' })
      await t.settled(dialed.answered.hangup())
      expect(t.requests()).toEqual(['INVITE'])
    })

    for (const [status, failed] of [
      [486, 'busy'],
      [600, 'busy'],
      [408, 'no_answer'],
      [480, 'no_answer'],
      [302, 'rejected'],
      [404, 'rejected'],
      [603, 'rejected'],
      [401, 'trunk_error'],
      [503, 'trunk_error'],
    ] as const)
      check(`takes ${status} for ${failed}`, async (t) => {
        t.phone({ ringsAfter: 10, answersAfter: 40, status })
        expect(await t.settled(dial(t).dialed)).toMatchObject({ failed, sipCode: status })
        expect(t.requests()).toEqual(['INVITE'])
      })

    check('takes a refused socket for trunk_error', async (t) => {
      t.phone({ dead: 'refused' })
      expect(await t.settled(dial(t).dialed)).toMatchObject({
        failed: 'trunk_error',
        sipCode: null,
      })
    })

    check('cancels what rings for too long: no_answer', async (t) => {
      t.phone({ ringsAfter: 10, answersAfter: null })
      const { dialed, rang } = dial(t, { ringTimeoutMs: 150 })
      expect(await t.settled(dialed)).toMatchObject({ failed: 'no_answer' })
      expect(rang()).toBe(1)
      expect(t.requests()).toEqual(['INVITE', 'CANCEL'])
    })

    check('cancels what rings when it is asked to', async (t) => {
      t.phone({ ringsAfter: 10, answersAfter: null })
      const { dialed, abort } = dial(t)
      await t.pass(100)
      abort()
      expect(await t.settled(dialed)).toMatchObject({ failed: 'canceled' })
      expect(t.requests()).toEqual(['INVITE', 'CANCEL'])
    })

    check('sends nothing for a call that was canceled before its INVITE', async (t) => {
      const early = dial(t, { signal: AbortSignal.abort('canceled') })
      expect(await t.settled(early.dialed)).toMatchObject({ failed: 'canceled', sipCode: null })
      const later = dial(t, {
        async beforeInvite() {
          await Promise.resolve()
          later.abort()
        },
      })
      expect(await t.settled(later.dialed)).toMatchObject({ failed: 'canceled', sipCode: null })
      await t.pass(100)
      expect(t.requests()).toEqual([])
    })

    check('leaves an answered call alone when the dial is canceled after it', async (t) => {
      const { dialed, abort } = dial(t)
      const answer = await t.settled(dialed)
      if (!('answered' in answer)) throw new Error(answer.reason)
      abort()
      await t.pass(100)
      expect(t.requests()).toEqual(['INVITE'])
    })

    check('says how it is', async (t) => {
      expect(await t.trunk.probes()).toMatchObject([{ name: 'trunk main', state: 'ready' }])
    })
  })
}

function dial(
  { trunk }: TrunkUnderTest,
  o: Partial<DialRequest> = {},
): { dialed: Promise<Dialed>; abort(): void; rang(): number } {
  const controller = new AbortController()
  let rang = 0
  const dialed = trunk.dial({
    to: PHONE_NUMBER,
    from: CALLER,
    callId: '0195b1a0-0000-7000-8000-000000000001',
    ringTimeoutMs: 20_000,
    signal: controller.signal,
    beforeInvite: async () => undefined,
    onRinging: () => {
      rang++
    },
    onAnswered: async () => undefined,
    ...o,
  })
  return { dialed, abort: () => controller.abort('canceled'), rang: () => rang }
}
