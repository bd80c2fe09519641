/** From a 2xx to a leg: its state is told before the ACK leaves, and again whenever the dialog moves. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { DialRequest } from '../calls/ports.ts'
import { reasonOf } from '../core/errors.ts'
import { beginLeg, type CallDeps } from './begin-leg.ts'
import type { DialogLeg } from './dialog-leg.ts'
import type { MediaSession } from './media/media.ts'
import type { OfferAnswer } from './offer-answer.ts'
import type { SessionTimer } from './session-timer.ts'
import type { Endpoint } from './sip/transport.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { WireMessage } from './sip/wire-message.ts'
import { type DialogState, dialogState, type InviteState } from './sip-state.ts'
import type { TraceRecorder } from './trace.ts'

/** How long the ACK waits for the dialog to be stored; the other side repeats its answer after half of that. */
const ACK_PATIENCE_MS = 1_000

type Response = Core.AckableIncomingResponseWithSession

interface Accepted {
  deps: CallDeps & { trace: TraceRecorder | null; onLeg(leg: DialogLeg): void }
  request: DialRequest
  route: Route
  media: MediaSession
  timer: SessionTimer
  offers: OfferAnswer
  response: Response
  /** Our INVITE as it left, and what answered it. */
  sent: InviteState
  answer: { message: WireMessage; source: Endpoint }
}

/** The leg of an answered call, and the state of its dialog, which is kept true while the call lasts. */
export function beginAccepted(
  agent: TrunkAgent,
  o: Accepted,
): { answered: DialogLeg; state: DialogState } {
  const { deps, response, timer, route, media, offers } = o
  const { session, message } = response
  const { source } = o.answer
  timer.confirmed(message.getHeader('session-expires'), deps.clock.steady())
  const state = stateOf(agent, o)
  const acknowledge = acknowledgeOnce(response, deps)
  const { leg, letIn } = beginLeg(agent, {
    ...{ deps, session, media, offers, timer, route, source, acknowledge },
    trace: deps.trace,
    allow: message.getHeader('allow'),
    weBegan: true,
    onMoved: followTarget(agent, { session, state, letIn: (host) => letIn(host), told: o.request }),
  })
  deps.onLeg(leg)
  // What comes from where our requests go, once its name is known, belongs to this call too.
  void agent.nextHop(state).then(
    ({ host }) => letIn(host),
    () => undefined,
  )
  acknowledgeWhenStored(state, { ...o, acknowledge })

  return { answered: leg, state }
}

/** What would end the call after a crash has to go where the dialog is now: changes `state` and tells it. */
export function followTarget(
  agent: TrunkAgent,
  o: {
    session: Core.Session
    state: DialogState
    letIn(host: string): void
    told: { onMoved?(state: DialogState): void }
  },
): () => Promise<void> {
  const { session, state } = o
  return async () => {
    const target = session.remoteTarget.toRaw()
    const { routes } = state
    const destination = await agent.nextHop({ routes, target }).catch(() => state.destination)
    if (session.remoteTarget.toRaw() !== target) return
    o.letIn(destination.host)
    Object.assign(state, { target, destination })
    o.told.onMoved?.(state)
  }
}

function stateOf(agent: TrunkAgent, o: Accepted): DialogState {
  const { message, source } = o.answer
  const target = o.response.session.remoteTarget.toRaw()
  const sentBy = agent.sentBy(o.route)
  const draft = dialogState(o.sent, message, { destination: source, target, sentBy })
  return { ...draft, destination: agent.knownHop(draft, source) }
}

function acknowledgeWhenStored(
  state: DialogState,
  o: { request: DialRequest; deps: CallDeps; acknowledge: () => void },
): void {
  const { request, deps, acknowledge } = o
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

function acknowledgeOnce(response: Response, { log }: CallDeps): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    try {
      response.ack()
    } catch (error) {
      // They hung up before: sip.js has no dialog any more that it could acknowledge.
      log.debug('an answer was not acknowledged', { reason: reasonOf(error) })
    }
  }
}
