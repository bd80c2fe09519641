import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { type Call, isFinal } from './call.ts'
import type { CallStore } from './call-store.ts'
import type { LiveCalls } from './live-calls.ts'
import type { SettleCall } from './settle-call.ts'

/**
 * Cancels a call: one that has not begun is canceled at once; a running one is being hung up when this resolves.
 * Returns the call as it is now. Throws not_found, or conflict for one that has ended.
 */
export function createCancelCall(d: {
  clock: Clock
  calls: CallStore
  live: LiveCalls
  settle: SettleCall
}) {
  return async (id: string): Promise<Call> => {
    const call = await d.calls.get(id)
    if (!call) throw new AppError('not_found', 'There is no such call.')
    if (isFinal(call.status))
      throw new AppError('conflict', `This call has already ended (${call.status}).`)
    const running = d.live.stop(id, 'canceled')
    // What still runs may have been put off to another attempt just before it was told.
    const now = (running ? await d.calls.get(id) : null) ?? call
    if (!running || now.status === 'scheduled')
      await d.settle(now, {
        status: 'canceled',
        endReason: 'canceled',
        guard: running ? ['scheduled'] : ['scheduled', 'initiated'],
        fence: null,
      })
    return (await d.calls.get(id)) ?? call
  }
}
