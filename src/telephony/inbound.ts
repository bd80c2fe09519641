/** A call that comes to us: from its INVITE to an answered leg, or a refusal. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Leg, TraceSource } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { beginLeg, type CallDeps } from './begin-leg.ts'
import type { Media, MediaSession } from './media/media.ts'
import { OfferAnswer } from './offer-answer.ts'
import { readSound } from './sdp/answer.ts'
import { localSound } from './sdp/offer.ts'
import { sdp, timerRequest } from './session-changes.ts'
import { SessionTimer } from './session-timer.ts'
import { ALLOW } from './sip/reply.ts'
import type { Endpoint } from './sip/transport.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'
import { TraceRecorder } from './trace.ts'

export interface InboundCall {
  /** The user part of the request-URI: the number that was called. */
  readonly to: string
  /** What passes on the wire, the INVITE first. */
  readonly trace: TraceSource
  /** Sends 180. */
  ring(): void
  /** Sends 200 and resolves with the leg; null when the caller was faster to give up, or cannot be heard. */
  answer(): Promise<Leg | null>
  /** Refuses with a final status, e.g. 486. */
  reject(status: number): void
}

export interface InboundDeps extends CallDeps {
  media: Media
}

/**
 * One INVITE outside any dialog, as sip.js handed it over; it is answered 180, 200 or refused by what `call` is told.
 * It may name another call that it should take the place of (RFC 3891): we know of no such thing, it is a new call.
 */
export function inboundCall(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: { deps: InboundDeps; source: Endpoint; to: string },
): InboundCall {
  const offer = invite.message.body ?? ''
  const timer = new SessionTimer()
  const trace = new TraceRecorder(o.deps.clock)
  trace.follow(o.deps.stack.transport.tap, invite.message.callId, agent.options.name)
  let over = false
  invite.delegate = {
    onCancel() {
      refuse(487)
    },
  }

  function refuse(statusCode: number, extraHeaders: string[] = []): null {
    if (!over) {
      invite.reject({ statusCode, extraHeaders })
      trace.finish()
    }
    over = true
    return null
  }

  const least = timer.tooShort(timerRequest(invite.message))
  if (least) refuse(422, least)
  return {
    to: o.to,
    trace,
    ring() {
      if (!over) invite.progress({ statusCode: 180 })
    },
    reject: refuse,
    async answer() {
      if (over) return null
      const { codecs, srtp } = agent.options
      if (offer.trim() !== '' && 'refused' in readSound(offer, { codecs, srtp })) return refuse(488)
      const unable = (error: unknown): null => {
        o.deps.log.warn('a call was refused', { reason: reasonOf(error) })
        return refuse(503)
      }
      const route = await agent.lastRoute().catch(unable)
      const media = route && (await o.deps.media.open().catch(unable))
      if (!media) return null
      const offers = offersOf(agent, { ids: o.deps.ids, media, route })
      const content = describe(offers, offer)
      if (over || content === null) {
        media.close()
        return refuse(488)
      }
      over = true
      try {
        return accept(agent, invite, { ...o, media, route, offers, timer, content, trace })
      } catch (error) {
        media.close()
        trace.finish()
        throw error
      }
    },
  }
}

function offersOf(
  agent: TrunkAgent,
  o: { ids: InboundDeps['ids']; media: MediaSession; route: Route },
): OfferAnswer {
  const { codecs, srtp, dtmf } = agent.options
  const address = agent.advertised(o.route).host
  return new OfferAnswer({
    local: localSound(o.ids, { address, port: o.media.localPort, srtp }),
    codecs: codecs.filter((codec) => o.media.codecs.has(codec)),
    dtmf,
  })
}

/** Our description: the answer to theirs, or an offer where they leave that to us; null when there is none. */
function describe(offers: OfferAnswer, offer: string): string | null {
  if (offer.trim() === '') return offers.offer()
  const result = offers.answer(offer)
  return 'answer' in result ? result.answer : null
}

function accept(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: {
    deps: InboundDeps
    source: Endpoint
    media: MediaSession
    route: Route
    offers: OfferAnswer
    timer: SessionTimer
    content: string
    trace: TraceRecorder
  },
): Leg {
  const { deps, media, route, offers, timer } = o
  const timing = timer.asked(timerRequest(invite.message), deps.clock.steady())
  const { session } = invite.accept({
    statusCode: 200,
    supported: ['timer'],
    extraHeaders: [`Allow: ${ALLOW}`, ...timing],
    body: sdp(o.content),
  })
  const allow = invite.message.getHeader('allow')
  return beginLeg(agent, {
    ...{ deps, session, media, offers, timer, route, allow },
    source: o.source,
    trace: o.trace,
    weBegan: false,
  }).leg
}
