import { describe, expect, it } from 'vitest'
import { ChatStream } from './chat-stream.ts'

const data = (value: unknown): string => `data: ${JSON.stringify(value)}`
const delta = (fields: unknown): string => data({ choices: [{ delta: fields }] })

describe('a chat completion stream', () => {
  it('says text, and its end by a finish reason or [DONE]', () => {
    const stream = new ChatStream()
    expect(stream.read(delta({ content: 'Hi' }))).toEqual([{ type: 'text', text: 'Hi' }])
    expect(stream.read(data({ choices: [{ delta: {}, finish_reason: 'stop' }] }))).toEqual([
      { type: 'finish' },
    ])
    expect(stream.read('data: [DONE]')).toEqual([{ type: 'finish' }])
  })

  it.each([': comment', 'event: ping', '', 'retry: 1', delta({ content: null }), data({})])(
    'says nothing by %j',
    (line) => {
      expect(new ChatStream().read(line)).toEqual([])
    },
  )

  it.each(['data:', 'data: {', 'data: 42', 'data: null'])('calls %j malformed', (line) => {
    expect(new ChatStream().read(line)).toEqual([{ type: 'malformed' }])
  })

  it.each([
    data({ choices: 'x' }),
    data({ choices: [null] }),
    data({ choices: [{ delta: 'x' }] }),
    delta({ content: 5 }),
    delta({ tool_calls: [null, 'x', { index: 'y' }] }),
  ])('takes %s without harm', (line) => {
    expect(new ChatStream().read(line)).toEqual([])
  })

  it('tells an error with its words', () => {
    const stream = new ChatStream()
    expect(stream.read(data({ error: { message: 'out of\nmemory' } }))).toEqual([
      { type: 'error', reason: 'out of memory' },
    ])
    expect(stream.read(data({ error: 'busy' }))).toEqual([{ type: 'error', reason: 'busy' }])
  })

  it('puts the pieces of two tool calls together', () => {
    const stream = new ChatStream()
    const piece = (index: number, fn: unknown): string =>
      delta({ tool_calls: [{ index, function: fn }] })
    stream.read(piece(0, { name: 'press_digits', arguments: '{"dig' }))
    stream.read(piece(1, { name: 'end_call' }))
    stream.read(piece(0, { arguments: 'its":"1"}' }))
    stream.read(piece(1, { arguments: '{}' }))
    expect(stream.toolCalls).toEqual([
      { name: 'press_digits', arguments: '{"digits":"1"}' },
      { name: 'end_call', arguments: '{}' },
    ])
  })

  it('keeps tool calls without end within bounds', () => {
    const stream = new ChatStream()
    for (let i = 0; i < 100; i++)
      stream.read(delta({ tool_calls: [{ index: i, function: { name: 'a' } }] }))
    for (let i = 0; i < 100; i++)
      stream.read(delta({ tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(999) } }] }))
    expect(stream.toolCalls).toHaveLength(16)
    expect(stream.toolCalls[0]?.arguments.length).toBeLessThan(9000)
  })
})
