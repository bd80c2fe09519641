/** Where time comes from. Everything that waits or stamps is given one; only the composition root makes the real one. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since some moment: setting the machine's clock does not move it. For whatever is measured or due. */
  steady(): number
  /** Runs `fn` once, `ms` from now. Returns a function that forgets it. */
  after(ms: number, fn: () => void): () => void
}

/** setTimeout counts in 32 bits: a longer wait would fire at once. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, fn) {
    let timer: ReturnType<typeof setTimeout>
    const arm = (left: number): void => {
      timer =
        left > LONGEST_TIMEOUT
          ? setTimeout(() => arm(left - LONGEST_TIMEOUT), LONGEST_TIMEOUT)
          : setTimeout(fn, Math.max(0, left))
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves `ms` from now, or at once when `signal` aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted) return done()
    const finish = (): void => {
      forget()
      signal?.removeEventListener('abort', finish)
      done()
    }
    const forget = clock.after(ms, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}
