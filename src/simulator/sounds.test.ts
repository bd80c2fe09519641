import { describe, expect, it } from 'vitest'
import { rms } from '../core/pcm.ts'
import { music, tone } from './sounds.ts'

describe('sounds', () => {
  it('are tones of their pitch and length, without a click at either end', () => {
    const beep = tone({ hz: 1000, ms: 400, rateHz: 8000 })
    expect(beep).toHaveLength(3200)
    const crossings = beep.filter((sample, i) => i > 0 && sample >= 0 !== (beep[i - 1] ?? 0) >= 0)
    expect(crossings.length).toBeGreaterThan(790)
    expect(crossings.length).toBeLessThan(810)
    expect(Math.abs(beep[1] ?? 0)).toBeLessThan(1000)
    expect(Math.abs(beep.at(-1) ?? 0)).toBeLessThan(1000)
  })

  it('are music that goes on at an even loudness and never clips', () => {
    const clip = music({ ms: 5000, rateHz: 8000 })
    expect(clip).toHaveLength(40_000)
    for (let at = 0; at < 40_000; at += 4000)
      expect(rms(clip.subarray(at, at + 4000))).toBeGreaterThan(500)
    expect(Math.max(...clip.map(Math.abs))).toBeLessThan(30_000)
  })
})
