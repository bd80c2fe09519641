import type { Message, Tool } from '../../conversation/ports.ts'

/** A message as `/v1/chat/completions` takes it. */
export interface ChatMessage {
  role: Message['role']
  content: string
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[]
  tool_call_id?: string
}

export interface ChatTool {
  type: 'function'
  function: Tool
}

/**
 * Our messages in the server's form. Servers refuse a tool call without its answer and an answer without its call,
 * so each call gets an id that its `tool` message names, and what stands alone is left out.
 */
export function toChatMessages(messages: readonly Message[]): ChatMessage[] {
  const out: ChatMessage[] = []
  let open: { id: string; name: string }[] = []
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      const at = open.findIndex(({ name }) => name === message.toolName)
      const [call] = at < 0 ? [] : open.splice(at, 1)
      if (call) out.push({ role: 'tool', content: message.content, tool_call_id: call.id })
      continue
    }
    open = []
    const answered = answeredCalls(messages, i)
    const content = message.content
    if (answered.length === 0) {
      if (content !== '' || message.role !== 'assistant') out.push({ role: message.role, content })
      continue
    }
    const calls = answered.map((call, n) => ({ ...call, id: `call_${i}_${n}` }))
    open = calls.map(({ id, name }) => ({ id, name }))
    out.push({
      role: message.role,
      content,
      tool_calls: calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: JSON.stringify(call.arguments) },
      })),
    })
  }
  return out
}

/** The tool calls of message `i` that the `tool` messages right after it answer. */
function answeredCalls(messages: readonly Message[], i: number): NonNullable<Message['toolCalls']> {
  const answers: (string | undefined)[] = []
  for (let n = i + 1; messages[n]?.role === 'tool'; n++) answers.push(messages[n]?.toolName)
  return (messages[i]?.toolCalls ?? []).filter((call) => {
    const at = answers.indexOf(call.name)
    if (at >= 0) answers.splice(at, 1)
    return at >= 0
  })
}

export function toChatTools(tools: readonly Tool[]): ChatTool[] {
  return tools.map(({ name, description, parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }))
}
