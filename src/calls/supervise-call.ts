import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { billableSeconds } from '../core/money.ts'
import type { Call } from './call.ts'
import type { CallFence, CallStore, Leg } from './ports.ts'

/** A crash is billed to the last of these. */
const HEARTBEAT_MS = 5000
/** What `talk` gets beyond `maxDuration` to say goodbye; then BYE leaves whatever it does. */
const GRACE_MS = 15_000
/** How long before its paid minutes are used up a call is asked to say goodbye. */
const GOODBYE_MS = 8000

/**
 * What watches an answered call from outside the conversation: heartbeats, the money, the hard deadline.
 * Returns the function that stops watching.
 */
export function superviseCall(
  d: { clock: Clock; log: Log; calls: CallStore; options: { billingEnabled: boolean } },
  o: { call: Call; fence: CallFence; leg: Leg; stop: AbortController },
): () => void {
  const { call, fence, leg, stop } = o
  const startedAt = call.startedAt ?? d.clock.now()
  let paidMinutes = 1
  let over = false

  async function beat(): Promise<void> {
    const now = d.clock.now()
    const ours = await d.calls.heartbeat(call.id, { fence, now })
    if (!ours) {
      d.log.warn('call taken over by another process', { callId: call.id })
      stop.abort('canceled')
    }
    if (d.options.billingEnabled && !over) await payAhead(now)
  }

  /** Holds the next minute before the goodbye would have to begin; without it, asks for the goodbye. */
  async function payAhead(now: number): Promise<void> {
    const used = billableSeconds(startedAt, now + HEARTBEAT_MS + GOODBYE_MS)
    if (used <= paidMinutes * 60) return
    if (await d.calls.extendHold(call.id, (paidMinutes + 1) * call.centsPerMinute)) paidMinutes++
    else if (
      billableSeconds(startedAt, now + GOODBYE_MS) >
      paidMinutes * 60 - HEARTBEAT_MS / 1000
    ) {
      over = true
      stop.abort('out_of_balance')
    }
  }

  let forgetBeat = d.clock.after(HEARTBEAT_MS, tick)
  function tick(): void {
    beat().catch((error: unknown) =>
      d.log.error('heartbeat was not stored', { callId: call.id, reason: reasonOf(error) }),
    )
    forgetBeat = d.clock.after(HEARTBEAT_MS, tick)
  }
  const forgetDeadline = d.clock.after(call.maxDurationSeconds * 1000 + GRACE_MS, () => {
    d.log.warn('call reached its hard deadline', { callId: call.id })
    void leg.hangup()
  })
  return () => {
    forgetBeat()
    forgetDeadline()
  }
}
