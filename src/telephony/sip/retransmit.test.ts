import { describe, expect, it } from 'vitest'
import { Retransmitter } from './retransmit.ts'
import type { Packet } from './transport.ts'
import { readWire, type WireMessage } from './wire-message.ts'

const TO = { host: '192.0.2.1', port: 5060 }

function setup(): {
  core: Retransmitter
  send(startLine: string, cseq: string, branch?: string): Packet
  receive(startLine: string, cseq: string, branch?: string): Packet | null
  /** Every time, from 0 up to `until`, at which something is sent again. */
  timesUpTo(until: number): number[]
  at(now: number): void
} {
  const core = new Retransmitter()
  let now = 0
  const message = (startLine: string, cseq: string, branch: string): WireMessage => {
    const read = readWire(
      `${startLine}\r\nVia: SIP/2.0/UDP h;branch=${branch}\r\nCSeq: ${cseq}\r\n\r\n`,
    )
    if (!read) throw new Error('the test wrote no SIP')
    return read
  }
  return {
    core,
    at(time) {
      now = time
    },
    send(startLine, cseq, branch = 'z9hG4bK1') {
      const packet = { text: startLine, to: TO }
      core.sent(message(startLine, cseq, branch), packet, now)
      return packet
    },
    receive: (startLine, cseq, branch = 'z9hG4bK1') =>
      core.received(message(startLine, cseq, branch), now),
    timesUpTo(until) {
      const times: number[] = []
      for (let next = core.nextAt(); next !== null && next <= until; next = core.nextAt()) {
        now = next
        if (core.due(next).length > 0) times.push(next)
      }
      return times
    },
  }
}

describe('Retransmitter', () => {
  it('doubles timer A without a bound until 64 × T1 (RFC 3261 §17.1.1.2)', () => {
    const { send, timesUpTo, core } = setup()
    send('INVITE sip:a SIP/2.0', '1 INVITE')
    expect(timesUpTo(60_000)).toEqual([500, 1_500, 3_500, 7_500, 15_500, 31_500])
    expect(core.nextAt()).toBeNull()
  })

  it('doubles timer E up to T2 (RFC 3261 §17.1.2.2)', () => {
    const { send, timesUpTo } = setup()
    send('BYE sip:a SIP/2.0', '2 BYE')
    expect(timesUpTo(16_000)).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500])
  })

  it('stops an INVITE at its first provisional response', () => {
    const { send, receive, timesUpTo } = setup()
    send('INVITE sip:a SIP/2.0', '1 INVITE')
    receive('SIP/2.0 100 Trying', '1 INVITE')
    expect(timesUpTo(60_000)).toEqual([])
  })

  it('goes on with other requests at T2 after a provisional response', () => {
    const { send, receive, timesUpTo } = setup()
    send('BYE sip:a SIP/2.0', '2 BYE')
    receive('SIP/2.0 100 Trying', '2 BYE')
    expect(timesUpTo(9_000)).toEqual([500, 4_500, 8_500])
    receive('SIP/2.0 200 OK', '2 BYE')
    expect(timesUpTo(60_000)).toEqual([])
  })

  it('tells a CANCEL from the INVITE that has the same branch', () => {
    const { send, receive, timesUpTo } = setup()
    send('INVITE sip:a SIP/2.0', '1 INVITE')
    send('CANCEL sip:a SIP/2.0', '1 CANCEL')
    receive('SIP/2.0 200 OK', '1 CANCEL')
    expect(timesUpTo(1_000)).toEqual([500])
  })

  it('re-sends a final response to INVITE until its ACK (timer G)', () => {
    const { send, receive, timesUpTo } = setup()
    send('SIP/2.0 488 Not Acceptable Here', '7 INVITE')
    expect(timesUpTo(2_000)).toEqual([500, 1_500])
    receive('ACK sip:a SIP/2.0', '7 ACK')
    expect(timesUpTo(60_000)).toEqual([])
  })

  it('leaves a 200 to INVITE to its dialog, and other responses to their requests', () => {
    const { send, core } = setup()
    send('SIP/2.0 200 OK', '7 INVITE')
    send('SIP/2.0 481 Gone', '8 BYE', 'z9hG4bK2')
    expect(core.nextAt()).toBeNull()
  })

  it('re-sends the ACK for a repeated final response', () => {
    const { send, receive } = setup()
    send('INVITE sip:a SIP/2.0', '1 INVITE')
    expect(receive('SIP/2.0 486 Busy', '1 INVITE')).toBeNull()
    const ack = send('ACK sip:a SIP/2.0', '1 ACK')
    expect(receive('SIP/2.0 486 Busy', '1 INVITE')).toBe(ack)
    expect(receive('SIP/2.0 486 Busy', '1 INVITE')).toBe(ack)
  })

  it('keeps acknowledged responses for 64 × T1 only', () => {
    const { send, receive, at } = setup()
    receive('SIP/2.0 486 Busy', '1 INVITE')
    send('ACK sip:a SIP/2.0', '1 ACK')
    at(32_001)
    receive('SIP/2.0 486 Busy', '1 INVITE', 'z9hG4bK2')
    expect(receive('SIP/2.0 486 Busy', '1 INVITE')).toBeNull()
  })

  it('forgets all that carries a branch', () => {
    const { send, core } = setup()
    send('INVITE sip:a SIP/2.0', '1 INVITE')
    send('BYE sip:a SIP/2.0', '2 BYE', 'z9hG4bK2')
    core.forget('z9hG4bK1')
    expect(core.due(500).map(({ text }) => text)).toEqual(['BYE sip:a SIP/2.0'])
  })
})
