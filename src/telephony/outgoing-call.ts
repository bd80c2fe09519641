/** An INVITE of ours seen through: from the offer to an answered leg or the reason why there is none. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Dialed, DialRequest } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { beginAccepted } from './accepted-call.ts'
import type { CallDeps } from './begin-leg.ts'
import type { DialogLeg } from './dialog-leg.ts'
import { retarget } from './dialog-requests.ts'
import { EarlyDialogs } from './early-dialogs.ts'
import type { Media, MediaSession } from './media/media.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { offersOf } from './our-offers.ts'
import { canceled, meaningOf, trunkError, unanswered } from './outcome.ts'
import { OutgoingInvite } from './outgoing-invite.ts'
import { SessionTimer } from './session-timer.ts'
import { type Endpoint, protocolOf } from './sip/transport.ts'
import type { InviteWatcher, Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { WireMessage } from './sip/wire-message.ts'
import { inviteState } from './sip-state.ts'
import type { TraceRecorder } from './trace.ts'

/** After a CANCEL the final response is a matter of one round trip; longer than this nobody waits for it. */
const CANCEL_PATIENCE_MS = 5_000

export interface DialDeps extends CallDeps {
  media: Media
  /** Keeps what passes; null: nobody wants to know. */
  trace: TraceRecorder | null
  /** Told of each leg, so that a stop can end it. */
  onLeg(leg: DialogLeg): void
}

/** What came of it, and whether the called phone may have rung, or may yet: then nowhere else may be tried. */
export interface DialResult {
  dialed: Dialed
  mayHaveRung: boolean
}

/** Wraps what `beforeInvite` threw, so that it is not taken for a failure of the trunk. */
export class HookError extends Error {
  constructor(cause: unknown) {
    super('beforeInvite threw', { cause })
  }
}

