/** What was said, in the order in which it was: for people as turns, for the model as messages. */
import type { Turn } from '../calls/call.ts'
import { hintFor } from './callee.ts'
import type { Message } from './ports.ts'
import type { ToolCall } from './tools.ts'

/** Ends a message of the model's whose rest the human did not hear. The system prompt explains it. */
export const CUT_MARK = '[cut off]'

type Entry =
  | { kind: 'human'; turn: Turn }
  | { kind: 'agent'; turn: Turn; line: number; cut: boolean; filler: boolean; over: boolean }
  | { kind: 'note'; text: string }
  | { kind: 'tool'; use: ToolUse }

/** A tool call with its answer, and where it stood in what the agent said. */
interface ToolUse {
  call: ToolCall
  result: string
  /** The line that used it, and all that the line said before that; null when it said nothing. */
  after: { line: number; said: string } | null
}

export interface Transcript {
  /** Appends the human's turn, or, when it `continues` and nothing came between, adds to the last one. */
  human(text: string, at: number, continues?: boolean): { turn: Turn; index: number }
  /** A line begins to sound: the agent's turn begins. Returns its index. */
  begin(line: number, o: { text: string; at: number; filler: boolean }): number
  /** More of a line sounds. Null for a line that never began. */
  progress(line: number, text: string): { turn: Turn; index: number } | null
  /** A line is over; `text` is what was heard. A turn of which no word was heard is none, unless others follow it. */
  finish(line: number, text: string, whole: boolean): { turn: Turn; index: number } | null
  note(text: string): void
  /** `after`: the line that used the tool, and what that line had said before. */
  tool(call: ToolCall, result: string, after?: { line: number; said: string }): void
  turns(): Turn[]
  /**
   * Append-only from one reply to the next, but for what turned out not to have been heard. `next` is what the human is
   * saying, and `continues` as of `human`.
   */
  messages(next?: { text: string; continues: boolean }): Message[]
}

export function createTranscript(): Transcript {
  const entries: Entry[] = []
  const turns = (): Turn[] =>
    entries.flatMap((entry) =>
      entry.kind === 'human' || entry.kind === 'agent' ? [entry.turn] : [],
    )
  const spoken = (line: number) =>
    entries.find((entry) => entry.kind === 'agent' && entry.line === line) as
      | Extract<Entry, { kind: 'agent' }>
      | undefined

  return {
    human(text, at, continues = false) {
      const last = entries.at(-1)
      if (continues && last?.kind === 'human') last.turn.text += ` ${text}`
      else entries.push({ kind: 'human', turn: { role: 'human', text, at } })
      const all = turns()
      const index = all.length - 1
      return { turn: { ...(all[index] as Turn) }, index }
    },
    begin(line, { text, at, filler }) {
      const turn: Turn = { role: 'agent', text, at }
      entries.push({ kind: 'agent', turn, line, cut: false, filler, over: false })
      return turns().length - 1
    },
    progress(line, text) {
      const entry = spoken(line)
      if (!entry || entry.over) return null
      entry.turn.text = text
      return { turn: { ...entry.turn }, index: turns().indexOf(entry.turn) }
    },
    finish(line, text, whole) {
      const entry = spoken(line)
      if (!entry || entry.over) return null
      const index = turns().indexOf(entry.turn)
      Object.assign(entry, { over: true, cut: !whole })
      entry.turn.text = text
      if (text === '') {
        if (index === turns().length - 1) {
          entries.splice(entries.indexOf(entry), 1)
          return null
        }
        // A sound was heard, but no word; later turns keep their index.
        entry.turn.text = '…'
      }
      return { turn: { ...entry.turn }, index }
    },
    note: (text) => void entries.push({ kind: 'note', text }),
    tool(call, result, after) {
      entries.push({ kind: 'tool', use: { call, result, after: after?.said ? after : null } })
    },
    turns: () => turns().map((turn) => ({ ...turn })),
    messages(next) {
      const messages = entries.flatMap((entry) => toMessages(entry, entries))
      const last = messages.at(-1)
      if (!next) return messages
      if (!next.continues || entries.at(-1)?.kind !== 'human' || !last)
        return [...messages, ...toUser(next.text)]
      return [...messages.slice(0, -1), { ...last, content: `${last.content} ${next.text}` }]
    },
  }
}

/** A tool call and its answer as the model sees them. */
export function toolMessages(content: string, call: ToolCall, result: string): Message[] {
  return [
    { role: 'assistant', content, toolCalls: [call] },
    { role: 'tool', content: result, toolName: call.name },
  ]
}

/** What the human said, behind what the model is to know of it. */
function toUser(text: string): Message[] {
  const hint = hintFor(text)
  const said: Message = { role: 'user', content: text }
  return hint === null ? [said] : [{ role: 'user', content: hint }, said]
}

function toMessages(entry: Entry, all: readonly Entry[]): Message[] {
  switch (entry.kind) {
    case 'human':
      return toUser(entry.turn.text)
    case 'note':
      return [{ role: 'user', content: entry.text }]
    case 'tool':
      return isTold(entry.use, all) ? [] : toolMessages('', entry.use.call, entry.use.result)
    case 'agent':
      return entry.filler ? [] : spokenMessages(entry, all)
  }
}

/** Whether a line's own messages hold the use of a tool: what was said before it was heard. */
function isTold(use: ToolUse, all: readonly Entry[]): boolean {
  return all.some((entry) => entry.kind === 'agent' && isWithin(use, entry))
}

function isWithin({ after }: ToolUse, entry: Extract<Entry, { kind: 'agent' }>): boolean {
  if (after === null || after.line !== entry.line) return false
  return entry.turn.text.startsWith(after.said)
}

/** A line as the model wrote it: its tool calls stand where they stood, so that each request begins with the former. */
function spokenMessages(
  entry: Extract<Entry, { kind: 'agent' }>,
  all: readonly Entry[],
): Message[] {
  const messages: Message[] = []
  let told = 0
  for (const other of all) {
    if (other.kind !== 'tool' || !isWithin(other.use, entry)) continue
    const { call, result, after } = other.use
    const end = after?.said.length ?? 0
    messages.push(...toolMessages(entry.turn.text.slice(told, end).trim(), call, result))
    told = end
  }
  const rest = entry.turn.text.slice(told).trim()
  if (entry.cut) messages.push({ role: 'assistant', content: `${rest} ${CUT_MARK}`.trim() })
  else if (rest !== '' || messages.length === 0) messages.push({ role: 'assistant', content: rest })
  return messages
}
