/** A call that comes to us: from its INVITE to an answered leg, or a refusal. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { IncomingCall, Leg, SipState, TraceSource } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { followTarget } from './accepted-call.ts'
import { beginLeg, type CallDeps } from './begin-leg.ts'
import type { DialogLeg } from './dialog-leg.ts'
import type { Media, MediaSession } from './media/media.ts'
import { OfferAnswer } from './offer-answer.ts'
import { readSound } from './sdp/answer.ts'
import { localSound } from './sdp/offer.ts'
import { sdp, timerRequest } from './session-changes.ts'
import { SessionTimer } from './session-timer.ts'
import { ALLOW } from './sip/reply.ts'
import type { Endpoint } from './sip/transport.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { WireMessage } from './sip/wire-message.ts'
import { type DialogState, incomingDialogState } from './sip-state.ts'
import { TraceRecorder } from './trace.ts'

export interface InboundDeps extends CallDeps {
  media: Media
  /** Called once, when a final status is sent. */
  onDecided(): void
  /** Told of each leg, so that a stop can end it. */
  onLeg(leg: DialogLeg): void
}

/** An INVITE as it came, and what it says of both sides (`calls/ports.ts`, IncomingCall). */
export interface Arrival {
  wire: WireMessage
  source: Endpoint
  to: string | null
  from: string
  ringing: SipState
}

/** What an answer is made of once there is sound. */
interface Making {
  media: MediaSession
  route: Route
  offers: OfferAnswer
  content: string
  /** Kept true while the call lasts. */
  state: DialogState
  told: Parameters<IncomingCall['answer']>[0]
}

/**
 * One INVITE outside any dialog, as sip.js handed it over; null when it was refused already, for what it lacks or
 * offers. It may name another call that it should take the place of (RFC 3891): we know of no such thing, it is a new
 * call.
 */
export function inboundCall(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: { deps: InboundDeps; arrival: Arrival },
): IncomingCall | null {
  const call = new InboundCall(agent, invite, o)
  return call.refused ? null : call
}

class InboundCall implements IncomingCall {
  readonly to: string | null
  readonly from: string
  readonly ringing: SipState
  readonly gone: AbortSignal
  private readonly recorder: TraceRecorder
  private readonly agent: TrunkAgent
  private readonly invite: Core.IncomingInviteRequest
  private readonly deps: InboundDeps
  private readonly arrival: Arrival
  private readonly timer = new SessionTimer()
  private readonly offer: string
  private early: Core.Session | null = null
  /** The final status that was sent; null before. */
  private final: number | null = null

  constructor(
    agent: TrunkAgent,
    invite: Core.IncomingInviteRequest,
    o: { deps: InboundDeps; arrival: Arrival },
  ) {
    this.agent = agent
    this.invite = invite
    this.deps = o.deps
    this.arrival = o.arrival
    this.to = o.arrival.to
    this.from = o.arrival.from
    this.ringing = o.arrival.ringing
    this.offer = invite.message.body ?? ''
    this.recorder = new TraceRecorder(o.deps.clock)
    this.recorder.follow(o.deps.stack.transport.tap, invite.message.callId, agent.options.name)
    const gone = new AbortController()
    this.gone = gone.signal
    invite.delegate = {
      onCancel: () => {
        this.refuse(487)
        gone.abort()
      },
    }
    this.judge()
  }

  get trace(): TraceSource {
    return this.recorder
  }

  get refused(): boolean {
    return this.final !== null
  }

  ring(): void {
    if (this.final === null) this.dialog()
  }

  reject(status: number, o?: { retryAfterSeconds: number }): void {
    this.refuse(status, o ? [`Retry-After: ${o.retryAfterSeconds}`] : [])
  }

