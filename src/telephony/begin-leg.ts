/** From an answer to a leg: what a dialog that was just agreed on, either way, is made into. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { DialogLeg } from './dialog-leg.ts'
import { calledUri } from './invite.ts'
import type { MediaSession } from './media/media.ts'
import type { OfferAnswer } from './offer-answer.ts'
import type { SessionTimer } from './session-timer.ts'
import type { SourceList } from './sip/gate.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { TraceRecorder } from './trace.ts'

export interface CallDeps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
}

/**
 * The leg of an agreed dialog. `source` may send to us while the call lasts, as may every address that `letIn` names
 * later; requests go there while the name that the dialog goes to is not known.
 */
export function beginLeg(
  agent: TrunkAgent,
  o: {
    deps: CallDeps
    session: Core.Session
    media: MediaSession
    offers: OfferAnswer
    timer: SessionTimer
    route: Route
    /** Where the other side signals from: it may be another address than the trunk's. */
    source: Endpoint
    weBegan: boolean
    allow: string | undefined
    /** Sends the ACK when it has not left yet: called before a request of ours. */
    acknowledge?: () => void
    /** The other side is to be reached at another Contact from now on: that of `session`. */
    onMoved?: () => void
    /** Told of the sound, and of the end. */
    trace: TraceRecorder | null
  },
): { leg: DialogLeg; letIn(host: string): void } {
  const { deps, session, source } = o
  const releases: (() => void)[] = []
  let over = false
  function letIn(host: string): void {
    if (!over) releases.push(deps.sources.hold(host))
  }
  letIn(source.host)
  o.trace?.sound(o.media)
  agent.rememberAnswer(session.id, source)
  const { clock, ids, log } = deps
  const { media, offers, timer, weBegan, allow } = o
  const leg = new DialogLeg({
    ...{ clock, ids, log, session, media, offers, timer, weBegan, allow },
    dtmf: agent.options.dtmf,
    contact: agent.contact(o.route),
    signallingHost: source.host,
    ...(o.acknowledge ? { acknowledge: o.acknowledge } : {}),
    onMoved: o.onMoved ?? (() => {}),
    referTo: (number) => [
      `Refer-To: <${calledUri(agent, number).toString()}>`,
      `Referred-By: <${session.localURI.toString()}>`,
    ],
    // Theirs may cross ours: it is answered 200 all the same.
    onBye: () => deps.stack.rememberEnded(session.id),
    onOver: () => {
      over = true
      deps.stack.rememberEnded(session.id)
      agent.forgetAnswer(session.id)
      for (const release of releases) release()
      o.trace?.finish()
    },
  })
  return { leg, letIn }
}
