/** The INVITE of one call over one trunk: whom it calls, who calls, and what we offer. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { DialRequest } from '../calls/ports.ts'
import type { Ids } from '../core/ids.ts'
import type { CodecName } from './media/media.ts'
import { formatNumber } from './number-format.ts'
import { type LocalSound, renderOffer } from './sdp/offer.ts'
import { ALLOW } from './sip/reply.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'

/** Every user part is percent-encoded by the URI that carries it: nothing of a number can end a header. */
export function buildInvite(
  agent: TrunkAgent,
  o: {
    request: DialRequest
    ids: Ids
    route: Route
    local: LocalSound
    codecs: readonly CodecName[]
  },
): Core.OutgoingRequestMessage {
  const { options } = agent
  const home = options.numbers[0]
  const called = formatNumber(o.request.to, options.numberFormat, home)
  const caller = formatNumber(o.request.from, options.numberFormat, home)
  const port = options.domain === null && options.port !== 5060 ? options.port : undefined
  const identity = identityOf(agent, caller)
  const content = renderOffer(o.local, {
    codecs: o.codecs,
    telephoneEvent: options.dtmf === 'rfc4733',
  })
  return agent.core.makeOutgoingRequestMessage(
    'INVITE',
    agent.uri(called, undefined, port),
    agent.uri(identity.fromUser),
    agent.uri(called),
    { callId: o.ids.uuid(), fromTag: o.ids.hex(8), cseq: 1 },
    [`Contact: ${agent.contact(o.route)}`, `Allow: ${ALLOW}`, ...identity.headers],
    { contentDisposition: 'session', contentType: 'application/sdp', content },
  )
}

/** RFC 3325: a trunk that knows us by our account wants that in From, and the number beside it. */
function identityOf(agent: TrunkAgent, caller: string): { fromUser: string; headers: string[] } {
  const { callerId, username } = agent.options
  if (callerId === 'from') return { fromUser: caller, headers: [] }
  const name = callerId === 'pai' ? 'P-Asserted-Identity' : 'P-Preferred-Identity'
  return { fromUser: username ?? caller, headers: [`${name}: <${agent.uri(caller).toString()}>`] }
}
