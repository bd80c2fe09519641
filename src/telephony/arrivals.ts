/** INVITEs that begin a call with us: whose they are, and who is told of them. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { IncomingCall } from '../calls/ports.ts'
import { maskNumber } from '../core/phone-number.ts'
import type { CallDeps } from './begin-leg.ts'
import { calledNumber, callerNumber, userOf } from './called-number.ts'
import { type Arrival, inboundCall } from './inbound.ts'
import type { Media } from './media/media.ts'
import { ringingState } from './ringing.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import type { WireMessage } from './sip/wire-message.ts'
import type { Line, Trunks } from './trunk.ts'

type Handler = (call: IncomingCall) => void

export interface Arrivals {
  /** From now on calls that come from a trunk's addresses are handed to `handler`. */
  take(handler: Handler): void
  /** Refuses what has not been answered yet, and what still comes. */
  stop(): void
}

/**
 * Only a trunk's own addresses may call: the transport drops what comes from elsewhere, and what a live call lets in
 * beside them belongs to nobody here and is refused (403) without ringing.
 */
export function createArrivals(
  deps: CallDeps & { media: Media; trunks: Trunks; lines: readonly Line[] },
): Arrivals {
  const { stack, sources, trunks, log, ids } = deps
  /** Calls without a final status yet. */
  const waiting = new Map<Arrival, IncomingCall>()
  let stopped = false
  let arrival: Arrival | null = null

  function ownerOf(invite: WireMessage, owners: readonly string[]): TrunkAgent | null {
    const agents = deps.lines
      .map(({ agent }) => agent)
      .filter(({ options }) => owners.includes(options.name))
    const user = userOf(invite.requestUri)
    // Two accounts with one provider share its addresses: a registration is called by its own user name.
    return (
      agents.find(({ contactUser }) => contactUser === user) ??
      agents.find((agent) => calledNumber(invite, agent.options, agent.contactUser) !== null) ??
      agents[0] ??
      null
    )
  }

  function begin(agent: TrunkAgent, invite: Core.IncomingInviteRequest, handler: Handler): void {
    const came = arrival
    arrival = null
    if (!came) {
      invite.reject({ statusCode: 403 })
      return
    }
    const call = inboundCall(agent, invite, {
      deps: {
        ...deps,
        onDecided: () => void waiting.delete(came),
        onLeg: (leg) => trunks.carry(agent, leg),
      },
      arrival: came,
    })
    if (!call) return
    const { name } = agent.options
    log.info('a call comes in', { trunk: name, to: maskNumber(call.to ?? '') })
    const refusal = stopped ? 503 : trunks.hasRoom(agent) ? null : 486
    if (refusal !== null) {
      call.reject(refusal)
      return
    }
    waiting.set(came, call)
    handler(call)
  }

  return {
    take(handler) {
      stack.takeCalls((wire, source) => {
        const agent = ownerOf(wire, sources.ownersOf(source.host))
        if (!agent) return null
        const { options, contactUser } = agent
        const to = calledNumber(wire, options, contactUser)
        const { localPort } = stack.transport
        const ringing = ringingState(options.name, wire, { source, localPort, tag: ids.hex(8) })
        arrival = { wire, source, to, from: callerNumber(wire, options), ringing }
        return agent
      })
      for (const { agent } of deps.lines)
        agent.core.delegate.onInvite = (invite) => begin(agent, invite, handler)
    },
    stop() {
      stopped = true
      for (const call of [...waiting.values()]) call.reject(503)
    },
  }
}
