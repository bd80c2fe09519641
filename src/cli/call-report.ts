/** How a call is told on a terminal: a line a turn, then what came of it. */
import { TOP_UP } from './api-client.ts'
import { toPlainLine } from './plain-text.ts'

export function turnLine(turn: { role: 'agent' | 'human'; text: string }): string {
  return `${turn.role}: ${toPlainLine(turn.text)}`
}

/** Nobody answered, and the call waits for its next attempt. */
export function nextAttemptLine(o: {
  attempt: number
  callAt: string
  reason: string | null
}): string {
  const why = o.reason === null ? '' : ` (${toPlainLine(o.reason)})`
  return `not answered${why}: attempt ${o.attempt} follows at ${toPlainLine(o.callAt)}`
}

const NO_SOUND =
  'no sound came from the other side: are the UDP ports of sip.rtp_ports open to the trunk, is sip.public_host right?'

/** The lines after the last turn. Cost is in cents, duration in seconds. */
export function outcomeLines(call: {
  status: string
  endReason: string | null
  reason: string | null
  summary: string | null
  cost: number
  duration: number
}): string[] {
  const answered = call.status === 'completed'
  const ordinary = call.endReason === 'agent_hangup' || call.endReason === 'human_hangup'
  return [
    ...(answered ? [] : [`status: ${call.status}${call.endReason ? ` (${call.endReason})` : ''}`]),
    ...(call.reason ? [`reason: ${toPlainLine(call.reason)}`] : []),
    ...(call.summary ? [`summary: ${toPlainLine(call.summary)}`] : []),
    `cost: ${formatCents(call.cost)}`,
    `duration: ${call.duration} s`,
    ...(answered && !ordinary && call.endReason ? [`ended: ${call.endReason}`] : []),
    ...(call.endReason === 'rtp_timeout' ? [NO_SOUND] : []),
    ...(call.endReason === 'out_of_balance' ? [`The balance is used up. ${TOP_UP}`] : []),
  ]
}

export function formatCents(cents: number): string {
  return `${cents} ${Math.abs(cents) === 1 ? 'cent' : 'cents'}`
}
