/** Somebody who calls one of our numbers, on simulated time: the other side of an IncomingCall. */
import type { TraceMessage } from '../../src/calls/call-trace.ts'
import type { IncomingCall, Leg, SipState } from '../../src/calls/ports.ts'
import { createFakeLeg, type FakeLeg, type Speech } from './fake-leg.ts'
import type { SimClock } from './sim-clock.ts'

export interface Caller {
  /** The number that is called; null: none of ours. */
  to: string | null
  from?: string
  /** What the caller says, ms since the answer. */
  says?: readonly Speech[]
  /** The caller hangs up, ms since the answer; null: never. */
  hangsUpAfter?: number | null
  /** The caller gives up unless it was answered, ms since the INVITE; null: never. */
  givesUpAfter?: number | null
  /** What our answer comes to in place of a 200: nothing in common (488), no port free (503). */
  unanswerable?: number
}

/** One INVITE that came, and all that followed; requests are theirs where not said otherwise. */
export interface CameIn {
  readonly ladder: readonly string[]
  /** When each message of the ladder passed. */
  readonly times: readonly number[]
  readonly leg: FakeLeg | null
  /** Of the last refusal. */
  readonly retryAfterSeconds: number | null
}

export interface FakeCaller extends CameIn {
  readonly sipCallId: string
  /** Our process is gone: nothing more comes from it. */
  orphan(): void
  /** What a later process sends to end it. */
  recover(): void
}

/** Calls through `handler`; null: nobody takes calls, which a trunk answers with 403. */
export function fakeCaller(
  o: Caller & { clock: SimClock; sipCallId: string },
  handler: ((call: IncomingCall) => void) | null,
): FakeCaller {
  const { clock, sipCallId } = o
  const ladder: string[] = []
  const passed: TraceMessage[] = []
  const times: number[] = []
  const gone = new AbortController()
  let leg: FakeLeg | null = null
  let retryAfterSeconds: number | null = null
  let orphaned = false
  let over = false

  function pass(message: string): void {
    ladder.push(message)
    times.push(clock.now())
    passed.push({
      ...{ at: clock.now(), trunk: 'main', transport: 'UDP', remote: '192.0.2.1:5060' },
      direction: /^(INVITE|CANCEL|BYE)$/.test(message) ? 'received' : 'sent',
      ...{ summary: message, text: message, repeated: 0 },
    })
  }

  function refuse(status: number): number {
    if (over || orphaned) return 487
    over = true
    pass(String(status))
    return status
  }

  function accept(): Leg {
    pass('200')
    const answered = createFakeLeg({ clock, says: o.says ?? [] })
    leg = answered
    if (o.hangsUpAfter != null) clock.after(o.hangsUpAfter, () => answered.humanHangsUp())
    void answered.ended.then(({ by }) => {
      if (orphaned) return
      over = true
      pass(by === 'human' ? 'BYE' : 'BYE from us')
    })
    return answered
  }

  pass('INVITE')
  const call: IncomingCall = {
    to: o.to,
    from: o.from ?? '+15557654321',
    ringing: { trunk: 'main', phase: 'ringing', callId: sipCallId },
    gone: gone.signal,
    trace: {
      complete: Promise.resolve(),
      read: () => ({ messages: [...passed], omitted: 0, media: null }),
    },
    ring() {
      if (!over && !orphaned) pass('180')
    },
    reject(status, retry) {
      if (!over && !orphaned) retryAfterSeconds = retry?.retryAfterSeconds ?? null
      refuse(status)
    },
    async answer({ beforeAnswer }) {
      if (o.unanswerable !== undefined) return { refused: refuse(o.unanswerable) }
      const state: SipState = { trunk: 'main', phase: 'dialog', callId: sipCallId }
      try {
        await beforeAnswer(state)
      } catch {
        return { refused: refuse(503) }
      }
      if (over || orphaned) return { refused: 487 }
      return { answered: accept(), state }
    },
  }
  if (o.givesUpAfter != null)
    clock.after(o.givesUpAfter, () => {
      if (over || leg) return
      pass('CANCEL')
      refuse(487)
      over = true
      gone.abort()
    })
  if (handler) handler(call)
  else refuse(403)
  return {
    ladder,
    times,
    sipCallId,
    get leg() {
      return leg
    },
    get retryAfterSeconds() {
      return retryAfterSeconds
    },
    orphan() {
      if (over) return
      orphaned = true
      gone.abort()
      leg?.end({ by: 'us' })
    },
    recover() {
      if (over) return
      over = true
      pass(leg ? 'BYE from us' : '503')
    },
  }
}
