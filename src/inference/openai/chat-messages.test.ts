import { describe, expect, it } from 'vitest'
import { toChatMessages } from './chat-messages.ts'

const press = { name: 'press_digits', arguments: { digits: '1' } }
const end = { name: 'end_call', arguments: {} }

describe('messages for a chat completion', () => {
  it('name each tool call, and its answer names it', () => {
    const out = toChatMessages([
      { role: 'system', content: 'Be brief.' },
      { role: 'assistant', content: 'Sure.', toolCalls: [press, end] },
      { role: 'tool', content: 'bye', toolName: 'end_call' },
      { role: 'tool', content: 'pressed', toolName: 'press_digits' },
    ])
    expect(out).toEqual([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'assistant',
        content: 'Sure.',
        tool_calls: [
          {
            id: 'call_1_0',
            type: 'function',
            function: { name: 'press_digits', arguments: '{"digits":"1"}' },
          },
          { id: 'call_1_1', type: 'function', function: { name: 'end_call', arguments: '{}' } },
        ],
      },
      { role: 'tool', content: 'bye', tool_call_id: 'call_1_1' },
      { role: 'tool', content: 'pressed', tool_call_id: 'call_1_0' },
    ])
  })

  it('leave out a call without its answer and an answer without its call', () => {
    const out = toChatMessages([
      { role: 'assistant', content: 'Bye.', toolCalls: [end] },
      { role: 'user', content: 'Wait!' },
      { role: 'assistant', content: '', toolCalls: [end] },
      { role: 'user', content: 'Hello?' },
      { role: 'tool', content: 'pressed', toolName: 'press_digits' },
    ])
    expect(out).toEqual([
      { role: 'assistant', content: 'Bye.' },
      { role: 'user', content: 'Wait!' },
      { role: 'user', content: 'Hello?' },
    ])
  })
})
