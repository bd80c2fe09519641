import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { tone } from '../../../test/kit/tones.ts'
import { rms } from '../../core/pcm.ts'
import { type HeardPacket, RtpReceiver } from './receiver.ts'

/** Sound whose every frame has a level of its own, so that order can be read back. */
const level = (n: number) => 1000 + (n % 20) * 100
const frame = (n: number) => new Int16Array(160).fill(level(n))

/** Sound that came, and neither silence nor a fill. */
const isOneLevel = (samples: Int16Array) =>
  (samples[0] ?? 0) >= 1000 && samples.every((sample) => sample === samples[0])

interface TestPacket extends HeardPacket {
  samples: Int16Array
}

function setup(first = 0, ssrc = 7) {
  const frames: Int16Array[] = []
  const receiver = new RtpReceiver<TestPacket>({
    rateHz: 8000,
    decode: ({ samples }) => samples,
    keep: (packet) => ({ ...packet }),
    write: (samples) => frames.push(samples.slice()),
    last: (count) =>
      Int16Array.from(frames.slice(-4).flatMap((samples) => [...samples])).slice(-count),
  })
  receiver.start(0)
  const packet = (n: number, change: Partial<TestPacket> = {}): TestPacket => ({
    sequence: (first + n) & 0xffff,
    timestamp: ((first + n) * 160) >>> 0,
    ssrc,
    clockHz: 8000,
    samples: frame(n),
    ...change,
  })
  /** Packet n at the time at which it should come. */
  const push = (n: number, change?: Partial<TestPacket>) =>
    receiver.push(packet(n, change), 20 * (n + 1))
  const levels = () => frames.map((samples) => samples[0])
  const count = () => frames.reduce((sum, samples) => sum + samples.length, 0)
  return { receiver, frames, packet, push, levels, count }
}

