/** One call over one trunk: from the offer to an answered leg or the reason why there is none. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Dialed, DialRequest } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { beginLeg } from './begin-leg.ts'
import { CallEnder } from './call-ender.ts'
import type { DialogLeg } from './dialog-leg.ts'
import { buildInvite } from './invite.ts'
import type { Media, MediaSession } from './media/media.ts'
import { failureOf } from './outcome.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import type { LocalSound } from './sdp/offer.ts'
import type { SourceList } from './sip/gate.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { InviteWatcher, TrunkAgent } from './sip/trunk-agent.ts'
import type { Route } from './sip/trunk-routes.ts'
import { bodyOf, printable, type WireMessage } from './sip/wire-message.ts'
import { dialogState, type InviteState, inviteState } from './sip-state.ts'

/** After a CANCEL the final response is a matter of one round trip; longer than this nobody waits for it. */
const CANCEL_PATIENCE_MS = 5_000
/** RFC 3261 §9.1: an INVITE without a final response 64 × T1 after its CANCEL is over. */
const CANCEL_LIFETIME_MS = 32_000
/** How long the ACK waits for the dialog to be stored; the other side repeats its answer after half of that. */
const ACK_PATIENCE_MS = 1_000

export interface DialDeps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
  media: Media
  /** Told of each leg, so that a stop can end it. */
  onLeg(leg: DialogLeg): void
}

/** What came of it, and whether the called phone may have rung, or may yet: then no other trunk may be tried. */
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

const canceled = (sipCode: number | null): Dialed => ({
  failed: 'canceled',
  sipCode,
  reason: 'canceled before an answer',
})

const trunkError = (reason: string, sipCode: number | null = null): Dialed => ({
  failed: 'trunk_error',
  sipCode,
  reason,
})

