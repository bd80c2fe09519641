/** Where a page ends: what the next one comes after. */
export interface PageKey {
  createdAt: number
  id: string
}

/** One page, newest first; `next` is null on the last. */
export interface Page<T> {
  data: readonly T[]
  next: PageKey | null
}

/** Reads one row more than a page holds, and so knows whether another follows. */
export async function pageOf<T extends PageKey, O extends { limit: number }>(
  o: O,
  read: (o: O) => Promise<T[]>,
): Promise<Page<T>> {
  const rows = await read({ ...o, limit: o.limit + 1 })
  const data = rows.slice(0, o.limit)
  const last = rows.length > o.limit ? data.at(-1) : undefined
  return { data, next: last ? { createdAt: last.createdAt, id: last.id } : null }
}
