import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Call } from './call.ts'
import type { CallFence, CallStore, SipState, Trunk } from './ports.ts'
import type { SettleCall } from './settle-call.ts'

interface Deps {
  log: Log
  trunk: Trunk
  settle: SettleCall
}

/**
 * Ends what an earlier process left open: each call that was dialled and has no end gets its BYE or CANCEL from what
 * was stored and is closed as interrupted, billed to its last heartbeat. None is dialled again.
 */
export async function recoverCalls(d: Deps & { calls: CallStore }): Promise<void> {
  for (const found of await d.calls.interrupted())
    await closeInterrupted(d, { ...found, fence: null })
}

/** Ends one call that was dialled by somebody who is gone. */
export async function closeInterrupted(
  d: Deps,
  o: { call: Call; sip: SipState | null; fence: CallFence | null },
): Promise<void> {
  const { call, sip, fence } = o
  d.log.warn('call interrupted by a restart', { callId: call.id, status: call.status })
  // Hanging up leaves first and waits for nothing: the other side's answer may take seconds.
  if (sip)
    d.trunk.recover(sip).catch((error: unknown) =>
      d.log.warn('could not end an interrupted call', {
        callId: call.id,
        reason: reasonOf(error),
      }),
    )
  await d.settle(call, {
    status: 'failed',
    endReason: 'interrupted',
    ...(call.startedAt === null ? {} : { endedAt: call.heartbeatAt ?? call.startedAt }),
    fence,
  })
}
