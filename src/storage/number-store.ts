import { asc, eq } from 'drizzle-orm'
import type { NumberFields, NumberStore, OwnNumber } from '../calls/own-number.ts'
import type { StoreParts } from './database.ts'
import { number } from './schema.ts'

type Row = typeof number.$inferSelect

/** What a row that was written before a field existed says of it. */
const ABSENT: NumberFields = {
  instructions: '',
  firstMessage: null,
  name: null,
  metadata: null,
  maxDurationSeconds: null,
  transferTo: null,
}

/** How calls to our own numbers are answered; the fields of each are one JSON text. */
export function createNumberStore({ rows, tx }: StoreParts): NumberStore {
  return {
    put: (id, o) =>
      tx.write(() => {
        const written = { fields: { ...o.fields }, updatedAt: o.now }
        const row = rows
          .insert(number)
          .values({ number: id, createdAt: o.now, ...written })
          .onConflictDoUpdate({ target: number.number, set: written })
          .returning()
          .get()
        return toOwnNumber(row)
      }),
    async get(id) {
      const row = tx.read(() => rows.select().from(number).where(eq(number.number, id)).get())
      return row ? toOwnNumber(row) : null
    },
    async list() {
      return tx
        .read(() => rows.select().from(number).orderBy(asc(number.number)).all())
        .map(toOwnNumber)
    },
    remove: (id) =>
      tx.write(
        () =>
          rows.delete(number).where(eq(number.number, id)).returning({ id: number.number }).all()
            .length === 1,
      ),
  }
}

function toOwnNumber({ number: id, fields, createdAt, updatedAt }: Row): OwnNumber {
  return { ...ABSENT, ...(fields as Partial<NumberFields>), number: id, createdAt, updatedAt }
}
