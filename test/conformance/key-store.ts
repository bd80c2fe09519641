import { describe, expect, it } from 'vitest'
import { type OpenStores, type StoresUnderTest, withStores } from './stores.ts'

/** What every KeyStore does. */
export function exerciseKeyStore(name: string, open: OpenStores): void {
  const check = (title: string, use: (s: StoresUnderTest) => Promise<void>): void =>
    it(title, () => withStores(open, use))

  describe(`${name}: API keys`, () => {
    check('are found by their hash until they are revoked', async (s) => {
      const createdAt = s.clock.now()
      const key = { id: s.ids.uuid(), name: 'ci', createdAt }
      await s.keys.create({ ...key, hash: 'h1' })
      await s.keys.create({ id: s.ids.uuid(), name: 'other', hash: 'h2', createdAt })
      expect(await s.keys.findByHash('h1')).toEqual({ ...key, revokedAt: null })
      expect(await s.keys.findByHash('h3')).toBeNull()
      expect(await s.keys.revoke(key.id, createdAt + 1)).toBe(true)
      expect(await s.keys.findByHash('h1')).toBeNull()
      expect((await s.keys.findByHash('h2'))?.name).toBe('other')
    })

    check('are listed with their revocation, which happens once', async (s) => {
      const key = { id: s.ids.uuid(), name: 'ci', createdAt: s.clock.now() }
      await s.keys.create({ ...key, hash: 'h1' })
      expect(await s.keys.revoke(key.id, 5)).toBe(true)
      expect(await s.keys.revoke(key.id, 6)).toBe(false)
      expect(await s.keys.revoke('unknown', 6)).toBe(false)
      expect(await s.keys.list()).toEqual([{ ...key, revokedAt: 5 }])
    })

    check('share no hash', async (s) => {
      const key = { name: 'ci', hash: 'h1', createdAt: 0 }
      await s.keys.create({ ...key, id: s.ids.uuid() })
      await expect(s.keys.create({ ...key, id: s.ids.uuid() })).rejects.toThrow()
      expect(await s.keys.list()).toHaveLength(1)
    })
  })
}
