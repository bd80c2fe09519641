import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { DigitSender, KEYS, writeEvent } from './dtmf.ts'
import { type EventPacket, EventReceiver } from './event-receiver.ts'

function packet(o: {
  event: number
  at: number
  duration?: number
  end?: boolean
  ssrc?: number
  marker?: boolean
}): EventPacket {
  const payload = new Uint8Array(4)
  writeEvent(payload, 0, { event: o.event, end: o.end ?? false, duration: o.duration ?? 160 })
  return { timestamp: o.at >>> 0, ssrc: o.ssrc ?? 7, marker: o.marker ?? false, payload }
}

/** What our own sender makes of some keys. */
function sent(keys: string, ssrc = 7): EventPacket[] {
  const sender = new DigitSender()
  sender.press(keys, { asEvents: true, done: () => undefined })
  const packets: EventPacket[] = []
  let begunAt = 0
  for (let at = 0xffff_f000, frame = sender.next(20, 8000); frame; at += 160) {
    if (frame.kind === 'event') {
      if (frame.first) begunAt = at
      const { event, end, durationMs } = frame
      packets.push(packet({ event, at: begunAt, duration: durationMs * 8, end, ssrc }))
    }
    frame = sender.next(20, 8000)
  }
  return packets
}

function heard(packets: readonly EventPacket[]): string {
  const receiver = new EventReceiver()
  return packets.map((one) => receiver.push(one) ?? '').join('')
}

describe('EventReceiver', () => {
  it('hears each key once, the same one twice, across the wrap of the timestamp', () => {
    expect(heard(sent(`${KEYS}11`))).toBe(`${KEYS}11`)
  })

  it('hears a key of which one packet came, whichever', () => {
    const packets = sent('4')
    for (const one of packets) expect(heard([one])).toBe('4')
  })

  it('hears keys whose ends were all lost', () => {
    expect(heard(sent('4455').filter(({ payload }) => (payload[1] ?? 0) < 0x80))).toBe('4455')
  })

  it.each([1, 2, 3])(
    'hears each key once at half of the packets lost, some twice or late (%i)',
    (seed) => {
      const random = randomSource(seed)
      const packets = sent('12#9').flatMap((one, n, all) => {
        // One packet of each key at least: the last of its seven.
        if (n % 7 < 6 && random() < 0.5) return []
        const late = all[n - 1]
        return random() < 0.3 && late && n % 7 > 0 ? [one, late, one] : [one]
      })
      expect(heard(packets)).toBe('12#9')
    },
  )

  it('does not hear the key before again when its packet comes late', () => {
    const [first] = sent('1')
    const both = sent('12')
    expect(heard([...both, first as EventPacket])).toBe('12')
  })

  it('hears keys that come as a stream of their own, and as one for each key', () => {
    expect(heard([...sent('1'), ...sent('1', 8), ...sent('2', 9)])).toBe('112')
  })

  it('takes an event that is too long for one for the same key', () => {
    const receiver = new EventReceiver()
    const push = (at: number, duration: number, marker = false): string | undefined =>
      receiver.push(packet({ event: 3, at, duration, marker }))
    expect([push(0, 160, true), push(0, 0xffff), push(0xffff, 160)]).toEqual([
      '3',
      undefined,
      undefined,
    ])
    expect(push(0x2_0000, 160, true)).toBe('3')
  })

  it('ignores a flash, other events and what is no event', () => {
    expect(heard([packet({ event: 16, at: 0 }), packet({ event: 200, at: 400 })])).toBe('')
    expect(
      new EventReceiver().push({ ...packet({ event: 1, at: 0 }), payload: new Uint8Array(3) }),
    ).toBeUndefined()
  })

  it('remembers few streams, however many come', () => {
    const receiver = new EventReceiver()
    for (let ssrc = 0; ssrc < 10_000; ssrc++) receiver.push(packet({ event: 1, at: 0, ssrc }))
    expect(receiver.push(packet({ event: 1, at: 0, ssrc: 9999 }))).toBeUndefined()
    expect(receiver.push(packet({ event: 1, at: 0, ssrc: 0 }))).toBe('1')
  })
})
