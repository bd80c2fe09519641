import type { Message, Tool } from '../../conversation/ports.ts'

/** Fewer characters than a token has in the languages people phone in: what fits by this count fits. */
const CHARS_PER_TOKEN = 3
/** What a chat template adds to a message. */
const TOKENS_PER_MESSAGE = 8

const LEFT_OUT: Message = {
  role: 'user',
  content: '(What was said before this is left out here.)',
}

/**
 * The messages that fit into a context of `contextTokens` together with the tools and the reply. The system prompt stays;
 * of what was said the oldest is left out, and then so much at once that the prompt stays the same for many turns: a
 * server reads again only what has changed.
 */
export function fitMessages(
  messages: readonly Message[],
  o: { contextTokens: number; tools: readonly Tool[]; maxTokens: number },
): readonly Message[] {
  const begin = messages.findIndex(({ role }) => role !== 'system')
  if (begin < 0) return messages
  const head = messages.slice(0, begin)
  const fixed = tokensOf(o.tools) + sum(head) + o.maxTokens
  const room = Math.max(0, o.contextTokens - fixed)
  const from = firstKept(messages, begin, room)
  return from === begin ? messages : [...head, LEFT_OUT, ...messages.slice(from)]
}

/** Walks through the conversation as it grew, so that a longer one is cut where the shorter one was. */
function firstKept(messages: readonly Message[], begin: number, room: number): number {
  let from = begin
  let kept = 0
  for (const [i, message] of messages.entries()) {
    if (i < begin) continue
    kept += costOf(message)
    if (kept <= room) continue
    while (from < i && (kept > room / 2 || messages[from]?.role !== 'user')) {
      kept -= costOf(messages[from])
      from++
    }
  }
  return from
}

function sum(messages: readonly Message[]): number {
  return messages.reduce((tokens, message) => tokens + costOf(message), 0)
}

function costOf(message: Message | undefined): number {
  if (!message) return 0
  const { content, toolCalls } = message
  return (
    TOKENS_PER_MESSAGE + content.length / CHARS_PER_TOKEN + (toolCalls ? tokensOf(toolCalls) : 0)
  )
}

function tokensOf(value: unknown): number {
  return JSON.stringify(value).length / CHARS_PER_TOKEN
}
