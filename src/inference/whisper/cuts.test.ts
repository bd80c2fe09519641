import { describe, expect, it } from 'vitest'
import { tone } from '../../../test/kit/tones.ts'
import { cutIntoWindows } from './cuts.ts'

describe('cutting long sound', () => {
  it('leaves alone what fits', () => {
    const samples = tone(300, 16_000, { rateHz: 16_000 })
    expect(cutIntoWindows(samples, 16_000)).toEqual([samples])
    expect(cutIntoWindows(new Int16Array(0), 16_000)).toEqual([new Int16Array(0)])
  })

  it('cuts in the pause near the end of the window', () => {
    const samples = tone(300, 40_000, { rateHz: 16_000 })
    samples.fill(0, 13_000, 15_000)
    const [first, ...rest] = cutIntoWindows(samples, 16_000)
    expect(first?.length).toBeGreaterThan(13_000)
    expect(first?.length).toBeLessThan(15_000)
    expect(rest.every((piece) => piece.length <= 16_000)).toBe(true)
  })

  it('loses nothing, whatever the lengths', () => {
    for (const length of [16_001, 31_999, 100_000]) {
      const samples = tone(170, length, { rateHz: 16_000 })
      const pieces = cutIntoWindows(samples, 16_000)
      expect(pieces.flatMap((piece) => [...piece])).toEqual([...samples])
    }
  })
})
