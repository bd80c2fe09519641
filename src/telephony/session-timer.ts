/** How long a session lives unless it is refreshed, and who refreshes it (RFC 4028). Pure: holds no timer. */

/** RFC 4028 §4 recommends half an hour; what we ask for, in seconds. */
const WANTED_SECONDS = 1_800
/** RFC 4028 §5: nobody may ask for less. */
const SMALLEST_SECONDS = 90
/** What an answer may set nevertheless: a peer that breaks the rule is refreshed as often as it wants, within reason. */
const SHORTEST_SECONDS = 2
/** A week. What is longer ends with the call anyway, and timers do not reach further than 24 days. */
const LONGEST_SECONDS = 604_800
/** RFC 4028 §10: so long before the end, or a third of it, the session is ended. */
const MARGIN_MS = 32_000

/** Seen from the request that carries it. */
type Refresher = 'uac' | 'uas'

/** What an INVITE or UPDATE of the other side says about session timers: header values, and its `Supported: timer`. */
export interface TimerRequest {
  sessionExpires: string | undefined
  minSe: string | undefined
  supported: boolean
}

export class SessionTimer {
  private seconds = WANTED_SECONDS
  /** What they told us to be the least (422); null: nothing beyond the rule. */
  private least: number | null = null
  private agreed: { ms: number; weRefresh: boolean; since: number } | null = null

  /** Header lines for an INVITE that begins a call. */
  offerHeaders(): string[] {
    return [`Session-Expires: ${this.seconds}`, ...this.leastHeaders()]
  }

  /** Header lines for a refresh of ours. */
  refreshHeaders(): string[] {
    return [
      'Supported: timer',
      `Session-Expires: ${this.seconds};refresher=uac`,
      ...this.leastHeaders(),
    ]
  }

  /** A 422 with this Min-SE came: asks for that from now on. False when asking again would bring another 422. */
  raise(minSe: string | undefined): boolean {
    const least = secondsOf(minSe)
    if (least === undefined || least <= this.seconds || least > LONGEST_SECONDS) return false
    this.seconds = least
    this.least = least
    return true
  }

  /** A 2xx to our INVITE or refresh, with the value of its Session-Expires, came at `now`. */
  confirmed(sessionExpires: string | undefined, now: number): void {
    const seconds = secondsOf(sessionExpires)
    this.agreed =
      seconds === undefined
        ? null
        : { ms: lifeMs(seconds), weRefresh: refresherOf(sessionExpires) !== 'uas', since: now }
    if (seconds !== undefined) this.seconds = Math.max(seconds, this.least ?? SMALLEST_SECONDS)
  }

  /** Header lines for a 422, when a request asks for less than we may grant; null when it does not. */
  tooShort(request: TimerRequest): string[] | null {
    const seconds = secondsOf(request.sessionExpires) ?? SMALLEST_SECONDS
    // RFC 4028 §9: who knows nothing of timers cannot be told; it is granted more than was asked for.
    return seconds < SMALLEST_SECONDS && request.supported ? [`Min-SE: ${SMALLEST_SECONDS}`] : null
  }

  /** Their INVITE, re-INVITE or UPDATE is accepted at `now`: header lines for our 2xx. */
  asked(request: TimerRequest, now: number): string[] {
    const seconds = secondsOf(request.sessionExpires)
    if (seconds === undefined) return this.goOn(request.supported, now)
    const life = Math.max(seconds, secondsOf(request.minSe) ?? 0, SMALLEST_SECONDS)
    // Where the request names nobody, it is whoever sends it: sessions go on being refreshed by the same side.
    const named = refresherOf(request.sessionExpires) ?? 'uac'
    return this.answer(life, request.supported ? named : 'uas', now)
  }

  /** When we have to refresh, ms; Infinity when that is not ours. */
  get refreshAt(): number {
    const { agreed } = this
    return agreed?.weRefresh ? agreed.since + agreed.ms / 2 : Number.POSITIVE_INFINITY
  }

  /** When the session has to be ended because nobody refreshed it, ms; Infinity when it lives without. */
  get endAt(): number {
    const { agreed } = this
    if (!agreed) return Number.POSITIVE_INFINITY
    return agreed.since + agreed.ms - Math.min(MARGIN_MS, agreed.ms / 3)
  }

  /** A request that does not speak of timers: what was agreed stays where the other side knows what it is. */
  private goOn(supported: boolean, now: number): string[] {
    const { agreed } = this
    if (!agreed) return []
    if (supported)
      return this.answer(Math.round(agreed.ms / 1_000), agreed.weRefresh ? 'uas' : 'uac', now)
    // They will not refresh what they have forgotten; our own refresh does no harm.
    if (!agreed.weRefresh) this.agreed = null
    return []
  }

  private answer(seconds: number, refresher: Refresher, now: number): string[] {
    this.agreed = { ms: lifeMs(seconds), weRefresh: refresher === 'uas', since: now }
    this.seconds = seconds
    const expires = `Session-Expires: ${seconds};refresher=${refresher}`
    // RFC 4028 §9: who has to refresh must know how.
    return refresher === 'uac' ? ['Require: timer', expires] : [expires]
  }

  private leastHeaders(): string[] {
    return this.least === null ? [] : [`Min-SE: ${this.least}`]
  }
}

function secondsOf(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(value ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function refresherOf(value: string | undefined): Refresher | null {
  const name = /;\s*refresher\s*=\s*(uac|uas)\s*(?:;|$)/i.exec(value ?? '')?.[1]
  return name ? (name.toLowerCase() as Refresher) : null
}

function lifeMs(seconds: number): number {
  return Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, seconds)) * 1_000
}
