import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { KeyStore } from '../billing/ports.ts'
import type { StoreParts } from './database.ts'
import { apiKey } from './schema.ts'

const columns = {
  id: apiKey.id,
  name: apiKey.name,
  createdAt: apiKey.createdAt,
  revokedAt: apiKey.revokedAt,
}

export function createKeyStore({ rows, tx }: StoreParts): KeyStore {
  // Asked with every request.
  const byHash = rows
    .select(columns)
    .from(apiKey)
    .where(and(eq(apiKey.hash, sql.placeholder('hash')), isNull(apiKey.revokedAt)))
    .prepare()
  return {
    async create(key) {
      await tx.write(() => rows.insert(apiKey).values(key).run())
    },
    async findByHash(hash) {
      return tx.read(() => byHash.get({ hash }) ?? null)
    },
    async list() {
      return tx.read(() =>
        rows.select(columns).from(apiKey).orderBy(asc(apiKey.createdAt), asc(apiKey.id)).all(),
      )
    },
    revoke(id, at) {
      return tx.write(() => {
        const revoked = rows
          .update(apiKey)
          .set({ revokedAt: at })
          .where(and(eq(apiKey.id, id), isNull(apiKey.revokedAt)))
          .returning({ id: apiKey.id })
          .all()
        return revoked.length === 1
      })
    },
  }
}
