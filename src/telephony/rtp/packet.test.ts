import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { parsePacket, sequenceDistance, timestampDistance, writeHeader } from './packet.ts'

const header = {
  payloadType: 8,
  marker: true,
  sequence: 0xfffe,
  timestamp: 0xfffffff0,
  ssrc: 0xdeadbeef,
}

function packet(payload: number[], change: (bytes: Uint8Array) => void = () => undefined) {
  const bytes = new Uint8Array(12 + payload.length)
  writeHeader(bytes, header)
  bytes.set(payload, 12)
  change(bytes)
  return bytes
}

describe('parsePacket', () => {
  it('reads back what writeHeader wrote', () => {
    const parsed = parsePacket(packet([1, 2, 3]))
    expect(parsed).toEqual({ ...header, payload: Uint8Array.of(1, 2, 3) })
  })

  it('leaves out CSRCs, extension and padding', () => {
    const bytes = packet(
      [
        ...[0, 0, 0, 1, 0, 0, 0, 2], // two CSRCs
        ...[0xbe, 0xde, 0, 1, 9, 9, 9, 9], // an extension of one word
        ...[7, 8, 0, 0, 3], // two bytes of sound, three of padding
      ],
      (b) => {
        b[0] = 0x80 | 0x20 | 0x10 | 2
      },
    )
    expect(parsePacket(bytes)?.payload).toEqual(Uint8Array.of(7, 8))
  })

  it('refuses what is too short, of another version, or RTCP', () => {
    expect(parsePacket(new Uint8Array(11))).toBeUndefined()
    for (const version of [0, 1, 3])
      expect(
        parsePacket(
          packet([1], (b) => {
            b[0] = version << 6
          }),
        ),
      ).toBeUndefined()
    for (const type of [200, 201, 203])
      expect(
        parsePacket(
          packet([1], (b) => {
            b[1] = type
          }),
        ),
      ).toBeUndefined()
  })

  it('refuses lengths that do not add up', () => {
    const wrong: [number, number[]][] = [
      [0x8f, [1, 2, 3]], // 15 CSRCs announced
      [0x90, [1, 2]], // half an extension header
      [0x90, [0, 0, 0xff, 0xff, 1]], // an extension longer than the datagram
      [0xa0, [1, 2, 9]], // more padding than there is
      [0xa0, [1, 2, 0]], // padding of no bytes
    ]
    for (const [first, payload] of wrong)
      expect(
        parsePacket(
          packet(payload, (b) => {
            b[0] = first
          }),
        ),
      ).toBeUndefined()
  })

  it('survives 100 000 datagrams of junk', () => {
    const random = randomSource(1)
    let parsed = 0
    for (let n = 0; n < 100_000; n++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => random() * 256)
      if (bytes.length > 0 && n % 2) bytes[0] = 0x80 | ((bytes[0] as number) & 0x3f)
      if (parsePacket(bytes)) parsed++
    }
    expect(parsed).toBeGreaterThan(100)
  })
})

describe('distances on the circle', () => {
  it('sees across the wrap-around, both ways', () => {
    expect(sequenceDistance(0xffff, 0)).toBe(1)
    expect(sequenceDistance(2, 0xfffe)).toBe(-4)
    expect(timestampDistance(0xfffffff0, 0x90)).toBe(160)
    expect(timestampDistance(0x90, 0xfffffff0)).toBe(-160)
  })
})
