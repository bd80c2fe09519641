import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { ReplayWindow } from './replay-window.ts'

describe('ReplayWindow', () => {
  it('knows what came, as a list of everything would', () => {
    const random = randomSource(6)
    const window = new ReplayWindow()
    const came = new Set<number>()
    let highest = -1
    for (let n = 0; n < 50_000; n++) {
      const leap = random() < 0.01 ? random() * 200 : random() * 6
      const index = Math.max(0, Math.floor(highest - 70 * random() + leap + (n % 3 ? 0 : 70)))
      const known = came.has(index) || highest - index >= 64
      expect([index, window.has(index)]).toEqual([index, known])
      if (known) continue
      window.take(index)
      came.add(index)
      highest = Math.max(highest, index)
    }
    expect(came.size).toBeGreaterThan(5000)
  })

  it('guesses the index that lies nearest', () => {
    const window = new ReplayWindow()
    expect(window.guess(65_535)).toBe(65_535)
    window.take(65_530)
    expect(window.guess(3)).toBe(65_539)
    expect(window.guess(65_000)).toBe(65_000)
    window.take(65_540)
    expect(window.guess(65_534)).toBe(65_534)
    expect(window.guess(20_000)).toBe(85_536)
  })

  it('guesses an index below 0 for what would lie before the first packet', () => {
    const window = new ReplayWindow()
    window.take(2)
    expect(window.guess(65_535)).toBe(-1)
  })
})
