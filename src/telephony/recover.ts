/** Ends, at start, the calls that an earlier process left open. */
import type { SipState } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { CallEnder } from './call-ender.ts'
import { endRinging } from './ringing.ts'
import type { SourceList } from './sip/gate.ts'
import type { SipStack } from './sip/sip-stack.ts'
import { protocolOf } from './sip/transport.ts'
import type { TrunkAgent } from './sip/trunk-agent.ts'
import { readState } from './sip-state.ts'

/** A 2xx that nobody acknowledged comes again every 4 s (T2): this waits for one of them. */
const PATIENCE_MS = 4_500

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
  agents: readonly TrunkAgent[]
}

/**
 * Sends CANCEL, BYE or a refusal by what was stored, from the port it was stored with where that can be had. Resolves when the
 * other side confirmed, or after a few seconds; throws only when `state` is not one of ours.
 */
export async function recover(state: SipState, deps: Deps): Promise<void> {
  const known = readState(state)
  if (!known) throw new Error('ending an interrupted call: its stored SIP state cannot be read')
  const { stack, clock, ids, log, sources } = deps
  const agent = deps.agents.find((candidate) => candidate.options.name === known.trunk)
  const release = sources.hold(known.destination.host)
  // Over TCP and TLS the port of the former connection means nothing.
  const stream = protocolOf(known.destination) !== 'UDP'
  const usual = stream || known.localPort === stack.transport.localPort
  const borrowed = usual ? null : await stack.transport.borrowPort(known.localPort)
  const ender = new CallEnder({
    clock,
    ids,
    stack,
    credentials: agent?.credentials ?? null,
    nextHop: (message) => agent?.nextHop(message) ?? Promise.resolve(known.destination),
    ...(borrowed ? { fromPort: known.localPort } : {}),
  })
  try {
    if (known.phase === 'ringing')
      await endRinging(known, { clock, stack, ...(borrowed ? { fromPort: known.localPort } : {}) })
    else if (known.phase === 'dialog') await ender.endDialog(known, PATIENCE_MS)
    else await ender.endInvite(known, { cancel: 'now', patienceMs: PATIENCE_MS })
  } catch (error) {
    log.warn('an interrupted call could not be ended', {
      trunk: known.trunk,
      reason: reasonOf(error),
    })
  } finally {
    release()
    borrowed?.release()
  }
}
