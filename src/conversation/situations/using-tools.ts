/** What the model's tool calls come to, once the turn that they answer is committed. */
import { LAST_WORDS_MS, TRANSFER_MS } from '../limits.ts'
import { type Action, become, type Event, type State } from '../state.ts'
import { judgeTool, type Verdict } from '../tools.ts'

/** Keys take up to this long to press. */
const PRESSING_MS = 20_000
/** To write a call down takes milliseconds; a full disk takes as long as it takes. */
const SCHEDULING_MS = 5000
const WAITED = 'You wait in silence. What is said next is told to you.'
const INTERRUPTED = 'Error: the person has begun to speak. Hear them before you hang up.'

type Asked = Extract<Event, { type: 'tool' }>

export function useTool(state: State, event: Asked, now: number): Action[] | null {
  const { answer } = state
  const { id, call } = event
  if (answer?.id !== id) return null
  const verdict = judgeTool(call, state)
  if ('refused' in verdict)
    return [{ type: 'answer_tool', id, call, result: `Error: ${verdict.refused}` }]
  if (verdict.tool === 'end_call') return endCall(state, event, now)
  return [{ type: 'tool_used', call }, ...effect(state, event, verdict, now)]
}

type Effective = Exclude<Verdict, { refused: string } | { tool: 'end_call' }>

function effect(state: State, { id, call }: Asked, verdict: Effective, now: number): Action[] {
  switch (verdict.tool) {
    case 'press_digits':
      return [
        ...patient(state, now + PRESSING_MS),
        { type: 'press', id, call, digits: verdict.digits },
      ]
    case 'transfer_call':
      return [
        ...patient(state, now + TRANSFER_MS),
        { type: 'transfer', id, call, number: verdict.number },
      ]
    case 'schedule_callback':
      return [
        ...patient(state, now + SCHEDULING_MS),
        { type: 'call_back', id, call, when: verdict.when },
      ]
    case 'wait':
      return [
        become({ waiting: now + verdict.seconds * 1000 }),
        ...patient(state, now),
        { type: 'tool_done', id, call, result: WAITED },
      ]
  }
}

/** The reply may take until `until` and the model's own time longer; nothing covers that. */
function patient({ answer, llmTimeoutMs }: State, until: number): Action[] {
  if (!answer) return []
  const giveUpAt = answer.giveUpAt === null ? null : until + llmTimeoutMs
  return [become({ answer: { ...answer, fillerAt: null, giveUpAt } })]
}

/** Hangs up when what was said before it was heard. */
function endCall(state: State, { id, call }: Asked, now: number): Action[] {
  if (state.pausedAt !== null) return [{ type: 'answer_tool', id, call, result: INTERRUPTED }]
  return [
    { type: 'tool_used', call },
    { type: 'arm', rule: null },
    become({
      ending: {
        reason: 'agent_hangup',
        line: id,
        hangupAt: now + LAST_WORDS_MS,
        hungUp: false,
        over: false,
      },
    }),
    { type: 'answer_tool', id, call, result: null },
  ]
}
