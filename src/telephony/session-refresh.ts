/** Keeps a session alive as RFC 4028 asks: refreshes it, or ends it when nobody did in time. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { retarget, sendInside } from './dialog-requests.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { sdp } from './session-changes.ts'
import type { SessionTimer } from './session-timer.ts'
import { ALLOW } from './sip/reply.ts'

/** After a refusal that says neither why nor when. */
const AGAIN_MS = 5_000
const LONGEST_RETRY_AFTER_S = 600

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  session: Core.Session
  offers: OfferAnswer
  timer: SessionTimer
  /** Our Contact header value. */
  contact: string
  /** Whether the dialog began with our INVITE: then its Call-ID is ours. */
  weBegan: boolean
  /** The other side's answer to a re-INVITE. */
  onChanged(): void
  /** The other side answered, and may have said where it is to be reached from now on. */
  onTarget(): void
  /** Nobody refreshed the session in time, or the other side knows no such dialog any more. */
  onDead(reason: string): void
}

export class SessionRefresh {
  private readonly deps: Deps
  private running: 'INVITE' | 'UPDATE' | null = null
  private updates: boolean
  private notBefore = 0
  private stopped = false
  private forget = (): void => {}
  private readonly refusals = {
    onReject: ({ message }: Core.IncomingResponse): void => this.onRefused(message),
    onRedirect: ({ message }: Core.IncomingResponse): void => this.onRefused(message),
  }

  /** `allow`: the value of their Allow header, where they sent one. */
  constructor(deps: Deps, allow: string | undefined) {
    this.deps = deps
    this.updates = allowsUpdate(allow) ?? false
  }

  /** Whether a re-INVITE of ours is on its way. */
  get inviting(): boolean {
    return this.running === 'INVITE'
  }

  /** Looks at what the other side said last of the methods it takes. */
  learn(allow: string | undefined): void {
    this.updates = allowsUpdate(allow) ?? this.updates
  }

  /** Waits for what the timer says now. To be called after each change of it. */
  arm(): void {
    this.forget()
    if (this.stopped) return
    const { timer, clock } = this.deps
    const refreshAt = this.running ? Number.POSITIVE_INFINITY : timer.refreshAt
    const at = Math.min(Math.max(refreshAt, this.notBefore), timer.endAt)
    if (at === Number.POSITIVE_INFINITY) return
    this.forget = clock.after(Math.max(0, at - clock.steady()), () => this.due())
  }

  stop(): void {
    this.stopped = true
    this.forget()
  }

  private due(): void {
    const { timer, clock } = this.deps
    const now = clock.steady()
    const due = !this.running && now >= timer.refreshAt && now >= this.notBefore
    if (now >= timer.endAt) this.dead('the session was not refreshed in time')
    else if (due) this.refresh()
    this.arm()
  }

  private refresh(): void {
    try {
      if (this.updates) this.update()
      else this.reinvite()
    } catch (error) {
      // An INVITE of theirs is still open (RFC 3261 §14.1).
      this.deps.log.debug('a session is refreshed later', { reason: reasonOf(error) })
      this.running = null
      this.deps.offers.withdraw()
      this.again(this.glareMs())
    }
  }

  private update(): void {
    const onAccept = ({ message }: Core.IncomingResponse): void => this.onAccepted(message)
    this.running = 'UPDATE'
    sendInside(
      this.deps.session,
      'UPDATE',
      { extraHeaders: this.headers() },
      { onAccept, ...this.refusals },
    )
  }

  private reinvite(): void {
    const { session, offers } = this.deps
    const onAccept = (response: Core.AckableIncomingResponseWithSession): void => {
      response.ack()
      this.onAccepted(response.message)
    }
    this.running = 'INVITE'
    session.invite(
      { onAccept, ...this.refusals },
      { extraHeaders: this.headers(), body: sdp(offers.repeat()) },
    )
  }

  private headers(): string[] {
    const { contact, timer } = this.deps
    return [`Contact: ${contact}`, `Allow: ${ALLOW}`, ...timer.refreshHeaders()]
  }

  private onAccepted(message: Core.IncomingResponseMessage): void {
    const { timer, clock, session } = this.deps
    const answered = this.running === 'INVITE'
    this.running = null
    if (this.stopped) return
    retarget(session, message)
    this.deps.onTarget()
    this.learn(message.getHeader('allow'))
    timer.confirmed(message.getHeader('session-expires'), clock.steady())
    if (answered) this.onAnswer(message.body)
    this.arm()
  }

  private onAnswer(body: string): void {
    const { offers, log } = this.deps
    const refused = offers.answered(body)
    offers.withdraw()
    if (!refused) this.deps.onChanged()
    // The sound goes on as agreed before: a refresh changes nothing.
    else log.info('the answer to a refresh cannot be used', { reason: refused.refused })
  }

  private onRefused(message: Core.IncomingResponseMessage): void {
    const method = this.running
    this.running = null
    this.deps.offers.withdraw()
    if (this.stopped) return
    // RFC 4028 §10, RFC 3261 §12.2.1.2: they know of no such dialog, or are not there.
    const status = message.statusCode ?? 0
    if (status === 481) this.dead('refreshing the session: it is unknown there')
    else if (status === 408) this.dead('refreshing the session: no answer')
    else this.again(this.waitMs(message, method))
  }

  /** How long to wait before the next try. */
  private waitMs(
    message: Core.IncomingResponseMessage,
    method: 'INVITE' | 'UPDATE' | null,
  ): number {
    const status = message.statusCode ?? 0
    if (status === 491) return this.glareMs()
    if (status === 422 && this.deps.timer.raise(message.getHeader('min-se'))) return 0
    if (method === 'UPDATE' && [405, 420, 501].includes(status)) {
      this.updates = false
      return 0
    }
    const asked = Number(/^\s*(\d{1,6})/.exec(message.getHeader('retry-after') ?? '')?.[1] ?? 0)
    return Math.min(asked, LONGEST_RETRY_AFTER_S) * 1_000 || AGAIN_MS
  }

  private again(afterMs: number): void {
    this.notBefore = this.deps.clock.steady() + afterMs
    this.arm()
  }

  /** RFC 3261 §14.1: whose Call-ID it is waits longer, so that both do not collide again. */
  private glareMs(): number {
    const { ids, weBegan } = this.deps
    return weBegan
      ? 2_100 + 10 * Math.floor(ids.fraction() * 191)
      : 10 * Math.floor(ids.fraction() * 201)
  }

  private dead(reason: string): void {
    this.stop()
    this.deps.onDead(reason)
  }
}

function allowsUpdate(allow: string | undefined): boolean | undefined {
  if (allow === undefined) return undefined
  return allow.split(',').some((method) => method.trim().toUpperCase() === 'UPDATE')
}
