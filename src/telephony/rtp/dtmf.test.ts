import { describe, expect, it } from 'vitest'
import { amplitudeAt } from '../../../test/kit/tones.ts'
import { type DigitFrame, DigitSender, isDigits, writeEvent } from './dtmf.ts'

function pressed(digits: string, asEvents: boolean) {
  const sender = new DigitSender()
  let done = 0
  sender.press(digits, { asEvents, done: () => done++ })
  const frames: DigitFrame[] = []
  for (let frame = sender.next(); frame; frame = sender.next()) frames.push(frame)
  return { frames, done, sender }
}

const kinds = (frames: DigitFrame[]) => frames.map((frame) => frame.kind[0]).join('')

describe('DigitSender with RFC 4733 events', () => {
  it('raises the duration by a frame a packet and sends the end three times', () => {
    const { frames } = pressed('5', true)
    const events = frames.filter((frame) => frame.kind === 'event')
    expect(events.map((frame) => frame.durationSamples)).toEqual([
      160, 320, 480, 640, 800, 800, 800,
    ])
    expect(events.map((frame) => frame.end)).toEqual([
      ...[false, false, false, false],
      ...[true, true, true],
    ])
    expect(events.map((frame) => frame.first)).toEqual([true, ...new Array(6).fill(false)])
    expect(events.every((frame) => frame.event === 5)).toBe(true)
  })

  it('knows all sixteen keys, in either case', () => {
    const { frames } = pressed('0123456789*#abcD', true)
    const events = frames.filter((frame) => frame.kind === 'event' && frame.first)
    expect(events.map((frame) => frame.kind === 'event' && frame.event)).toEqual([
      ...new Array(16).keys(),
    ])
  })

  it('gives a key 200 ms in all and a wait 500 ms', () => {
    expect(kinds(pressed('12', true).frames)).toBe('eeeeeeegggeeeeeeeggg')
    expect(pressed('1w', true).frames).toHaveLength(10 + 25)
  })

  it('writes the four bytes of the payload', () => {
    const bytes = new Uint8Array(16)
    const frame = {
      kind: 'event',
      event: 11,
      end: true,
      first: false,
      durationSamples: 800,
    } as const
    writeEvent(bytes, 12, frame)
    expect([...bytes.subarray(12)]).toEqual([11, 0x8a, 0x03, 0x20])
  })
})

describe('DigitSender with tones', () => {
  it.each([
    ['1', 697, 1209],
    ['5', 770, 1336],
    ['9', 852, 1477],
    ['0', 941, 1336],
    ['*', 941, 1209],
    ['#', 941, 1477],
    ['A', 697, 1633],
    ['D', 941, 1633],
  ])('makes the two tones of %s and no other', (digit, row, column) => {
    const { frames } = pressed(digit, false)
    expect(kinds(frames)).toBe('tttttggggg')
    const sound = Int16Array.from(
      frames.flatMap((frame) => (frame.kind === 'tone' ? [...frame.samples] : [])),
    )
    for (const hz of [697, 770, 852, 941, 1209, 1336, 1477, 1633]) {
      const amplitude = amplitudeAt(sound, hz)
      if (hz === row || hz === column) expect(amplitude).toBeGreaterThan(7000)
      else expect(amplitude).toBeLessThan(1200)
    }
    expect(Math.max(...sound)).toBeLessThan(16_384)
  })
})

describe('DigitSender', () => {
  it('calls back when the last frame of each press was taken, in order', () => {
    const sender = new DigitSender()
    const done: string[] = []
    sender.press('1', { asEvents: true, done: () => done.push('first') })
    sender.press('2', { asEvents: true, done: () => done.push('second') })
    for (let n = 0; n < 9; n++) sender.next()
    expect(done).toEqual([])
    sender.next()
    expect(done).toEqual(['first'])
    for (let n = 0; n < 10; n++) sender.next()
    expect(done).toEqual(['first', 'second'])
    expect(sender.idle).toBe(true)
  })

  it('calls back at once for nothing, and for everything on clear', () => {
    const sender = new DigitSender()
    let done = 0
    sender.press('', { asEvents: true, done: () => done++ })
    expect(done).toBe(1)
    sender.press('12', { asEvents: true, done: () => done++ })
    sender.press('3', { asEvents: true, done: () => done++ })
    sender.clear()
    expect(done).toBe(3)
    expect(sender.next()).toBeUndefined()
  })

  it('tells keys from other text', () => {
    expect(isDigits('0123456789*#ABCDabcdwW')).toBe(true)
    for (const text of ['+', 'E', '1-2', ' ', '１']) expect(isDigits(text)).toBe(false)
  })
})
