/** How the appliance goes down: in order, and within ten seconds whatever hangs. */
import { type Clock, sleep } from './core/clock.ts'
import { reasonOf } from './core/errors.ts'
import type { Part } from './core/lifecycle.ts'
import type { Log } from './core/log.ts'

/** How long calls may say goodbye, and end. */
const DRAIN_MS = 8000
/** When a POST that is still under way is broken off. */
const POSTS_MS = 2000
/** How long telephony, media and engines together may take after that, and with them calls that end only now. */
const PARTS_MS = 1000
/** When the API is closed, whoever still listens. */
const END_MS = 9500

export interface ShutdownDeps {
  clock: Clock
  log: Log
  /** No new calls, the live ones are told; resolves when no handler runs any more. */
  drain(): Promise<void>
  breakOffPosts(): void
  /** Telephony, media, engines, in the order in which they were started. */
  parts: readonly Part[]
  http: Part
  close(): Promise<void>
}

/**
 * The API answers until the calls have ended: whoever watches one sees its end. A call that does not end by itself ends
 * with the telephony, and still has a moment to be settled before the database is closed. Never rejects.
 */
export function createShutdown(d: ShutdownDeps): () => Promise<void> {
  const { clock, log } = d

  /** Waits for `work`, but not for long. False when it is not over by then. */
  async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
    const patience = new AbortController()
    const late = sleep(clock, ms, patience.signal).then(() => false)
    try {
      return await Promise.race([work.then(() => true), late])
    } finally {
      patience.abort()
    }
  }

  async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      log.error('a part could not be stopped', { part: what, reason: reasonOf(error) })
    }
  }

  async function stopParts(): Promise<void> {
    for (const [i, part] of [...d.parts.entries()].reverse())
      if (
        !(await within(
          PARTS_MS,
          attempt(`${i}`, () => part.stop()),
        ))
      )
        log.warn('a part does not stop', { part: `${i}` })
  }

  return async () => {
    const from = clock.steady()
    const left = (until: number): number => Math.max(0, from + until - clock.steady())
    const drained = attempt('calls', () => d.drain())
    const forgetPosts = clock.after(POSTS_MS, () => d.breakOffPosts())
    if (!(await within(DRAIN_MS, drained))) log.warn('calls do not end')
    await within(left(DRAIN_MS + PARTS_MS), Promise.all([stopParts(), drained]))
    forgetPosts()
    await within(
      left(END_MS),
      attempt('http', () => d.http.stop()),
    )
    await attempt('storage', () => d.close())
  }
}
