import { describe, expect, it } from 'vitest'
import {
  ACTIVE_STATUSES,
  CALL_STATUSES,
  type CallEvent,
  type CallStatus,
  isFinal,
  statusesBefore,
  transition,
} from './call.ts'

const EVENTS: readonly CallEvent[] = [
  'due',
  'ringing',
  'answered',
  'retry',
  'completed',
  'busy',
  'no_answer',
  'failed',
  'canceled',
]
/** Every move that there is; all others are none. */
const MOVES: Record<string, CallStatus> = {
  'scheduled due': 'initiated',
  'scheduled failed': 'failed',
  'scheduled canceled': 'canceled',
  'initiated ringing': 'ringing',
  'initiated answered': 'in_progress',
  'initiated retry': 'scheduled',
  'initiated busy': 'busy',
  'initiated no_answer': 'no_answer',
  'initiated failed': 'failed',
  'initiated canceled': 'canceled',
  'ringing answered': 'in_progress',
  'ringing retry': 'scheduled',
  'ringing busy': 'busy',
  'ringing no_answer': 'no_answer',
  'ringing failed': 'failed',
  'ringing canceled': 'canceled',
  'in_progress completed': 'completed',
  'in_progress failed': 'failed',
}
const pairs = CALL_STATUSES.flatMap((status) => EVENTS.map((event) => [status, event] as const))

describe('the status of a call', () => {
  it.each(pairs)('%s, then %s', (status, event) => {
    const next = MOVES[`${status} ${event}`] ?? null
    expect(transition(status, event)).toBe(next)
    expect(statusesBefore(event).includes(status)).toBe(next !== null)
  })

  it('is final when nothing leads away from it', () => {
    const final = CALL_STATUSES.filter(isFinal)
    expect(final).toEqual(['completed', 'busy', 'no_answer', 'failed', 'canceled'])
    for (const status of final)
      for (const event of EVENTS) expect(transition(status, event)).toBeNull()
  })

  it('is active from the moment it is due until it is final', () => {
    expect(ACTIVE_STATUSES).toEqual(['initiated', 'ringing', 'in_progress'])
  })
})
