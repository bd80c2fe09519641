import { describe, expect, it } from 'vitest'
import { readLines } from './lines.ts'

async function* chunks(...texts: (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text
}

describe('lines', () => {
  it('join over chunks, end by LF or CRLF, and leave out empty ones', async () => {
    const lines = await Array.fromAsync(readLines(chunks('on', 'e\r\n\r\ntw', 'o\nthree'), 100))
    expect(lines).toEqual(['one', 'two', 'three'])
  })

  it('join characters that are cut between chunks', async () => {
    const bytes = Buffer.from('é\n')
    const cut = chunks(bytes.subarray(0, 1), bytes.subarray(1))
    expect(await Array.fromAsync(readLines(cut, 100))).toEqual(['é'])
  })

  it('are refused when one does not end', async () => {
    const endless = chunks(...Array.from({ length: 50 }, () => 'x'.repeat(10)))
    await expect(Array.fromAsync(readLines(endless, 100))).rejects.toThrow('more than 100 bytes')
  })
})
