import { describe, expect, it } from 'vitest'
import type { NumberFields } from '../../src/calls/own-number.ts'
import { type OpenStores, type StoresUnderTest, withStores } from './stores.ts'

const FIELDS: NumberFields = {
  instructions: 'Take orders, “politely” 🍕.',
  firstMessage: 'Hello.',
  name: "Joe's",
  metadata: { shop: '7' },
  maxDurationSeconds: 60,
  transferTo: '+15557654321',
}
const NONE: NumberFields = {
  instructions: 'x',
  firstMessage: null,
  name: null,
  metadata: null,
  maxDurationSeconds: null,
  transferTo: null,
}

/** What every NumberStore does. */
export function exerciseNumberStore(name: string, open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe(`${name}: own numbers`, () => {
    check('are kept as they were put', async ({ numbers, clock }) => {
      const now = clock.now()
      const kept = { number: '+15559876543', ...FIELDS, createdAt: now, updatedAt: now }
      expect(await numbers.put('+15559876543', { fields: FIELDS, now })).toEqual(kept)
      expect(await numbers.get('+15559876543')).toEqual(kept)
      expect(await numbers.get('+15559876544')).toBeNull()
    })

    check('are replaced whole, since when they were first put', async ({ numbers }) => {
      await numbers.put('+15559876543', { fields: FIELDS, now: 5 })
      const replaced = { number: '+15559876543', ...NONE, createdAt: 5, updatedAt: 9 }
      expect(await numbers.put('+15559876543', { fields: NONE, now: 9 })).toEqual(replaced)
      expect(await numbers.list()).toEqual([replaced])
    })

    check('are listed in their order, and removed once', async ({ numbers }) => {
      await numbers.put('+4930123456', { fields: NONE, now: 1 })
      await numbers.put('+15559876543', { fields: NONE, now: 2 })
      const listed = async () => (await numbers.list()).map(({ number }) => number)
      expect(await listed()).toEqual(['+15559876543', '+4930123456'])
      expect(await numbers.remove('+15559876543')).toBe(true)
      expect(await numbers.remove('+15559876543')).toBe(false)
      expect(await listed()).toEqual(['+4930123456'])
    })
  })
}
