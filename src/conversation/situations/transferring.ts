/** The human is being handed over to somebody else: nothing is said or heard until it is known what came of it. */
import type { TransferOutcome } from '../../calls/ports.ts'
import { TRANSFER_MS } from '../limits.ts'
import {
  type Action,
  become,
  type Event,
  type Handover,
  type Situation,
  type State,
} from '../state.ts'
import { dropDraft } from '../utterance.ts'
import { handOver } from './ending.ts'

export const transferring: Situation = {
  decide(state, event, now) {
    if (event.type === 'transferring') return begin(state, event, now)
    const { handover } = state
    if (!handover) return null
    switch (event.type) {
      case 'transferred':
        if (event.id !== handover.id) return []
        return event.outcome.ok ? handOver(state, now) : goOn(state, handover, event.outcome, now)
      case 'hold':
        // Who transfers often holds us meanwhile.
        return [become({ held: event.held, checkedAt: now })]
      case 'barge_in':
        return [{ type: 'resume_mouth' }]
      case 'speech_started':
      case 'speech_paused':
      case 'recognised':
        // A ringing tone, music, a word to somebody else.
        return []
      case 'due':
        return now < handover.until ? null : goOn(state, handover, NO_WORD, now)
      default:
        return null
    }
  },
  due: ({ handover }) => handover?.until ?? Number.POSITIVE_INFINITY,
}

type Failure = Extract<TransferOutcome, { ok: false }>

const NO_WORD: Failure = { ok: false, reason: 'nothing was heard of it' }

function begin(
  state: State,
  { id, call }: Extract<Event, { type: 'transferring' }>,
  now: number,
): Action[] {
  const { utterance } = state
  return [
    ...(utterance ? dropDraft(utterance) : []),
    { type: 'arm', rule: null },
    become({ utterance: null, pausedAt: null, handover: { id, call, until: now + TRANSFER_MS } }),
  ]
}

/** The human is still there: the model is told, and tells them, at once or when we are no longer held. */
function goOn(state: State, { id, call }: Handover, { reason }: Failure, now: number): Action[] {
  const result = `Error: the transfer failed: ${reason}. The person is still on the phone with you.`
  const { answer, held } = state
  const over = become({ handover: null, quietSince: now, checkedAt: now })
  const told: Action[] = [over, { type: 'answer_tool', id, call, result }]
  if (answer?.id !== id) return told
  if (held) return [...told, { type: 'drop', id }, become({ answer: null, cutOff: true })]
  const giveUpAt = answer.phase === 'sounding' ? null : now + state.llmTimeoutMs
  return [...told, { type: 'arm', rule: state.rule }, become({ answer: { ...answer, giveUpAt } })]
}
