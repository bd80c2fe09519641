/** An agreed call becomes a leg: from here on its addresses may send to us, until it is over. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { DialogLeg } from './dialog-leg.ts'
import type { MediaSession } from './media/media.ts'
import type { RemoteSound } from './sdp/answer.ts'
import type { LocalSound } from './sdp/offer.ts'
import type { SourceList } from './sip/gate.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import type { Route } from './sip/trunk-routes.ts'

export interface Agreed {
  deps: { clock: Clock; log: Log; stack: SipStack; sources: SourceList }
  session: Core.Session
  media: MediaSession
  route: Route
  /** What we said of ourselves. */
  local: LocalSound
  /** What they said; it names an address. */
  sound: RemoteSound & { host: string }
  /** Where the other side signals from: it may be another address than the trunk's. */
  source: Endpoint
  /** Sends the ACK when it has not left yet: called before our BYE. */
  acknowledge?: () => void
}

/** `letIn` allows one more address for as long as the leg lives. */
export function beginLeg(
  agent: TrunkAgent,
  o: Agreed,
): { leg: DialogLeg; letIn(host: string): void } {
  const { deps, session, source } = o
  const releases: (() => void)[] = []
  let over = false
  const letIn = (host: string): void => {
    if (!over) releases.push(deps.sources.hold(host))
  }
  letIn(source.host)
  agent.rememberAnswer(session.id, source)
  const leg = new DialogLeg(
    {
      clock: deps.clock,
      log: deps.log,
      session,
      media: o.media,
      local: o.local,
      codecs: agent.options.codecs,
      dtmf: agent.options.dtmf,
      contact: agent.contact(o.route),
      signallingHost: source.host,
      ...(o.acknowledge ? { beforeBye: o.acknowledge } : {}),
      onOver: () => {
        over = true
        deps.stack.rememberEnded(session.id)
        agent.forgetAnswer(session.id)
        for (const release of releases) release()
      },
    },
    o.sound,
  )
  return { leg, letIn }
}
