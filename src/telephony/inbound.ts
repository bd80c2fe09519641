/** A call that comes to us: from its INVITE to an answered leg, or a refusal. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Leg } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { DialogLeg } from './dialog-leg.ts'
import type { CodecName, Media, MediaSession } from './media/media.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import { localSound, renderAnswer } from './sdp/offer.ts'
import type { SourceList } from './sip/gate.ts'
import { ALLOW } from './sip/reply.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'

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
      const offer = invite.message.body ?? ''
      const { codecs, srtp } = agent.options
      if (!isUsable(readSound(offer, { codecs, srtp }))) return refuse(488)
      const media = await o.deps.media.open().catch((error: unknown) => {
        o.deps.log.warn('a call was refused', { reason: reasonOf(error) })
        return null
      })
      if (!media) return refuse(503)
      const carried = codecs.filter((codec) => media.codecs.has(codec))
      const sound = readSound(offer, { codecs: carried, srtp })
      if (!isUsable(sound)) {
        media.close()
        return refuse(488)
      }
      const route = await agent.lastRoute()
      if (over) {
        media.close()
        return null
      }
      over = true
      return accept(agent, invite, {
        ...o,
        media,
        route,
        codecs: carried,
        sound,
      })
    },
  }
}

type UsableSound = RemoteSound & { host: string }

function isUsable(sound: ReturnType<typeof readSound>): sound is UsableSound {
  return !('refused' in sound) && sound.host !== null
}

function accept(
  agent: TrunkAgent,
  invite: Core.IncomingInviteRequest,
  o: {
    deps: InboundDeps
    source: Endpoint
    media: MediaSession
    route: Awaited<ReturnType<TrunkAgent['lastRoute']>>
    codecs: readonly CodecName[]
    sound: UsableSound
  },
): Leg {
  const { deps, sound, media } = o
  const contact = agent.contact(o.route)
  const local = localSound(deps.ids, {
    address: agent.advertised(o.route).host,
    port: media.localPort,
    srtp: agent.options.srtp,
  })
  const content = renderAnswer(local, sound, {
    telephoneEvent: agent.options.dtmf === 'rfc4733',
  })
  const { session } = invite.accept({
    statusCode: 200,
    extraHeaders: [`Allow: ${ALLOW}`],
    body: { contentDisposition: 'session', contentType: 'application/sdp', content },
  })
  const release = deps.sources.hold(o.source.host)
  return new DialogLeg(
    {
      clock: deps.clock,
      log: deps.log,
      session,
      media,
      local,
      codecs: o.codecs,
      dtmf: agent.options.dtmf,
      contact,
      signallingHost: o.source.host,
      onOver: () => {
        deps.stack.rememberEnded(session.id)
        release()
      },
    },
    sound,
  )
}
