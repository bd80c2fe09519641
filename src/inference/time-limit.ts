import type { Clock } from '../core/clock.ts'

/** Runs `task` with a signal that aborts after `ms`; then it rejects with "no answer within … s". */
export async function within<T>(
  clock: Clock,
  ms: number,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = new AbortController()
  const forget = clock.after(ms, () => expiry.abort())
  try {
    return await task(expiry.signal)
  } catch (error) {
    if (expiry.signal.aborted) throw new TimeLimitError(ms)
    throw error
  } finally {
    forget()
  }
}

export class TimeLimitError extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`)
    this.name = 'TimeLimitError'
  }
}
