import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { CallStore, Trunk } from './ports.ts'
import type { SettleCall } from './settle-call.ts'

/**
 * Ends what an earlier process left open: each call that was dialled and has no end gets its BYE or CANCEL from what
 * was stored and is closed as interrupted, billed to its last heartbeat. None is dialled again.
 */
export async function recoverCalls(d: {
  log: Log
  calls: CallStore
  trunk: Trunk
  settle: SettleCall
}): Promise<void> {
  const found = await d.calls.interrupted()
  for (const { call, sip } of found) {
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
      fence: null,
    })
  }
}
