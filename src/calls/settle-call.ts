import type { Clock } from '../core/clock.ts'
import { billableSeconds, costOf } from '../core/money.ts'
import {
  type Call,
  type CallStatus,
  type EndReason,
  type FinalStatus,
  statusesBefore,
} from './call.ts'
import type { CallFence, CallStore } from './call-store.ts'
import type { CallResult } from './ports.ts'
import { endedCall, eventPayload } from './public-call.ts'
import { publicReason } from './public-reason.ts'

export interface Ending {
  status: FinalStatus
  endReason: EndReason | null
  /** The last attempt's, when not said. */
  sipCode?: number | null
  /** Why, in the words of whoever found out. */
  reason?: string | null
  summary?: string | null
  /** What was found out by the call's schema. */
  result?: CallResult | null
  /** When it ended; now, when not said. */
  endedAt?: number
  /** The statuses it may come from; all that the transition table allows, when not said. */
  guard?: readonly CallStatus[]
  /** Null ends the job whoever holds it. */
  fence: CallFence | null
}

export type SettleCall = (call: Call, ending: Ending) => Promise<Call | null>

/** Writes how a call ended, what it cost and its deliveries, together. Null when another was faster. */
export function createSettleCall(d: {
  clock: Clock
  calls: CallStore
  billingEnabled: boolean
  /** Told the settled call, e.g. to wake its watchers and the deliveries. */
  onSettled(call: Call): void
}): SettleCall {
  return async (call, ending) => {
    const endedAt = ending.endedAt ?? d.clock.now()
    const durationSeconds = billableSeconds(call.startedAt, endedAt)
    const settled = await d.calls.settle(call.id, {
      settlement: {
        status: ending.status,
        endReason: ending.endReason,
        sipCode: ending.sipCode ?? call.sipCode,
        reason: publicReason(ending.reason ?? null),
        summary: ending.summary ?? null,
        ...resultOf(call, ending),
        costCents: costOf(durationSeconds, call.centsPerMinute),
        durationSeconds,
        endedAt,
      },
      guard: ending.guard ?? statusesBefore(ending.status),
      fence: ending.fence,
      charge: d.billingEnabled,
      payload: (final, transcript) => eventPayload('call.completed', final, transcript, endedAt),
      endEvent: endedCall,
    })
    if (settled) d.onSettled(settled)
    return settled
  }
}

/** A call with a schema ends with a result or with the sentence that says why it has none. */
function resultOf(call: Call, ending: Ending): { result: unknown; resultError: string | null } {
  if (call.resultSchema === null) return { result: null, resultError: null }
  const { result, error } = ending.result ?? { result: null, error: whyNone(call) }
  return { result, resultError: error }
}

function whyNone(call: Call): string {
  return call.startedAt === null
    ? 'The call was not answered.'
    : 'The call broke off before its result was made.'
}
