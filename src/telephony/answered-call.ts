/** From an answer to a leg: what a dialog that has just been confirmed, either way, is made into. */
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
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'

export interface CallDeps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
}

/**
 * The leg of a confirmed dialog. `peer`: the address that answered or called; it may send to us while the call lasts,
 * as may every address that `hold` names later.
 */
export function answeredCall(
  agent: TrunkAgent,
  o: {
    deps: CallDeps
    session: Core.Session
    media: MediaSession
    offers: OfferAnswer
    timer: SessionTimer
    route: Route
    peer: string
    weBegan: boolean
    allow: string | undefined
  },
): { leg: DialogLeg; hold(address: string): void } {
  const { deps, session } = o
  // The dialog's own address may be another than the trunk's: what comes from there belongs to this call.
  const releases = [deps.sources.hold(o.peer)]
  let over = false
  const { clock, ids, log } = deps
  const { media, offers, timer, weBegan, allow } = o
  const leg = new DialogLeg({
    ...{ clock, ids, log, session, media, offers, timer, weBegan, allow },
    dtmf: agent.options.dtmf,
    contact: agent.contact(o.route),
    signallingHost: o.peer,
    referTo: (number) => [
      `Refer-To: <${calledUri(agent, number).toString()}>`,
      `Referred-By: <${session.localURI.toString()}>`,
    ],
    // Theirs may cross ours: it is answered 200 all the same.
    onBye: () => deps.stack.rememberEnded(session.id),
    onOver: () => {
      over = true
      deps.stack.rememberEnded(session.id)
      for (const release of releases) release()
    },
  })
  function hold(address: string): void {
    if (!over) releases.push(deps.sources.hold(address))
  }
  return { leg, hold }
}
