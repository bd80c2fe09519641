/** One call over one trunk: from the offer to an answered leg or the reason why there is none. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Dialed, DialRequest } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { beginLeg, type CallDeps } from './begin-leg.ts'
import type { DialogLeg } from './dialog-leg.ts'
import { retarget } from './dialog-requests.ts'
import { EarlyDialogs } from './early-dialogs.ts'
import type { Media, MediaSession } from './media/media.ts'
import { OfferAnswer } from './offer-answer.ts'
import { canceled, refused, trunkError, unanswered } from './outcome.ts'
import { OutgoingInvite } from './outgoing-invite.ts'
import { localSound } from './sdp/offer.ts'
import { SessionTimer } from './session-timer.ts'
import { type Endpoint, protocolOf } from './sip/transport.ts'
import type { InviteWatcher, Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { WireMessage } from './sip/wire-message.ts'
import { type DialogState, dialogState, inviteState } from './sip-state.ts'
import type { TraceRecorder } from './trace.ts'

/** After a CANCEL the final response is a matter of one round trip; longer than this nobody waits for it. */
const CANCEL_PATIENCE_MS = 5_000
/** How long the ACK waits for the dialog to be stored; the other side repeats its answer after half of that. */
const ACK_PATIENCE_MS = 1_000

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

/** Never throws for what the other side does; throws what `beforeInvite` threw. */
export async function dialOver(
  agent: TrunkAgent,
  request: DialRequest,
  deps: DialDeps,
): Promise<DialResult> {
  let media: MediaSession | undefined
  try {
    const route = await agent.resolve()
    media = await deps.media.open()
    if (request.signal.aborted) {
      media.close()
      return { dialed: canceled(null), mayHaveRung: false }
    }
    return await new Dial(agent, { request, deps, route, media }).run()
  } catch (error) {
    media?.close()
    if (error instanceof HookError) throw error.cause
    return { dialed: trunkError(reasonOf(error)), mayHaveRung: false }
  }
}

/** Wraps what `beforeInvite` threw, so that it is not taken for a failure of the trunk. */
class HookError extends Error {
  constructor(cause: unknown) {
    super('beforeInvite threw', { cause })
  }
}

class Dial implements InviteWatcher {
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
    const codecs = agent.options.codecs.filter((codec) => o.media.codecs.has(codec))
    if (codecs.length === 0)
      throw new Error(`no codec of the trunk is available: ${agent.options.codecs.join(', ')}`)
    this.offers = new OfferAnswer({
      local: localSound(o.deps.ids, {
        address: agent.advertised(o.route).host,
        port: o.media.localPort,
        srtp: agent.options.srtp,
      }),
      codecs,
      dtmf: agent.options.dtmf,
    })
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
    const { message, session } = response
    const { deps, route, media } = this.o
    const { answer, timer, agent } = this
    const { sent } = this.invite
    if (!sent || !answer) throw new Error('its INVITE is unknown')
    const { source } = answer
    timer.confirmed(message.getHeader('session-expires'), deps.clock.steady())
    const target = session.remoteTarget.toRaw()
    const sentBy = agent.sentBy(route)
    const draft = dialogState(sent, answer.message, { destination: source, target, sentBy })
    const state = { ...draft, destination: agent.knownHop(draft, source) }
    const acknowledge = this.acknowledgeOnce(response)
    const { leg, letIn } = beginLeg(agent, {
      ...{ deps, session, media, offers, timer, route, source, acknowledge },
      trace: deps.trace,
      allow: message.getHeader('allow'),
      weBegan: true,
    })
    deps.onLeg(leg)
    // What comes from where our requests go, once its name is known, belongs to this call too.
    void agent.nextHop(draft).then(
      ({ host }) => letIn(host),
      () => undefined,
    )
    this.acknowledgeWhenStored(state, acknowledge)
    this.settled = true
    this.forgetRing()
    this.done.resolve({ answered: leg, state })
  }

  private acknowledgeWhenStored(state: DialogState, acknowledge: () => void): void {
    const { request, deps } = this.o
    const forget = deps.clock.after(ACK_PATIENCE_MS, acknowledge)
    void request
      .onAnswered(state)
      .catch((error) =>
        deps.log.warn('an answer was acknowledged before it was stored', {
          callId: request.callId,
          reason: reasonOf(error),
        }),
      )
      .finally(forget)
      .then(acknowledge)
  }

  private acknowledgeOnce(response: Core.AckableIncomingResponseWithSession): () => void {
    let done = false
    return () => {
      if (done) return
      done = true
      try {
        response.ack()
      } catch (error) {
        // They hung up before: sip.js has no dialog any more that it could acknowledge.
        this.o.deps.log.debug('an answer was not acknowledged', { reason: reasonOf(error) })
      }
    }
  }

  private onRefusal(message: Core.IncomingResponseMessage): void {
    const status = message.statusCode ?? 0
    // sip.js makes a message of its own, without a Via, for timer B and for a transport that failed.
    const made = message.via === undefined
    const wanted = !this.ending && !this.settled
    if (status === 422 && !made && wanted && this.invite.askForLonger(message)) return
    if (made && status === 408) this.fellSilent()
    this.invite.unwatch()
    this.settle(this.meaningOf(message, made))
  }

  /**
   * Timer B: nobody knows what became of the INVITE. Somewhere else may be tried when nothing at all ever came back, and
   * then only because a late ringing is canceled.
   */
  private fellSilent(): void {
    this.mayHaveRung ||= this.heard
    this.abandon()
  }

  private meaningOf(message: Core.IncomingResponseMessage, made: boolean): Dialed {
    const status = message.statusCode ?? 0
    const sipCode = made ? null : status
    if (this.ending === 'canceled') return canceled(sipCode)
    if (this.ending === 'ring_timeout' && (made || status === 487)) return unanswered(sipCode)
    const { reasonPhrase: phrase } = message
    if (!made) return refused(status, { phrase, hasCredentials: this.agent.credentials !== null })
    const silent = status === 408
    return trunkError(silent ? 'no answer at all to the INVITE' : 'the INVITE could not be sent')
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
