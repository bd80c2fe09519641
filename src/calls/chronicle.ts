import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Call, TurnTiming } from './call.ts'
import type { CallEvents } from './call-events.ts'
import type { CallFence, CallStore } from './call-store.ts'
import type { SipState, TalkEvent } from './ports.ts'
import { eventPayload } from './public-call.ts'
import { untilStored } from './until-stored.ts'

/**
 * Writes a call down while it happens, in order, without making anybody wait for the disk: what cannot be written now
 * is written when it can.
 */
export interface Chronicle {
  /** Stores the answer and the dialog; `onLost` when another process owns the call. */
  answered(sip: SipState, onLost: () => void): void
  on(event: TalkEvent): void
  /** Resolves when all that was told is on disk (or has failed, and was logged). */
  written(): Promise<void>
}

/** `signal` aborts when the call is another process's: from then on nothing is written again. */
export function createChronicle(
  d: {
    clock: Clock
    log: Log
    calls: CallStore
    events: CallEvents
    onTiming?(timing: TurnTiming): void
    onDue(): void
  },
  o: { call: Call; fence: CallFence; signal: AbortSignal },
): Chronicle {
  const { call, fence } = o
  const callId = call.id
  let last: Promise<unknown> = Promise.resolve()

  function then(write: () => Promise<unknown>): void {
    last = last
      .then(() => untilStored(d, { callId, signal: o.signal }, write))
      .then(() => d.events.notify(callId))
      .catch((error: unknown) =>
        d.log.error('part of a call was not stored', { callId, reason: reasonOf(error) }),
      )
  }

  function transferred(at: number): void {
    then(async () => {
      const transcript = await d.calls.transcript(callId)
      const deliveries = eventPayload('call.transferred', call, transcript, at)
      if (await d.calls.markTransferred(callId, { fence, deliveries })) d.onDue()
    })
  }

  return {
    answered(sip, onLost) {
      const startedAt = call.startedAt ?? 0
      const deliveries = eventPayload('call.answered', call, [], startedAt)
      then(async () => {
        const kept = await d.calls.markAnswered(callId, { fence, startedAt, sip, deliveries })
        if (kept) d.onDue()
        else onLost()
      })
    },
    on(event) {
      if (event.type === 'timing') {
        d.onTiming?.(event.timing)
        then(() => d.calls.appendTiming(callId, event.timing))
      } else if (event.type === 'tool') {
        const { name, arguments: args, at } = event
        const data = { name, arguments: args, at: new Date(at).toISOString() }
        then(() => d.calls.appendEvent(callId, { type: 'tool', data }))
      } else if (event.type === 'transferred') transferred(event.at)
      else {
        const { turn, role, text, final, at } = event
        const data = { turn, role, text, final, at: new Date(at).toISOString() }
        const said = { index: turn, role, text, at }
        if (final && text !== '') then(() => d.calls.appendTurn(callId, said))
        then(() => d.calls.appendEvent(callId, { type: 'transcript', data }))
      }
    },
    async written() {
      await last
    },
  }
}
