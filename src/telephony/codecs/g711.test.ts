import { describe, expect, it } from 'vitest'
import { decodeG711, encodeG711, type G711, pcma, pcmu } from './g711.ts'

const laws: [string, G711][] = [
  ['PCMU', pcmu],
  ['PCMA', pcma],
]

describe('G.711', () => {
  it('decodes the end points and steps of the ITU tables', () => {
    // Table 2 of G.711 in 14 bits (×4): largest, first steps of segments, smallest.
    const mu = [
      [0x80, 32_124],
      [0x8f, 16_764],
      [0x90, 15_996],
      [0xef, 132],
      [0xfe, 8],
      [0xff, 0],
      [0x7f, 0],
      [0x7e, -8],
      [0x00, -32_124],
    ] as const
    // Table 1 of G.711 in 13 bits (×8).
    const a = [
      [0xaa, 32_256],
      [0xa5, 16_896],
      [0xd5, 8],
      [0xd4, 24],
      [0x55, -8],
      [0x54, -24],
      [0x2a, -32_256],
    ] as const
    for (const [code, sample] of mu) expect(pcmu.decode[code]).toBe(sample)
    for (const [code, sample] of a) expect(pcma.decode[code]).toBe(sample)
  })

  it.each(laws)('%s gives every code back, but for the second zero of mu-law', (name, law) => {
    for (let code = 0; code < 256; code++) {
      const back = law.encode[(law.decode[code] as number) & 0xffff]
      expect(back).toBe(name === 'PCMU' && code === 0x7f ? 0xff : code)
    }
  })

  it.each(laws)('%s takes the nearest code for each of the 65 536 samples', (_, law) => {
    let worse = 0
    for (let sample = -32_768; sample < 32_768; sample++) {
      const got = Math.abs((law.decode[law.encode[sample & 0xffff] as number] as number) - sample)
      let best = got
      for (let code = 0; code < 256; code++) {
        const off = Math.abs((law.decode[code] as number) - sample)
        if (off < best) best = off
      }
      if (got > best) worse++
    }
    expect(worse).toBe(0)
  })

  it.each(laws)('%s carries a frame with at least 35 dB to its noise', (_, law) => {
    const frame = Int16Array.from({ length: 160 }, (_, n) => 9000 * Math.sin(n * 0.7))
    const payload = new Uint8Array(172)
    encodeG711(law, frame, payload, 12)
    const back = decodeG711(law, payload.subarray(12))
    let signal = 0
    let noise = 0
    frame.forEach((sample, n) => {
      signal += sample ** 2
      noise += (sample - (back[n] as number)) ** 2
    })
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(35)
  })

  it('names as silence a code that decodes to next to nothing', () => {
    for (const [, law] of laws) expect(Math.abs(law.decode[law.silence] as number)).toBeLessThan(9)
  })
})
