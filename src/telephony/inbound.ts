/** A call that comes to us: from its INVITE to an answered leg, or a refusal. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Leg } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { beginLeg } from './begin-leg.ts'
import type { Media, MediaSession } from './media/media.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import { type LocalSound, renderAnswer } from './sdp/offer.ts'
import type { SourceList } from './sip/gate.ts'
import { ALLOW } from './sip/reply.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import type { Route } from './sip/trunk-routes.ts'

export interface InboundCall {
  /** The user part of the request-URI: the number that was called. */
  readonly to: string
  /** Sends 180. */
  ring(): void
  /** Sends 200 and resolves with the leg; null when the caller was faster to give up, or cannot be heard. */
  answer(): Promise<Leg | null>
  /** Refuses with a final status, e.g. 486. */
  reject(status: number): void
}

export interface InboundDeps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
  media: Media
}

/** One INVITE outside any dialog, as sip.js handed it over; it is answered 180, 200 or refused by what `call` is told. */
export function inboundCall(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: { deps: InboundDeps; source: Endpoint; to: string },
): InboundCall {
  let over = false
  invite.delegate = {
    onCancel() {
      over = true
      invite.reject({ statusCode: 487 })
    },
  }

  function refuse(statusCode: number): null {
    if (!over) invite.reject({ statusCode })
    over = true
    return null
  }

  return {
    to: o.to,
    ring() {
      if (!over) invite.progress({ statusCode: 180 })
    },
    reject: refuse,
    async answer() {
      if (over) return null
      const sound = readSound(invite.message.body ?? '', agent.options.codecs)
      if ('refused' in sound || sound.host === null) return refuse(488)
      const unable = (error: unknown): null => {
        o.deps.log.warn('a call was refused', { reason: reasonOf(error) })
        return refuse(503)
      }
      const route = await agent.lastRoute().catch(unable)
      const media = route && (await o.deps.media.open().catch(unable))
      if (!media) return null
      if (over) {
        media.close()
        return null
      }
      over = true
      try {
        return accept(agent, invite, { ...o, media, route, sound: { ...sound, host: sound.host } })
      } catch (error) {
        media.close()
        throw error
      }
    },
  }
}

function accept(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: {
    deps: InboundDeps
    source: Endpoint
    media: MediaSession
    route: Route
    sound: RemoteSound & { host: string }
  },
): Leg {
  const { deps, sound, media } = o
  const local: LocalSound = {
    address: agent.advertised(o.route).host,
    port: media.localPort,
    sessionId: Math.floor(deps.ids.fraction() * 2 ** 31),
    version: 1,
  }
  const content = renderAnswer(local, {
    offered: sound.streams,
    taken: sound.taken,
    codec: sound.codec,
    payloadType: sound.payloadType,
    telephoneEvent: sound.telephoneEventPayloadType,
    direction: sound.direction,
  })
  const { session } = invite.accept({
    statusCode: 200,
    extraHeaders: [`Allow: ${ALLOW}`],
    body: { contentDisposition: 'session', contentType: 'application/sdp', content },
  })
  return beginLeg(agent, { ...o, session, local }).leg
}
