/** So often the system is asked for any free port until it gives an even one. */
const MAX_TRIES = 64

/** Binds one port; undefined when somebody has it already, throws for any other reason. */
export type Bind<T> = (port: number) => Promise<T | undefined>

/**
 * Binds a free even port (RFC 3550 §11) of `range`, both ends included, beginning at `startAt` (in [0, 1)) of it and
 * going round once; [0, 0] takes any that the system gives. Throws when none is free.
 */
export async function bindEvenPort<T extends { port: number; close(): void }>(
  range: readonly [number, number],
  startAt: number,
  bind: Bind<T>,
): Promise<T> {
  const [from, to] = range
  if (from === 0 && to === 0) return bindAny(bind)
  const first = from + (from % 2)
  const count = Math.floor((to - first) / 2) + 1
  for (let n = 0; n < count; n++) {
    const place = (Math.floor(startAt * count) + n) % count
    const bound = await bind(first + 2 * place)
    if (bound) return bound
  }
  throw new Error(`no even port is free in ${from}-${to}`)
}

/** Odd ports are kept until an even one came, so that the system does not give them again. */
async function bindAny<T extends { port: number; close(): void }>(bind: Bind<T>): Promise<T> {
  const odd: T[] = []
  try {
    for (let n = 0; n < MAX_TRIES; n++) {
      const bound = await bind(0)
      if (bound && bound.port % 2 === 0) return bound
      if (bound) odd.push(bound)
    }
    throw new Error('the system gives no even port')
  } finally {
    for (const one of odd) one.close()
  }
}
