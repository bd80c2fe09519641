import type { Clock } from '../core/clock.ts'

/** How far apart the looks at the clock are. */
const LOOK_MS = 1000
/** Between two looks no more than this passes, however busy the machine is: more is a clock that was set. */
const MOST_MS = 60_000

/** The time of one call from its answer on: setting the machine's clock changes neither its length nor its price. */
export interface CallTime {
  /** Milliseconds since the epoch, counted on from the answer. */
  now(): number
  stop(): void
}

export function createCallTime(clock: Clock): CallTime {
  let seen = clock.now()
  /** By how much the clock was set since the answer. */
  let set = 0

  function look(): void {
    const passed = clock.now() - seen
    if (passed < 0 || passed > MOST_MS) set += passed - LOOK_MS
    seen += passed
    forget = clock.after(LOOK_MS, look)
  }

  let forget = clock.after(LOOK_MS, look)
  return {
    now() {
      const passed = clock.now() - seen
      const likely = passed < 0 ? 0 : passed > MOST_MS ? LOOK_MS : passed
      return seen - set + likely
    },
    stop: () => forget(),
  }
}
