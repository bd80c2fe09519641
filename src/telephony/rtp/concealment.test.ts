import { describe, expect, it } from 'vitest'
import { tone } from '../../../test/kit/tones.ts'
import { rms } from '../../core/pcm.ts'
import { Concealment } from './concealment.ts'

describe('Concealment', () => {
  it('repeats the last frame, fading to silence within 60 ms', () => {
    const concealment = new Concealment()
    concealment.hear(tone(500, 160))
    const levels = [0, 1, 2, 3].map(() => rms(concealment.fill(160)))
    expect(levels[0]).toBeGreaterThan(4000)
    expect(levels[1]).toBeLessThan(levels[0] as number)
    expect(levels[2]).toBeLessThan(levels[1] as number)
    expect(levels[3]).toBe(0)
  })

  it('fades anew after sound came again', () => {
    const concealment = new Concealment()
    concealment.hear(tone(500, 160))
    concealment.fill(1000)
    concealment.hear(tone(500, 160))
    expect(rms(concealment.fill(160))).toBeGreaterThan(4000)
  })

  it('puts packets shorter than a frame together', () => {
    const concealment = new Concealment()
    concealment.hear(Int16Array.of(...new Array(80).fill(100)))
    concealment.hear(Int16Array.of(...new Array(80).fill(200)))
    const out = concealment.fill(160)
    expect(out[0]).toBe(100)
    expect(out[80]).toBeGreaterThan(150)
  })

  it('is silent when nothing was ever heard', () => {
    expect(rms(new Concealment().fill(160))).toBe(0)
  })
})
