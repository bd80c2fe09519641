/** What we can say of our sound on one trunk. */
import type { Ids } from '../core/ids.ts'
import type { MediaSession } from './media/media.ts'
import { OfferAnswer } from './offer-answer.ts'
import { localSound } from './sdp/offer.ts'
import type { Route, TrunkAgent } from './sip/trunk-agent.ts'

/** Throws when none of the trunk's codecs can be carried. */
export function offersOf(
  agent: TrunkAgent,
  o: { ids: Ids; media: MediaSession; route: Route },
): OfferAnswer {
  const { codecs, srtp, dtmf } = agent.options
  const carried = codecs.filter((codec) => o.media.codecs.has(codec))
  if (carried.length === 0)
    throw new Error(`no codec of the trunk is available: ${codecs.join(', ')}`)
  const address = agent.advertised(o.route).host
  const local = localSound(o.ids, { address, port: o.media.localPort, srtp })
  return new OfferAnswer({ local, codecs: carried, dtmf })
}
