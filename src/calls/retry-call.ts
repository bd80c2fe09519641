import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Call } from './call.ts'
import type { CallEvents } from './call-events.ts'
import type { CallFence, CallStore } from './call-store.ts'
import type { Dialed } from './ports.ts'
import { publicReason } from './public-reason.ts'
import { untilStored } from './until-stored.ts'

type Unanswered = Extract<Dialed, { failed: string }>

/**
 * Whether the number may be called again after this: busy, no answer, a failed trunk. An INVITE of which nobody knows what
 * became is never repeated, and who refused or was canceled is left alone.
 */
export function mayRetry(call: Call, dialed: Unanswered): boolean {
  if (call.attempt >= call.maxAttempts) return false
  if (dialed.failed === 'trunk_error') return dialed.unknown !== true
  return dialed.failed === 'busy' || dialed.failed === 'no_answer'
}

/**
 * Puts a call off to its next attempt: until then it is scheduled, holds nothing and is in nobody's way. Null when the
 * claim was lost.
 */
export async function retryCall(
  d: {
    clock: Clock
    log: Log
    calls: Pick<CallStore, 'scheduleRetry'>
    events: CallEvents
    onDue(): void
  },
  call: Call,
  o: { dialed: Unanswered; fence: CallFence; lease: AbortSignal },
): Promise<Call | null> {
  const { sipCode, reason } = o.dialed
  const waiting = await untilStored(d, { callId: call.id, signal: o.lease }, () => {
    const now = d.clock.now()
    return d.calls.scheduleRetry(call.id, {
      fence: o.fence,
      callAt: now + call.retryDelaySeconds * 1000,
      sipCode,
      reason: publicReason(reason),
      now,
    })
  })
  if (!waiting) return null
  d.log.info('call is tried again', {
    callId: call.id,
    attempt: waiting.attempt,
    afterSeconds: call.retryDelaySeconds,
  })
  d.events.notify(call.id)
  d.onDue()
  return waiting
}