describe('RtpReceiver', () => {
  it.each([0, 65_530, 65_535])('plays packets in order across the wrap from %i', (first) => {
    const { receiver, push, levels } = setup(first)
    for (let n = 0; n < 20; n++) push(n)
    expect(levels()).toEqual(Array.from({ length: 20 }, (_, n) => level(n)))
    expect(receiver.lost).toBe(0)
  })

  it('plays across the wrap of the timestamp', () => {
    const { receiver, frames, packet } = setup()
    for (let n = 0; n < 20; n++)
      receiver.push(packet(n, { timestamp: (0xffff_fc00 + n * 160) >>> 0 }), 20 * (n + 1))
    expect(frames).toHaveLength(20)
  })

  it('plays a packet in order at once, without waiting for another', () => {
    const { push, frames } = setup()
    for (let n = 0; n < 5; n++) {
      push(n)
      expect(frames).toHaveLength(n + 1)
    }
  })

  it('puts swapped packets back into order', () => {
    const { receiver, push, levels } = setup(65_533)
    for (const n of [0, 2, 1, 3, 6, 5, 4, 7]) push(n)
    expect(levels()).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(level))
    expect([receiver.lost, receiver.late]).toEqual([0, 0])
  })

  it('plays a packet once, however often it comes', () => {
    const { receiver, push, levels } = setup()
    for (const n of [0, 0, 1, 3, 3, 2, 2, 1, 0, 4]) push(n)
    expect(levels()).toEqual([0, 1, 2, 3, 4].map(level))
    expect(receiver.duplicates).toBe(5)
  })

  it('gives a packet up when three later ones came, and conceals it', () => {
    const { receiver, push, frames } = setup()
    for (const n of [0, 1, 3, 4]) push(n)
    expect(frames).toHaveLength(2)
    push(5)
    expect(frames).toHaveLength(6)
    expect(receiver.lost).toBe(1)
    expect(rms(frames[2] as Int16Array)).toBeGreaterThan(300)
    // Its beginning is blended with what was concealed.
    expect((frames[3] as Int16Array)[159]).toBe(level(3))
  })

  it('gives a packet up after 40 ms when nothing later comes', () => {
    const { receiver, push, frames } = setup()
    for (const n of [0, 1, 3]) push(n)
    receiver.tick(100)
    expect(frames).toHaveLength(2)
    receiver.tick(120)
    expect(frames).toHaveLength(4)
  })

  it('counts a packet that came after it was given up as late, no longer as lost', () => {
    const { receiver, push, levels } = setup()
    for (const n of [0, 1, 3, 4, 5, 2]) push(n)
    expect([receiver.lost, receiver.late]).toEqual([0, 1])
    expect(levels().filter((at) => at === level(2))).toHaveLength(0)
  })

  it.each([0.01, 0.03, 0.2])('keeps time and every packet that came at a loss of %d', (rate) => {
    const random = randomSource(42)
    const { receiver, push, frames, count } = setup(60_000)
    let came = 0
    let lost = 0
    for (let n = 0; n < 5000; n++) {
      receiver.tick(20 * (n + 1))
      if (n > 0 && n < 4990 && random() < rate) lost++
      else {
        push(n)
        came++
      }
    }
    expect(lost).toBeGreaterThan(5000 * rate * 0.7)
    expect(receiver.lost).toBe(lost)
    expect(Math.abs(count() / 8 - 100_000)).toBeLessThan(100)
    // All but the beginning, which may be blended with what was concealed before it.
    const whole = frames.map((samples) => samples.subarray(32)).filter(isOneLevel)
    expect(whole.length).toBeGreaterThanOrEqual(came)
  })

  it('keeps order and time under loss, jitter, disorder and duplicates together', () => {
    const random = randomSource(7)
    const { receiver, packet, frames, count } = setup(65_000)
    const arrivals: { at: number; n: number }[] = []
    for (let n = 0; n < 3000; n++) {
      if (random() < 0.05) continue
      arrivals.push({ at: 20 * (n + 1) + random() * 30, n })
      if (random() < 0.05) arrivals.push({ at: 20 * (n + 1) + random() * 60, n })
    }
    arrivals.sort((a, b) => a.at - b.at)
    let tick = 0
    for (const { at, n } of arrivals) {
      for (; tick <= at; tick += 20) receiver.tick(tick)
      receiver.push(packet(n, { samples: new Int16Array(160).fill(n + 1000) }), at)
    }
    const played = frames
      .map((samples) => samples.subarray(32))
      .filter(isOneLevel)
      .map((samples) => samples[0] as number)
    expect(played).toEqual([...new Set(played)].sort((a, b) => a - b))
    expect(played.length).toBeGreaterThan(2700)
    expect(Math.abs(count() / 8 - 60_000)).toBeLessThan(150)
  })

  it('fills what a sender leaves out in silence (DTX) once, in real time', () => {
    const { receiver, packet, push, count, frames } = setup()
    for (let n = 0; n < 10; n++) push(n)
    for (let now = 220; now <= 2200; now += 20) receiver.tick(now)
    receiver.push(packet(10, { timestamp: 110 * 160 }), 2220)
    expect(Math.abs(count() / 8 - 2220)).toBeLessThanOrEqual(60)
    expect(frames.slice(10, -1).every((samples) => rms(samples) === 0)).toBe(true)
  })

  it('goes on after a timestamp that leaps forward or back while the sequence does not', () => {
    const { receiver, packet, push, frames } = setup()
    push(0)
    receiver.push(packet(1, { timestamp: 800_000 }), 40)
    receiver.push(packet(2, { timestamp: 17 }), 60)
    receiver.push(packet(3, { timestamp: 177 }), 80)
    expect(frames.map((samples) => samples[0])).toEqual([0, 1, 2, 3].map(level))
    expect(receiver.lost).toBe(0)
    expect(receiver.jitterMs).toBeLessThan(1)
  })

  it('counts packets without sound as neither lost nor heard', () => {
    const { receiver, push, levels } = setup()
    push(0)
    push(1, { clockHz: null, timestamp: 160 })
    push(2, { clockHz: null, timestamp: 160 })
    push(3)
    expect(receiver.lost).toBe(0)
    expect(levels().filter((at) => at !== 0)).toEqual([level(0), level(3)])
  })

  it('follows a new SSRC at its second packet, and loses neither', () => {
    const { receiver, push, packet, levels } = setup()
    for (let n = 0; n < 5; n++) push(n)
    receiver.push(packet(5, { ssrc: 99, sequence: 40_000, timestamp: 5 }), 120)
    expect(levels()).toHaveLength(5)
    receiver.push(packet(6, { ssrc: 99, sequence: 40_001, timestamp: 165 }), 140)
    expect(levels()).toEqual([0, 1, 2, 3, 4, 5, 6].map(level))
    expect(receiver.lost).toBe(0)
  })

  it('ignores single packets of other SSRCs and far sequence numbers', () => {
    const { receiver, push, packet, levels } = setup()
    for (let n = 0; n < 50; n++) {
      push(n)
      receiver.push(packet(n, { ssrc: 1000 + n, sequence: n * 31 }), 20 * (n + 1) + 1)
      receiver.push(packet(n, { sequence: 20_000 + n * 77 }), 20 * (n + 1) + 2)
    }
    expect(levels()).toEqual(Array.from({ length: 50 }, (_, n) => level(n)))
  })

  it('follows a new stream at once when the old one is still', () => {
    const { receiver, push, packet, levels } = setup()
    push(0)
    receiver.push(packet(9, { ssrc: 99, sequence: 3 }), 200)
    expect(levels().at(-1)).toBe(level(9))
  })

  it('measures jitter as RFC 3550 does', () => {
    const { receiver, packet } = setup()
    // Transit differs by 10 ms from packet to packet: J approaches 10 ms.
    for (let n = 0; n < 400; n++) receiver.push(packet(n), 20 * (n + 1) + (n % 2) * 10)
    expect(receiver.jitterMs).toBeGreaterThan(9.9)
    expect(receiver.jitterMs).toBeLessThan(10.1)
  })

  it('survives 100 000 packets of chance and stays in real time', () => {
    const random = randomSource(3)
    const { receiver, count } = setup()
    for (let n = 0; n < 100_000; n++) {
      const clockHz = random() < 0.1 ? null : random() < 0.1 ? 48_000 : 8000
      const samples = tone(300, Math.floor(random() * 400))
      receiver.push(
        {
          sequence: Math.floor(random() * 65_536),
          timestamp: Math.floor(random() * 2 ** 32),
          ssrc: Math.floor(random() * 3),
          clockHz,
          samples,
        },
        n,
      )
      if (n % 20 === 0) receiver.tick(n)
    }
    expect(count() / 8).toBeGreaterThan(99_000)
    expect(count() / 8).toBeLessThan(100_600)
  })
})
