import { describe, expect, it } from 'vitest'
import { NO_FIGURES } from '../../test/kit/no-figures.ts'
import { traceLines } from './trace-report.ts'

const message = (ms: number, direction: string, summary: string, rest: object = {}): object => ({
  at: new Date(Date.parse('2026-03-20T18:30:00Z') + ms).toISOString(),
  ...{ direction, trunk: 'main', transport: 'UDP', remote: '203.0.113.5:5060', summary },
  ...{ text: '', repeated: 0, ...rest },
})

describe('a trace on a terminal', () => {
  it('is a ladder with times since the first message, and the sound below it', () => {
    const media = {
      ...NO_FIGURES,
      ...{ packetsSent: 500, bytesSent: 86_000, packetsReceived: 498, bytesReceived: 85_656 },
      ...{ packetsLost: 2, concealedMs: 40, jitterMs: 1.234, ssrcChanges: 1 },
      remote: { packetsLost: 1, jitterMs: 0.5, roundTripMs: 12.34 },
    }
    const messages = [
      message(0, 'sent', 'INVITE', { repeated: 2 }),
      message(1512, 'received', '200 OK (INVITE)'),
    ]
    expect(traceLines({ data: [{ attempt: 1, messages, omitted: 0, media }] })).toEqual([
      'attempt 1',
      '    0.000 s  -->  INVITE (again 2x)                             main udp 203.0.113.5:5060',
      '    1.512 s  <--  200 OK (INVITE)                               main udp 203.0.113.5:5060',
      '  sound: PCMU, 20 ms a packet',
      '    sent      500 packets, 86000 bytes',
      '    received  498 packets, 85656 bytes; concealed 40 ms, jitter 1.2 ms',
      '              2 lost, 0 late, 0 duplicate, 0 foreign, 0 unauthentic, 1 change of stream',
      '    they report 1 lost, jitter 0.5 ms, round trip 12.3 ms',
    ])
  })

  it('tells each attempt by itself, what was left out, and that there was no sound', () => {
    const messages = [message(0, 'sent', 'INVITE')]
    const first = { attempt: 1, messages, omitted: 1, media: null }
    const lines = traceLines({ data: [first, { ...first, attempt: 2, omitted: 0 }] })
    expect(lines.filter((line) => !line.includes('INVITE'))).toEqual([
      'attempt 1',
      '  1 message between them not kept',
      '  no sound was agreed on',
      'attempt 2',
      '  no sound was agreed on',
    ])
  })

  it('fits 100 columns and steers no terminal, whatever the other side says', () => {
    const odd = message(0, 'received', `200 ${'x'.repeat(200)}\u001b[2J (INVITE)`, {
      ...{ remote: `[${'2001:db8:'.repeat(9)}]:5060`, repeated: 123, trunk: 'a\nforged' },
    })
    const media = { ...NO_FIGURES, codec: 'x'.repeat(300) }
    const lines = traceLines({ data: [{ attempt: 1, messages: [odd], omitted: 0, media }] })
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(100)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
      expect(line).not.toMatch(/[\u0000-\u001f]/)
    }
  })

  it('says so when there is none, and makes do with what is no trace', () => {
    const none = ['nothing was sent for this call, or nothing was kept of it']
    expect(traceLines({ data: [] })).toEqual(none)
    expect(traceLines({})).toEqual(none)
    expect(traceLines({ data: [{ attempt: 1 }] })).toEqual([
      'attempt 1',
      '  no sound was agreed on',
    ])
  })
})
