/** The INVITE of one call over one trunk: whom it calls, who calls, and what we offer. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { DialRequest } from '../calls/ports.ts'
import { formatNumber } from './number-format.ts'
import type { SessionTimer } from './session-timer.ts'
import { ALLOW } from './sip/reply.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'

/** What makes it this INVITE; one that is sent again after a 422 differs in its CSeq only (RFC 3261 §8.1.3.5). */
export interface InviteIdentity {
  callId: string
  fromTag: string
  cseq: number
}

/** Every user part is percent-encoded by the URI that carries it: nothing of a number can end a header. */
export function buildInvite(
  agent: TrunkAgent,
  o: {
    request: DialRequest
    identity: InviteIdentity
    route: Route
    timer: SessionTimer
    /** Our description. */
    offer: string
  },
): Core.OutgoingRequestMessage {
  const { options } = agent
  const called = formatNumber(o.request.to, options.numberFormat, options.numbers[0])
  const caller = formatNumber(o.request.from, options.numberFormat, options.numbers[0])
  const from = fromOf(agent, caller)
  const headers = [
    `Contact: ${agent.contact(o.route)}`,
    `Allow: ${ALLOW}`,
    'Supported: 100rel, timer',
    ...o.timer.offerHeaders(),
    ...from.headers,
  ]
  return agent.core.makeOutgoingRequestMessage(
    'INVITE',
    calledUri(agent, o.request.to),
    agent.uri(from.user),
    agent.uri(called),
    o.identity,
    headers,
    { contentDisposition: 'session', contentType: 'application/sdp', content: o.offer },
  )
}

/** Where a trunk is asked to call a number. */
export function calledUri(agent: TrunkAgent, number: string): Core.URI {
  const { numberFormat, numbers, domain, port } = agent.options
  const user = formatNumber(number, numberFormat, numbers[0])
  const named = domain === null && port !== null && port !== 5060
  return agent.uri(user, undefined, named ? port : undefined)
}

/** RFC 3325: a trunk that knows us by our account wants that in From, and the number beside it. */
function fromOf(agent: TrunkAgent, caller: string): { user: string; headers: string[] } {
  const { callerId, username } = agent.options
  if (callerId === 'from') return { user: caller, headers: [] }
  const name = callerId === 'pai' ? 'P-Asserted-Identity' : 'P-Preferred-Identity'
  return { user: username ?? caller, headers: [`${name}: <${agent.uri(caller).toString()}>`] }
}
