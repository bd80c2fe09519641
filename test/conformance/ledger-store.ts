import { describe, expect, it } from 'vitest'
import {
  aCall,
  answeredCall,
  create,
  type OpenStores,
  type StoresUnderTest,
  settle,
  withStores,
} from './stores.ts'

/** What every LedgerStore does, alone and with the calls that it pays. */
export function exerciseLedgerStore(name: string, open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe(`${name}: the ledger`, () => {
    check('starts with the first credit and grows by later ones', async (s) => {
      expect(await s.ledger.account()).toMatchObject({ balanceCents: 500 })
      const entry = { id: s.ids.uuid(), amountCents: 250, at: s.clock.now() }
      expect(await s.ledger.credit(entry)).toMatchObject({ balanceCents: 750 })
      expect(await s.ledger.account()).toMatchObject({ balanceCents: 750 })
    })

    check('writes an entry once, however often it is sent', async (s) => {
      const entry = { id: s.ids.uuid(), amountCents: 250, at: s.clock.now() }
      await s.ledger.credit(entry)
      expect(await s.ledger.credit(entry)).toMatchObject({ balanceCents: 750 })
    })

    check('falls by exactly the sum of costs, whatever the order of events', async (s) => {
      // A fixed generator, so that a failure can be repeated.
      let seed = 42
      const below = (n: number): number => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
        return Math.floor((seed / 2_147_483_648) * n)
      }
      let expected = 500
      const open: { id: string; fence: Awaited<ReturnType<typeof answeredCall>>['fence'] }[] = []
      for (let step = 0; step < 200; step++) {
        const what = below(4)
        if (what === 0) {
          const amountCents = 1 + below(100)
          await s.ledger.credit({ id: s.ids.uuid(), amountCents, at: s.clock.now() })
          expected += amountCents
        } else if (what === 1) {
          const { call, fence } = await answeredCall(s, { holdCents: 0 })
          open.push({ id: call.id, fence })
        } else if (what === 2) {
          // A call that is created while others run changes nothing.
          const made = aCall(s, { status: 'scheduled', callAt: s.clock.now() + 1e9, holdCents: 0 })
          await create(s, made, { checkBalance: false })
        } else {
          const next = open.splice(below(open.length), 1)[0]
          if (!next) continue
          const costCents = below(50)
          const charge = below(5) > 0
          const o = { fence: next.fence, charge, result: { costCents } }
          // Told twice, charged once.
          const settled = await Promise.all([settle(s, next.id, o), settle(s, next.id, o)])
          expect(settled.filter((call) => call !== null)).toHaveLength(1)
          if (charge) expected -= costCents
        }
        expect((await s.ledger.account()).balanceCents).toBe(expected)
      }
    })
  })
}
