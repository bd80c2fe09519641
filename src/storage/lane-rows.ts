import { eq } from 'drizzle-orm'
import type { Rows } from './database.ts'
import { lane } from './schema.ts'

/** A lane that nobody has set yet has no limits. */
export function ensureLane(rows: Rows, name: string): void {
  rows
    .insert(lane)
    .values({ name, capacity: null, openAt: 0, paceMs: 0 })
    .onConflictDoNothing({ target: lane.name })
    .run()
}

/** Changes what `o` names; a new lane starts open and without pace. */
export function setLane(
  rows: Rows,
  o: { name: string; capacity?: number; openAt?: number; paceMs?: number },
): void {
  const { name, ...named } = o
  ensureLane(rows, name)
  const found: Record<string, unknown> =
    rows.select().from(lane).where(eq(lane.name, name)).get() ?? {}
  // What is so already is not written: each start would wait for the disk otherwise.
  const changed = Object.fromEntries(
    Object.entries(named).filter(([key, value]) => value !== undefined && value !== found[key]),
  )
  if (Object.keys(changed).length > 0)
    rows.update(lane).set(changed).where(eq(lane.name, name)).run()
}

export function removeLane(rows: Rows, name: string): void {
  rows.delete(lane).where(eq(lane.name, name)).run()
}
