/** An INVITE that we gave up without an answer: should the other side wake up after all, it is ended by hand. */
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import { CallEnder } from './call-ender.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import type { InviteState } from './sip-state.ts'

/** RFC 3261 §9.1: an INVITE without a final response 64 × T1 after its CANCEL is over. */
export const CANCEL_LIFETIME_MS = 32_000

/**
 * Sends the INVITE no more. A phone that rings yet is canceled, one that answers is acknowledged and hung up.
 * `rang`: a provisional response came, so that CANCEL may leave at once.
 */
export function watchAbandoned(
  agent: TrunkAgent,
  sent: InviteState,
  o: { deps: { clock: Clock; ids: Ids; stack: SipStack }; rang: boolean },
): void {
  const { clock, ids, stack } = o.deps
  stack.transport.forget(sent.branch)
  const ender = new CallEnder({
    clock,
    ids,
    stack,
    credentials: agent.credentials,
    nextHop: (message) => agent.nextHop(message),
  })
  void ender
    .endInvite(sent, {
      cancel: o.rang ? 'now' : 'when it rings',
      patienceMs: CANCEL_LIFETIME_MS,
    })
    .catch(() => undefined)
}