class Dial implements InviteWatcher {
  private readonly agent: TrunkAgent
  private readonly o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession }
  private readonly local: LocalSound
  private readonly done = Promise.withResolvers<Dialed>()
  private invite: Core.OutgoingInviteRequest | undefined
  /** The INVITE that left last; its state is stored. */
  private sent: InviteState | null = null
  private provisional = false
  private rang = false
  /** Any response came: a silence after that is no proof that nobody was called. */
  private heard = false
  private mayHaveRung = false
  /** Why we end it ourselves, once we do. */
  private ending: 'canceled' | 'ring_timeout' | null = null
  private settled = false
  private cancelSent = false
  private answer: WireMessage | null = null
  private answeredBy: Endpoint | null = null
  /** Where the last response came from. */
  private source: Endpoint | null = null
  /** A description that came before the answer, for a 200 that leaves it out. */
  private earlySdp = ''
  private forgetRing = (): void => {}

  constructor(
    agent: TrunkAgent,
    o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession },
  ) {
    this.agent = agent
    this.o = o
    this.local = {
      address: agent.advertised(o.route).host,
      port: o.media.localPort,
      sessionId: Math.floor(o.deps.ids.fraction() * 2 ** 31),
      version: 1,
    }
  }

  async run(): Promise<DialResult> {
    const { request, deps, route } = this.o
    const onAbort = (): void => this.end('canceled')
    request.signal.addEventListener('abort', onAbort, { once: true })
    this.forgetRing = deps.clock.after(request.ringTimeoutMs, () => this.end('ring_timeout'))
    try {
      this.invite = this.agent.invite(
        buildInvite(this.agent, { request, ids: deps.ids, route, local: this.local }),
        this,
        {
          onAccept: (response) => this.onAccept(response),
          onRedirect: ({ message }) => this.onRefusal(message),
          onReject: ({ message }) => this.onRefusal(message),
        },
      )
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
    this.sent = state
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
      if (message.toTag === undefined) return
      this.answer ??= message
      this.answeredBy ??= source
    }
  }

  private onProvisional(message: WireMessage): void {
    this.provisional = true
    if (bodyOf(message).trim() !== '') this.earlySdp = bodyOf(message)
    if (this.ending) {
      // The transaction hears of this response after us: only then may it send a CANCEL (RFC 3261 §9.1).
      queueMicrotask(() => this.cancel())
      return
    }
    if (this.rang || (message.status !== 180 && message.status !== 183)) return
    this.rang = true
    this.mayHaveRung = true
    this.o.request.onRinging()
  }

  private onAccept(response: Core.AckableIncomingResponseWithSession): void {
    const { session } = response
    this.agent.unwatch(session.callId)
    if (this.source) this.agent.rememberAnswer(session.id, this.source)
    if (this.settled || this.ending !== null) {
      this.decline(response, this.ending === 'ring_timeout' ? this.unanswered() : canceled(null))
      return
    }
    const body = response.message.body
    const sound = readSound(body.trim() === '' ? this.earlySdp : body, this.agent.options.codecs)
    if ('refused' in sound || sound.host === null) {
      const reason = 'refused' in sound ? sound.refused : 'no address that sound could be sent to'
      this.decline(response, trunkError(`the answer cannot be used: ${reason}`))
      return
    }
    try {
      this.establish(response, { ...sound, host: sound.host })
    } catch (error) {
      this.decline(response, trunkError(`the answered call could not begin: ${reasonOf(error)}`))
    }
  }

  /** What answered is acknowledged all the same, and hung up (RFC 3261 §13.2.2.4). */
  private decline(response: Core.AckableIncomingResponseWithSession, dialed: Dialed): void {
    const { agent } = this
    const { session } = response
    const over = (): void => agent.forgetAnswer(session.id)
    response.ack()
    session.bye({ onAccept: over, onRedirect: over, onReject: over })
    this.settle(dialed)
  }

  private establish(
    response: Core.AckableIncomingResponseWithSession,
    sound: RemoteSound & { host: string },
  ): void {
    const { session } = response
    const { request, deps, route, media } = this.o
    const { sent, answer, answeredBy: source, agent, local } = this
    if (!sent || !answer || !source) throw new Error('its INVITE is unknown')
    const target = session.remoteTarget.toRaw()
    const draft = dialogState(sent, answer, {
      destination: source,
      target,
      sentBy: agent.sentBy(route),
    })
    const state = { ...draft, destination: agent.knownHop(draft, source) }
    const acknowledge = this.acknowledgeOnce(response)
    const agreed = { deps, session, media, route, local, sound, source, acknowledge }
    const { leg, letIn } = beginLeg(agent, agreed)
    deps.onLeg(leg)
    // What comes from where our requests go, once its name is known, belongs to this call too.
    void agent.nextHop(draft).then(
      ({ host }) => letIn(host),
      () => undefined,
    )
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
    this.settled = true
    this.forgetRing()
    this.done.resolve({ answered: leg, state })
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
    if (made && status === 408) this.fellSilent()
    this.agent.unwatch(this.invite?.message.callId ?? '')
    this.settle(this.meaningOf(message, made))
  }

  /**
   * Timer B: nobody knows what became of the INVITE. Another trunk may be tried when nothing at all ever came back, and
   * then only because a late ringing is canceled.
   */
  private fellSilent(): void {
    this.mayHaveRung ||= this.heard
    if (this.sent) this.watchForLateRinging()
  }

  private meaningOf(message: Core.IncomingResponseMessage, made: boolean): Dialed {
    const status = message.statusCode ?? 0
    const sipCode = made ? null : status
    if (this.ending === 'canceled') return canceled(sipCode)
    if (this.ending === 'ring_timeout' && (made || status === 487)) return this.unanswered(sipCode)
    if (!made) return this.failure(message)
    const silent = status === 408
    return trunkError(silent ? 'no answer at all to the INVITE' : 'the INVITE could not be sent')
  }

  private failure(message: Core.IncomingResponseMessage): Dialed {
    const sipCode = message.statusCode ?? 0
    const phrase = printable(message.reasonPhrase ?? '')
    const wanted = this.agent.credentials ? 'refused our credentials' : 'asks for credentials'
    const about = sipCode === 401 || sipCode === 407 ? `the trunk ${wanted}: ` : ''
    const reason = `${about}${sipCode} ${phrase}`.trim()
    return { failed: failureOf(sipCode), sipCode, reason }
  }

  private unanswered(sipCode: number | null = null): Dialed {
    return { failed: 'no_answer', sipCode, reason: 'no answer while it rang' }
  }

  onRefused(to: Endpoint): void {
    if (this.provisional || this.settled) return
    this.mayHaveRung ||= this.heard
    if (this.invite) this.agent.drop(this.invite)
    this.settle(
      this.ending === 'canceled'
        ? canceled(null)
        : trunkError(`nothing listens for SIP at ${to.host} port ${to.port}`),
    )
  }

  /** What answered cannot be handled by sip.js: it is ended by hand, at its next retransmission. */
  onBroken(reason: string): void {
    if (this.settled) return
    this.mayHaveRung = true
    this.watchForLateRinging()
    if (this.invite) this.agent.drop(this.invite)
    this.settle(trunkError(`an answer of the trunk cannot be read: ${reason}`))
  }

  // ---------------------------------------------------------------- ending it ourselves

  private end(why: 'canceled' | 'ring_timeout'): void {
    if (this.ending || this.settled) return
    this.ending = why
    this.forgetRing()
    if (!this.sent) this.settle(canceled(null))
    else if (this.provisional) this.cancel()
    else {
      // Nothing to cancel yet (RFC 3261 §9.1): the first provisional response will bring the CANCEL.
      this.agent.stopRetransmitting(this.sent.callId)
      this.mayHaveRung ||= this.heard
      if (why === 'ring_timeout') this.settle(trunkError('no answer at all to the INVITE'))
    }
    const patience = why === 'canceled' ? canceled(null) : this.unanswered()
    this.o.deps.clock.after(CANCEL_PATIENCE_MS, () => this.settle(patience))
  }

  private cancel(): void {
    const { invite } = this
    if (this.cancelSent || !invite) return
    this.cancelSent = true
    invite.cancel()
    this.o.deps.clock.after(CANCEL_LIFETIME_MS, () => this.agent.drop(invite))
  }

  /** An INVITE nobody answered may still be waiting in a queue: should it ring yet, it is canceled. */
  private watchForLateRinging(): void {
    const { sent, agent } = this
    const { clock, ids, stack } = this.o.deps
    if (!sent) return
    stack.transport.forget(sent.branch)
    const ender = new CallEnder({
      clock,
      ids,
      stack,
      credentials: agent.credentials,
      nextHop: (message) => agent.nextHop(message),
    })
    void ender
      .endInvite(sent, {
        cancel: this.provisional && !this.answer ? 'now' : 'when it rings',
        patienceMs: CANCEL_LIFETIME_MS,
      })
      .catch(() => undefined)
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
