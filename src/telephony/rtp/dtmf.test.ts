import { describe, expect, it } from 'vitest'
import { amplitudeAt } from '../../../test/kit/tones.ts'
import { type DigitFrame, DigitSender, isDigits, writeEvent } from './dtmf.ts'

function pressed(digits: string, asEvents: boolean, o: { ms?: number; rateHz?: number } = {}) {
  const sender = new DigitSender()
  let done = 0
  sender.press(digits, { asEvents, done: () => done++ })
  const frames: DigitFrame[] = []
  const next = () => sender.next(o.ms ?? 20, o.rateHz ?? 8000)
  for (let frame = next(); frame; frame = next()) frames.push(frame)
  return { frames, done, sender }
}

const kinds = (frames: DigitFrame[]) => frames.map((frame) => frame.kind[0]).join('')

describe('DigitSender with RFC 4733 events', () => {
  it('raises the duration by a frame a packet and sends the end three times', () => {
    const { frames } = pressed('5', true)
    const events = frames.filter((frame) => frame.kind === 'event')
    expect(events.map((frame) => frame.durationMs)).toEqual([20, 40, 60, 80, 100, 100, 100])
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

  it.each([
    [10, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100, 100]],
    [30, [30, 60, 90, 120, 120, 120]],
    [60, [60, 120, 120, 120]],
  ])('rounds a key and its gap up to whole packets of %i ms', (ms, durations) => {
    const { frames, done } = pressed('5', true, { ms })
    const events = frames.filter((frame) => frame.kind === 'event')
    expect(events.map((frame) => frame.durationMs)).toEqual(durations)
    expect(events.filter((frame) => frame.end)).toHaveLength(3)
    const held = durations.at(-1) ?? 0
    expect(frames.length * ms).toBeGreaterThanOrEqual(held + 100)
    expect(done).toBe(1)
  })

  it('writes the four bytes of the payload', () => {
    const bytes = new Uint8Array(16)
    writeEvent(bytes, 12, { event: 11, end: true, duration: 800 })
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

describe('DigitSender with tones in other packets', () => {
  it.each([
    [10, 8000],
    [30, 8000],
    [60, 16_000],
  ])('makes 100 ms of tone in packets of %i ms at %i Hz', (ms, rateHz) => {
    const { frames } = pressed('6', false, { ms, rateHz })
    const sound = Int16Array.from(
      frames.flatMap((frame) => (frame.kind === 'tone' ? [...frame.samples] : [])),
    ).subarray(0, rateHz / 10)
    expect(amplitudeAt(sound, 770, rateHz)).toBeGreaterThan(7000)
    expect(amplitudeAt(sound, 1477, rateHz)).toBeGreaterThan(7000)
    expect(frames.length * ms).toBeGreaterThanOrEqual(200)
  })
})

describe('DigitSender', () => {
  it('calls back when the last frame of each press was taken, in order', () => {
    const sender = new DigitSender()
    const done: string[] = []
    sender.press('1', { asEvents: true, done: () => done.push('first') })
    sender.press('2', { asEvents: true, done: () => done.push('second') })
    for (let n = 0; n < 9; n++) sender.next(20, 8000)
    expect(done).toEqual([])
    sender.next(20, 8000)
    expect(done).toEqual(['first'])
    for (let n = 0; n < 10; n++) sender.next(20, 8000)
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
    expect(sender.next(20, 8000)).toBeUndefined()
  })

  it('tells keys from other text', () => {
    expect(isDigits('0123456789*#ABCDabcdwW')).toBe(true)
    for (const text of ['+', 'E', '1-2', ' ', '１']) expect(isDigits(text)).toBe(false)
  })
})
