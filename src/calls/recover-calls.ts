import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type Call, isFinal } from './call.ts'
import type { CallFence, CallStore } from './call-store.ts'
import type { SipState, Trunk } from './ports.ts'
import type { SettleCall } from './settle-call.ts'

interface Deps {
  log: Log
  trunk: Trunk
  calls: Pick<CallStore, 'forgetSip'>
  settle: SettleCall
}

/**
 * Ends what an earlier process left open: each call that was dialled and has no end gets its BYE or CANCEL from what
 * was stored and is closed as interrupted, billed to its last heartbeat; one that was closed by a process which then
 * died as well gets its BYE or CANCEL again. None is dialled again. Resolves when all are closed; `hungUp` resolves when
 * nothing is left to be sent.
 */
export async function recoverCalls(
  d: Deps & { calls: Pick<CallStore, 'interrupted' | 'forgetSip'> },
): Promise<{ hungUp: Promise<void> }> {
  const ends: Promise<void>[] = []
  for (const found of await d.calls.interrupted())
    ends.push((await closeInterrupted(d, { ...found, fence: null })).hungUp)
  return { hungUp: Promise.all(ends).then(() => undefined) }
}

/** Ends one call that was dialled by somebody who is gone; resolves when it is closed. */
export async function closeInterrupted(
  d: Deps,
  o: { call: Call; sip: SipState | null; fence: CallFence | null },
): Promise<{ hungUp: Promise<void> }> {
  const { call, sip, fence } = o
  d.log.warn('call interrupted by a restart', { callId: call.id, status: call.status })
  // Hanging up leaves first and the settlement does not wait for it: the other side's answer may take seconds.
  const ended = sip
    ? d.trunk.recover(sip).catch((error: unknown) => unreadable(d, call, error))
    : null
  if (!isFinal(call.status))
    await d.settle(call, {
      status: 'failed',
      endReason: 'interrupted',
      reason: 'the appliance stopped while the call was under way',
      ...(call.startedAt === null ? {} : { endedAt: call.heartbeatAt ?? call.startedAt }),
      fence,
    })
  return { hungUp: ended ? ended.then(() => forget(d, call)) : Promise.resolve() }
}

/** What was stored is of no use, and would be of none to the next process. */
function unreadable(d: Deps, call: Call, error: unknown): void {
  d.log.warn('could not end an interrupted call', { callId: call.id, reason: reasonOf(error) })
}

/** Only now: had this process died before, the next one would have to end the call. */
async function forget(d: Deps, call: Call): Promise<void> {
  await d.calls.forgetSip(call.id).catch((error: unknown) =>
    d.log.warn('the end of an interrupted call was not stored', {
      callId: call.id,
      reason: reasonOf(error),
    }),
  )
}