export class OutgoingCall implements InviteWatcher {
  private readonly agent: TrunkAgent
  private readonly o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession }
  private readonly timer = new SessionTimer()
  private readonly offers: OfferAnswer
  private readonly early: EarlyDialogs
  private readonly invite: OutgoingInvite
  private readonly done = Promise.withResolvers<Dialed>()
  private rang = false
  /** Any response came: a silence after that is no proof that nobody was called. */
  private heard = false
  private mayHaveRung = false
  /** Why we end it ourselves, once we do. */
  private ending: 'canceled' | 'ring_timeout' | null = null
  private settled = false
  private answer: { message: WireMessage; source: Endpoint } | null = null
  /** Where the last response came from. */
  private source: Endpoint | null = null
  private forgetRing = (): void => {}

  constructor(
    agent: TrunkAgent,
    o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession },
  ) {
    this.agent = agent
    this.o = o
    this.offers = offersOf(agent, { ...o, ids: o.deps.ids })
    const offer = this.offers.offer()
    const contact = agent.contact(o.route)
    this.early = new EarlyDialogs({ ...o.deps, offers: this.offers, contact })
    const { timer } = this
    this.invite = new OutgoingInvite(agent, {
      ...o,
      ...{ timer, offer, watcher: this },
      delegate: {
        onProgress: (response) => this.early.onProgress(response),
        onAccept: (response) => this.onAccept(response),
        onRedirect: ({ message }) => this.onRefusal(message),
        onReject: ({ message }) => this.onRefusal(message),
      },
    })
  }

  async run(): Promise<DialResult> {
    const { request, deps } = this.o
    const onAbort = (): void => this.end('canceled')
    request.signal.addEventListener('abort', onAbort, { once: true })
    this.forgetRing = deps.clock.after(request.ringTimeoutMs, () => this.end('ring_timeout'))
    try {
      this.invite.send()
      return { dialed: await this.done.promise, mayHaveRung: this.mayHaveRung }
    } finally {
      this.forgetRing()
      request.signal.removeEventListener('abort', onAbort)
    }
  }

  // ---------------------------------------------------------------- the INVITE

  async beforeSend(invite: WireMessage, to: Endpoint): Promise<void> {
    const { request, deps } = this.o
    const { localPort } = deps.stack.transport
    const state = inviteState(this.agent.options.name, invite, { destination: to, localPort })
    this.refuseWhenEnding()
    try {
      await request.beforeInvite(state)
    } catch (error) {
      this.reject(new HookError(error))
      throw error
    }
    this.refuseWhenEnding()
    this.invite.sent = state
  }

  /** Also after a challenge: a call that is being ended sends no second INVITE. */
  private refuseWhenEnding(): void {
    if (this.ending || this.settled) throw new Error('the call was ended before its INVITE left')
  }

  // ---------------------------------------------------------------- what comes back

  onResponse(message: WireMessage, source: Endpoint): void {
    this.heard = true
    this.source = source
    if (message.status < 200) this.onProvisional(message)
    else if (message.status < 300) {
      this.mayHaveRung = true
      if (message.toTag !== undefined) this.answer ??= { message, source }
    }
  }

  private onProvisional(message: WireMessage): void {
    this.invite.provisional = true
    if (this.ending) {
      // The transaction hears of this response after us: only then may it send a CANCEL (RFC 3261 §9.1).
      queueMicrotask(() => this.invite.cancel())
      return
    }
    if (this.rang || (message.status !== 180 && message.status !== 183)) return
    this.rang = true
    this.mayHaveRung = true
    this.o.request.onRinging()
  }

  private onAccept(response: Core.AckableIncomingResponseWithSession): void {
    const { session } = response
    this.invite.unwatch()
    if (this.source) this.agent.rememberAnswer(session.id, this.source)
    retarget(session, response.message)
    if (this.settled || this.ending) {
      // Another fork has the call, or our CANCEL crossed this answer.
      this.decline(response, this.ending === 'ring_timeout' ? unanswered() : canceled(null))
      return
    }
    const offers = this.early.accepted(response)
    if ('refused' in offers) {
      this.decline(response, trunkError(`the answer cannot be used: ${offers.refused}`))
      return
    }
    try {
      this.establish(response, offers)
    } catch (error) {
      this.decline(response, trunkError(`the answered call could not begin: ${reasonOf(error)}`))
    }
  }

  /** What answered is acknowledged all the same, and hung up (RFC 3261 §13.2.2.4). */
  private decline(response: Core.AckableIncomingResponseWithSession, dialed: Dialed): void {
    const { session } = response
    const over = (): void => this.agent.forgetAnswer(session.id)
    response.ack()
    session.bye({ onAccept: over, onRedirect: over, onReject: over })
    this.o.deps.stack.rememberEnded(session.id)
    this.settle(dialed)
  }

  private establish(response: Core.AckableIncomingResponseWithSession, offers: OfferAnswer): void {
    const { answer, timer, agent, o } = this
    const { sent } = this.invite
    if (!sent || !answer) throw new Error('its INVITE is unknown')
    const begun = beginAccepted(agent, { ...o, timer, offers, response, sent, answer })
    this.settled = true
    this.forgetRing()
    this.done.resolve(begun)
  }

  private onRefusal(message: Core.IncomingResponseMessage): void {
    const status = message.statusCode ?? 0
    // sip.js makes a message of its own, without a Via, for timer B and for a transport that failed.
    const made = message.via === undefined
    const wanted = !this.ending && !this.settled
    if (status === 422 && !made && wanted && this.invite.askForLonger(message)) return
    if (made && status === 408) this.fellSilent()
    this.invite.unwatch()
    const hasCredentials = this.agent.credentials !== null
    const { ending } = this
    this.settle(meaningOf(status, { made, ending, phrase: message.reasonPhrase, hasCredentials }))
  }

  /**
   * Timer B: nobody knows what became of the INVITE. Somewhere else may be tried when nothing at all ever came back, and
   * then only because a late ringing is canceled.
   */
  private fellSilent(): void {
    this.mayHaveRung ||= this.heard
    this.abandon()
  }

  onRefused(to: Endpoint, reason: string): void {
    if (this.invite.provisional || this.settled) return
    this.mayHaveRung ||= this.heard
    // A connection that broke may have carried the INVITE before.
    if (protocolOf(to) !== 'UDP') this.abandon()
    this.invite.drop()
    this.settle(this.ending === 'canceled' ? canceled(null) : trunkError(reason))
  }

  /** What answered cannot be handled by sip.js: it is ended by hand, at its next retransmission. */
  onBroken(reason: string): void {
    if (this.settled) return
    this.mayHaveRung = true
    this.abandon()
    this.invite.drop()
    this.settle(trunkError(`an answer of the trunk cannot be read: ${reason}`))
  }

  // ---------------------------------------------------------------- ending it ourselves

  private end(why: 'canceled' | 'ring_timeout'): void {
    if (this.ending || this.settled) return
    this.ending = why
    this.forgetRing()
    if (!this.invite.sent) this.settle(canceled(null))
    else if (this.invite.provisional) this.invite.cancel()
    else {
      // Nothing to cancel yet (RFC 3261 §9.1): the first provisional response will bring the CANCEL.
      this.invite.stopSending()
      this.mayHaveRung ||= this.heard
      if (why === 'ring_timeout') this.settle(trunkError('no answer at all to the INVITE'))
    }
    const patience = why === 'canceled' ? canceled(null) : unanswered()
    this.o.deps.clock.after(CANCEL_PATIENCE_MS, () => this.settle(patience))
  }

  private abandon(): void {
    this.invite.abandon({ rang: this.invite.provisional && !this.answer })
  }

  private settle(dialed: Dialed): void {
    if (this.settled) return
    this.settled = true
    this.forgetRing()
    this.o.media.close()
    this.done.resolve(dialed)
  }

  private reject(error: unknown): void {
    if (this.settled) return
    this.settled = true
    this.forgetRing()
    this.done.reject(error)
  }
}
