/** Limits that live in memory. Nothing here reads a clock: `now` is milliseconds and handed in. */

/** Null: go on. Else the whole seconds after which the next try makes sense, at least 1. */
export type Refusal = number | null

/** More names than this are not kept; the one that was quiet longest is forgotten. */
const MAX_NAMES = 10_000

/** One token bucket per name: `perSecond` tokens flow in, up to `burst` wait to be taken. */
export class TokenBuckets {
  private readonly buckets = new Map<string, { tokens: number; at: number }>()
  private readonly perSecond: number
  private readonly burst: number

  constructor(o: { perSecond: number; burst: number }) {
    this.perSecond = o.perSecond
    this.burst = o.burst
  }

  /** Takes one token. */
  take(name: string, now: number): Refusal {
    const bucket = this.buckets.get(name) ?? { tokens: this.burst, at: now }
    // A clock that went back gives nothing and takes nothing.
    const elapsed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(this.burst, bucket.tokens + (elapsed * this.perSecond) / 1000)
    bucket.at = now
    keepNewest(this.buckets, name, bucket)
    if (bucket.tokens < 1) return wait((1 - bucket.tokens) / this.perSecond)
    bucket.tokens--
    return null
  }
}

/** At most `max` events per name in any `windowMs`. What was refused does not count. */
export class SlidingWindow {
  private readonly times = new Map<string, number[]>()
  private readonly max: number
  private readonly windowMs: number

  constructor(o: { max: number; windowMs: number }) {
    this.max = o.max
    this.windowMs = o.windowMs
  }

  take(name: string, now: number): Refusal {
    // Times ahead of `now` are of a clock that went back: they count as expired.
    const recent = (this.times.get(name) ?? []).filter(
      (at) => at <= now && now - at < this.windowMs,
    )
    const oldest = recent[0]
    if (oldest !== undefined && recent.length >= this.max) {
      keepNewest(this.times, name, recent)
      return wait((oldest + this.windowMs - now) / 1000)
    }
    keepNewest(this.times, name, [...recent, now])
    return null
  }
}

function keepNewest<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name)
  map.set(name, value)
  if (map.size <= MAX_NAMES) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

function wait(seconds: number): number {
  return Math.max(1, Math.ceil(seconds))
}