  async answer(
    o: Parameters<IncomingCall['answer']>[0],
  ): Promise<{ answered: Leg; state: SipState } | { refused: number }> {
    let media: MediaSession | undefined
    if (this.final !== null) return { refused: this.final }
    try {
      const route = await this.agent.lastRoute()
      media = await this.deps.media.open()
      const offers = this.offersOf(media, route)
      const content = describe(offers, this.offer)
      if (content === null) throw new NotAcceptable('no sound in common')
      if (this.final !== null) throw new Error('the caller gave up')
      const state = this.stateOf(route)
      await o.beforeAnswer(state)
      if (this.final !== null) throw new Error('the caller gave up')
      return { answered: this.accept({ media, route, offers, content, state, told: o }), state }
    } catch (error) {
      media?.close()
      if (this.final === null) this.deps.log.warn('a call was refused', { reason: reasonOf(error) })
      return { refused: this.refuse(error instanceof NotAcceptable ? 488 : 503) }
    }
  }

  /** What can be refused before anybody hears of it. */
  private judge(): void {
    const least = this.timer.tooShort(timerRequest(this.invite.message))
    const { codecs, srtp } = this.agent.options
    if (least) this.refuse(422, least)
    // RFC 3261 §8.1.1.8: without a Contact there is nowhere to send what follows.
    else if (!this.invite.message.parseHeader('contact')) this.refuse(400)
    else if (this.offer.trim() !== '' && 'refused' in readSound(this.offer, { codecs, srtp }))
      this.refuse(488)
  }

  /** Sends a final refusal, unless there is a final status already; returns the one that counts. */
  private refuse(statusCode: number, extraHeaders: string[] = []): number {
    if (this.final !== null) return this.final
    this.decide(statusCode)
    try {
      this.invite.reject({ statusCode, extraHeaders })
    } catch (error) {
      this.deps.log.debug('a call could not be refused', { reason: reasonOf(error) })
    }
    this.recorder.finish()
    return statusCode
  }

  private decide(status: number): void {
    this.final = status
    this.deps.onDecided()
  }

  /** The early dialog; the first time it is asked for, a 180 makes it. */
  private dialog(): Core.Session {
    this.early ??= this.invite.progress({ statusCode: 180 }).session
    return this.early
  }

  private stateOf(route: Route): DialogState {
    const { agent, arrival, deps } = this
    const { localTag, remoteTarget } = this.dialog()
    const draft = incomingDialogState(agent.options.name, arrival.wire, {
      localTag,
      target: remoteTarget.toRaw(),
      destination: arrival.source,
      localPort: deps.stack.transport.localPort,
      sentBy: agent.sentBy(route),
    })
    return { ...draft, destination: agent.knownHop(draft, arrival.source) }
  }

  private offersOf(media: MediaSession, route: Route): OfferAnswer {
    const { codecs, srtp, dtmf } = this.agent.options
    const address = this.agent.advertised(route).host
    return new OfferAnswer({
      local: localSound(this.deps.ids, { address, port: media.localPort, srtp }),
      codecs: codecs.filter((codec) => media.codecs.has(codec)),
      dtmf,
    })
  }

  private accept(o: Making): Leg {
    const { deps, timer, invite, agent, arrival } = this
    const timing = timer.asked(timerRequest(invite.message), deps.clock.steady())
    const { session } = invite.accept({
      statusCode: 200,
      supported: ['timer'],
      extraHeaders: [`Allow: ${ALLOW}`, ...timing],
      body: sdp(o.content),
    })
    this.decide(200)
    const { media, offers, route, state, told } = o
    const { leg, letIn } = beginLeg(agent, {
      ...{ deps, session, media, offers, timer, route, source: arrival.source },
      allow: invite.message.getHeader('allow'),
      trace: this.recorder,
      onMoved: followTarget(agent, { session, state, letIn: (host) => letIn(host), told }),
      weBegan: false,
    })
    deps.onLeg(leg)
    return leg
  }
}

/** Their description cannot be answered. */
class NotAcceptable extends Error {}

/** Our description: the answer to theirs, or an offer where they leave that to us; null when there is none. */
function describe(offers: OfferAnswer, offer: string): string | null {
  if (offer.trim() === '') return offers.offer()
  const result = offers.answer(offer)
  return 'answer' in result ? result.answer : null
}
