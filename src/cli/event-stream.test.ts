import { describe, expect, it } from 'vitest'
import { readEventStream, type StreamEvent } from './event-stream.ts'

async function read(...chunks: string[]): Promise<StreamEvent[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk)
  }
  const events: StreamEvent[] = []
  for await (const event of readEventStream(body())) events.push(event)
  return events
}

describe('readEventStream', () => {
  it('reads id, event and data, and leaves out comments', async () => {
    expect(await read(': hi\n\nid: 1\nevent: status\ndata: {"a":1}\n\ndata:x\n\n')).toEqual([
      { id: '1', event: 'status', data: '{"a":1}' },
      { id: null, event: 'message', data: 'x' },
    ])
  })

  it('joins data lines, takes every kind of line break, and chunks cut anywhere', async () => {
    const text = 'event: e\r\ndata: a: b\r\ndata:  c\r\n\r\ndata: z\r\n\r\n'
    const expected = [
      { id: null, event: 'e', data: 'a: b\n c' },
      { id: null, event: 'message', data: 'z' },
    ]
    expect(await read(text)).toEqual(expected)
    expect(await read(...text)).toEqual(expected)
  })

  it('drops an event that the end of the stream cut off', async () => {
    expect(await read('data: whole\n\ndata: ha')).toEqual([
      { id: null, event: 'message', data: 'whole' },
    ])
  })

  it('gives up on an event without end', async () => {
    await expect(read('data: ', 'x'.repeat(5 * 1024 * 1024))).rejects.toThrow('one is too long')
  })
})
