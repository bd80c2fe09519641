import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { billableSeconds } from '../core/money.ts'
import type { Call } from './call.ts'
import type { CallFence, CallStore } from './call-store.ts'
import type { CallTime } from './call-time.ts'
import type { Leg } from './ports.ts'

/** A crash is billed to the last of these. */
const HEARTBEAT_MS = 5000
/** What `talk` gets beyond `maxDuration` to say goodbye; then BYE leaves whatever it does. */
export const GRACE_MS = 15_000
/** How long before its paid minutes are used up a call is asked to say goodbye. */
const GOODBYE_MS = 8000
/** How long before that BYE leaves whatever `talk` does: its answer may take a while too. */
const BYE_MS = 4000

/**
 * What watches an answered call from outside the conversation: heartbeats, the money, the hard deadline.
 * Returns the function that stops watching.
 */
export function superviseCall(
  d: { clock: Clock; log: Log; calls: CallStore; options: { billingEnabled: boolean } },
  o: { call: Call; fence: CallFence; leg: Leg; stop: AbortController; time: CallTime },
): () => void {
  const { call, fence, leg, stop, time } = o
  const startedAt = call.startedAt ?? time()
  let paidMinutes = 1
  let over = false
  let relieved = false
  let forgetPaid = (): void => undefined

  function cut(why: string): void {
    d.log.warn(why, { callId: call.id })
    void leg.hangup()
  }

  async function beat(): Promise<void> {
    const now = time()
    const ours = await d.calls.heartbeat(call.id, { fence, now })
    if (relieved) return
    if (!ours) {
      d.log.warn('call taken over by another process', { callId: call.id })
      stop.abort('canceled')
      return
    }
    if (d.options.billingEnabled && !over) await payAhead(now)
  }

  /** Holds the next minute before the goodbye would have to begin; without it, asks for the goodbye. */
  async function payAhead(now: number): Promise<void> {
    const used = billableSeconds(startedAt, now + HEARTBEAT_MS + GOODBYE_MS)
    if (used <= paidMinutes * 60) return
    const holdCents = (paidMinutes + 1) * call.centsPerMinute
    if (await d.calls.extendHold(call.id, { fence, holdCents })) {
      paidMinutes++
      return
    }
    if (relieved) return
    over = true
    stop.abort('out_of_balance')
    const left = startedAt + paidMinutes * 60_000 - time() - BYE_MS
    forgetPaid = d.clock.after(left, () => cut('call reached the end of its paid minutes'))
  }

  let forgetBeat = d.clock.after(HEARTBEAT_MS, tick)
  function tick(): void {
    beat().catch((error: unknown) =>
      d.log.error('heartbeat was not stored', { callId: call.id, reason: reasonOf(error) }),
    )
    forgetBeat = d.clock.after(HEARTBEAT_MS, tick)
  }
  const deadlineMs = call.maxDurationSeconds * 1000 + GRACE_MS
  const forgetDeadline = d.clock.after(deadlineMs, () => cut('call reached its hard deadline'))
  return () => {
    relieved = true
    forgetBeat()
    forgetPaid()
    forgetDeadline()
  }
}
