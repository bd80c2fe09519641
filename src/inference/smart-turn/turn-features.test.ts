import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { LogMel } from '../whisper/mel.ts'
import { createTurnFeatures, turnWindow } from './turn-features.ts'

const WINDOW = 128_000

function noise(samples: number, size = 8000): Int16Array {
  const random = randomSource(3)
  return Int16Array.from({ length: samples }, () => (random() - 0.4) * size)
}

/** The definition, in two passes. */
function normalised(padded: Int16Array): Float32Array {
  const sound = Float64Array.from(padded, (sample) => sample / 32768)
  const mean = sound.reduce((sum, x) => sum + x, 0) / sound.length
  const variance = sound.reduce((sum, x) => sum + (x - mean) ** 2, 0) / sound.length
  return Float32Array.from(sound, (x) => (x - mean) / Math.sqrt(variance + 1e-7))
}

function padded(samples: Int16Array): Int16Array {
  const out = new Int16Array(WINDOW)
  out.set(samples, WINDOW - samples.length)
  return out
}

describe('what Smart Turn hears', () => {
  it('has zeros before it up to 8 s, all of it at mean 0 and variance 1', () => {
    const samples = noise(40_000)
    const window = turnWindow(samples)
    const expected = normalised(padded(samples))
    expect(window).toHaveLength(WINDOW)
    let worst = 0
    for (let i = 0; i < WINDOW; i++)
      worst = Math.max(worst, Math.abs((window[i] as number) - (expected[i] as number)))
    expect(worst).toBeLessThan(1e-5)
  })

  it('is as loud however loud the telephone was', () => {
    const loud = turnWindow(noise(40_000, 20_000))
    const soft = turnWindow(noise(40_000, 4_000))
    for (const i of [0, 90_000, 110_001, 127_999]) expect(soft[i]).toBeCloseTo(loud[i] as number, 1)
  })

  it("becomes Whisper's features of that window", () => {
    const samples = noise(40_000)
    const features = createTurnFeatures()(samples)
    const expected = new LogMel(80).compute(normalised(padded(samples)), 800)
    expect(features).toHaveLength(80 * 800)
    let worst = 0
    for (let i = 0; i < features.length; i++)
      worst = Math.max(worst, Math.abs((features[i] as number) - (expected[i] as number)))
    expect(worst).toBeLessThan(1e-3)
  })

  it('is the last 8 s of what is longer', () => {
    const long = noise(200_000)
    const features = createTurnFeatures()
    expect(features(long)).toEqual(features(long.slice(-WINDOW)))
    expect(features(long)).not.toEqual(features(long.slice(0, WINDOW)))
  })

  it('stays finite where nothing is heard', () => {
    const silent = createTurnFeatures()(new Int16Array(0))
    expect(silent.every((value) => value === -1.5)).toBe(true)
  })
})
