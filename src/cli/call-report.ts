/** How a call is told on a terminal: a line a turn, then what came of it. */
import { toPlainLine } from './plain-text.ts'

export function turnLine(turn: { role: 'agent' | 'human'; text: string }): string {
  return `${turn.role}: ${toPlainLine(turn.text)}`
}

/** The lines after the last turn. Cost is in cents, duration in seconds. */
export function outcomeLines(call: {
  status: string
  endReason: string | null
  summary: string | null
  cost: number
  duration: number
}): string[] {
  const answered = call.status === 'completed'
  return [
    ...(answered ? [] : [`status: ${call.status}${call.endReason ? ` (${call.endReason})` : ''}`]),
    ...(call.summary ? [`summary: ${toPlainLine(call.summary)}`] : []),
    `cost: ${formatCents(call.cost)}`,
    `duration: ${call.duration} s`,
  ]
}

export function formatCents(cents: number): string {
  return `${cents} ${Math.abs(cents) === 1 ? 'cent' : 'cents'}`
}
