import { describe, expect, it } from 'vitest'
import { FakeMedia } from '../../test/kit/fake-media.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { NO_STATS } from './media/media.ts'
import { MessageTap } from './sip/message-tap.ts'
import { TraceRecorder } from './trace.ts'

const UAS = { host: '192.0.2.7', port: 5060 }

function setup() {
  const clock = new SimClock()
  const tap = new MessageTap()
  const trace = new TraceRecorder(clock)
  trace.follow(tap, 'c1', 'main')
  const invite = (cseq = 1, extra = ''): string =>
    `INVITE sip:+15551234567@example.com SIP/2.0\r\nCall-ID: c1\r\nCSeq: ${cseq} INVITE\r\n${extra}\r\n`
  const response = (status: string, cseq = '1 INVITE'): string =>
    `SIP/2.0 ${status}\r\ni: c1\r\nCSeq: ${cseq}\r\n\r\n`
  const summaries = (): string[] =>
    trace
      .read()
      .messages.map(({ summary, repeated }) => `${summary}${repeated ? ` +${repeated}` : ''}`)
  return { clock, tap, trace, invite, response, summaries }
}

describe('the trace of a call', () => {
  it('keeps what passes both ways, when, over what and to whom', async () => {
    const { clock, tap, trace, invite, response } = setup()
    const begin = clock.now()
    tap.passed('sent', invite(), UAS)
    await clock.advance(120)
    tap.passed('received', response('180 Ringing'), {
      host: '2001:db8::1',
      port: 5061,
      protocol: 'TLS',
    })
    expect(trace.read()).toEqual({
      messages: [
        {
          ...{ at: begin, direction: 'sent', trunk: 'main', transport: 'UDP' },
          ...{ remote: '192.0.2.7:5060', summary: 'INVITE', text: invite(), repeated: 0 },
        },
        {
          ...{ at: begin + 120, direction: 'received', trunk: 'main', transport: 'TLS' },
          ...{ remote: '[2001:db8::1]:5061', summary: '180 Ringing (INVITE)' },
          ...{ text: response('180 Ringing'), repeated: 0 },
        },
      ],
      omitted: 0,
      media: null,
    })
  })

  it('counts what is sent again, and tells apart what only looks alike', () => {
    const { tap, invite, response, summaries } = setup()
    for (let n = 0; n < 3; n++) tap.passed('sent', invite(), UAS)
    tap.passed('received', response('407 Auth'), UAS)
    tap.passed('sent', invite(2, 'Proxy-Authorization: Digest realm="r", nonce="n"\r\n'), UAS)
    tap.passed('received', response('200 OK', '2 INVITE'), UAS)
    tap.passed('received', response('200 OK', '2 INVITE'), UAS)
    expect(summaries()).toEqual(['INVITE +2', '407 Auth (INVITE)', 'INVITE', '200 OK (INVITE) +1'])
  })

  it('keeps the beginning and the end of what is too much, and says how much is missing', () => {
    const { tap, trace, summaries } = setup()
    for (let n = 1; n <= 1_000; n++)
      tap.passed('received', `M${n} sip:x SIP/2.0\r\nCall-ID: c1\r\n\r\n`, UAS)
    expect(summaries()).toHaveLength(200)
    expect([summaries()[0], summaries()[149], summaries()[150], summaries().at(-1)]).toEqual([
      ...['M1', 'M150', 'M951', 'M1000'],
    ])
    expect(trace.read().omitted).toBe(800)
  })

  it('keeps 8 KiB of a message at most, blanked, and what people wrote as they wrote it', () => {
    const { tap, trace, invite } = setup()
    const name = Buffer.from('Zoë', 'utf8').toString('latin1')
    const text = invite(1, `Subject: ${name}\r\nAuthorization: Digest response="s3cret"\r\n`)
    tap.passed('sent', `${text}${'x'.repeat(60_000)}`, UAS)
    const [message] = trace.read().messages
    expect(message?.text.length).toBeLessThanOrEqual(8_300)
    expect(message?.text).toContain('Subject: Zoë\r\n')
    expect(message?.text).not.toContain('s3cret')
  })

  it('sees nothing of other calls', () => {
    const { tap, summaries } = setup()
    tap.passed('received', 'OPTIONS sip:x SIP/2.0\r\nCall-ID: c2\r\n\r\n', UAS)
    tap.passed('received', 'OPTIONS sip:x SIP/2.0\r\nX: c1\r\n\r\n', UAS)
    expect(summaries()).toEqual([])
  })

  it('begins with the INVITE that began the call', () => {
    const { clock, tap, invite } = setup()
    const late = new TraceRecorder(clock)
    tap.passed('received', invite().replace('c1', 'c9'), UAS)
    late.follow(tap, 'c9', 'main')
    expect(late.read().messages.map(({ summary }) => summary)).toEqual(['INVITE'])
  })

  it('is complete when the call is over and the last figures of its sound are in', async () => {
    const { clock, tap, trace, response, summaries } = setup()
    const session = await new FakeMedia().open()
    trace.sound(session)
    expect(trace.read().media).toBeNull()
    let complete = false
    void trace.complete.then(() => {
      complete = true
    })
    trace.finish()
    await clock.advance(1_000)
    expect(complete).toBe(false)
    session.figures = { ...NO_STATS, codec: 'PCMU', packetsSent: 7 }
    session.close()
    await clock.advance(1)
    expect(complete).toBe(true)
    expect(trace.read().media).toMatchObject({ codec: 'PCMU', packetsSent: 7 })
    tap.passed('received', response('200 OK', '3 BYE'), UAS)
    await clock.advance(32_000)
    tap.passed('received', response('481 Gone', '4 BYE'), UAS)
    expect(summaries()).toEqual(['200 OK (BYE)'])
  })

  it('keeps its steps when the wall clock is set', async () => {
    const { clock, tap, trace, invite, response } = setup()
    const begin = clock.now()
    tap.passed('sent', invite(), UAS)
    await clock.advance(500)
    clock.jump(-3_600_000)
    tap.passed('received', response('100 Trying'), UAS)
    expect(trace.read().messages.map(({ at }) => at - begin)).toEqual([0, 500])
  })
})
