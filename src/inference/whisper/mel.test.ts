import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { createPowerSpectrum } from './fourier.ts'
import { LogMel, melFilters } from './mel.ts'

/** The filters that OpenAI's models were trained with, as whisper.cpp stores them: header, shape, then floats. */
function storedFilters(): { bands: number; bins: number; weights: Float32Array } {
  const file = readFileSync(
    join(import.meta.dirname, '../../../test/fixtures/for-tests-ggml-tiny.en.bin'),
  )
  const bands = file.readInt32LE(48)
  const bins = file.readInt32LE(52)
  const weights = Float32Array.from({ length: bands * bins }, (_, i) =>
    file.readFloatLE(56 + 4 * i),
  )
  return { bands, bins, weights }
}

function noise(samples: number): Int16Array {
  const random = randomSource(7)
  return Int16Array.from({ length: samples }, () => (random() - 0.5) * 20_000)
}

/** The definition of the discrete Fourier transform, for comparison. */
function powerByDefinition(samples: Float64Array, k: number): number {
  let re = 0
  let im = 0
  for (const [n, sample] of samples.entries()) {
    re += sample * Math.cos((2 * Math.PI * n * k) / samples.length)
    im -= sample * Math.sin((2 * Math.PI * n * k) / samples.length)
  }
  return re * re + im * im
}

describe('the power spectrum', () => {
  it.each([2, 6, 16, 60, 400])('equals the definition for %d samples', (size) => {
    const random = randomSource(size)
    const samples = Float64Array.from({ length: size }, () => random() - 0.5)
    const out = new Float64Array(size / 2 + 1)
    const power = createPowerSpectrum(size)
    power(new Float64Array(size).fill(1), out)
    power(samples, out)
    for (let k = 0; k <= size / 2; k++)
      expect(Math.abs((out[k] as number) - powerByDefinition(samples, k))).toBeLessThan(1e-10)
  })
})

describe('log-mel features', () => {
  it("use Whisper's own filters", () => {
    const { bands, bins, weights } = storedFilters()
    expect([bands, bins]).toEqual([80, 201])
    const filters = melFilters(80)
    for (let band = 0; band < bands; band++)
      for (let bin = 0; bin < bins; bin++)
        expect(
          Math.abs((filters[band]?.[bin] as number) - (weights[band * bins + bin] as number)),
        ).toBeLessThan(1e-6)
  })

  it('are what the definition gives in the middle of the sound', () => {
    const samples = noise(4800)
    const frames = 40
    const out = new LogMel(80).compute(samples, frames)
    const { bins, weights } = storedFilters()
    const frame = 12
    const windowed = Float64Array.from({ length: 400 }, (_, i) => {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 400)
      return (hann * (samples[frame * 160 - 200 + i] as number)) / 32768
    })
    const power = Float64Array.from({ length: bins }, (_, k) => powerByDefinition(windowed, k))
    for (const band of [0, 17, 79]) {
      const energy = power.reduce((sum, p, k) => sum + p * (weights[band * bins + k] as number), 0)
      expect(out[band * frames + frame]).toBeCloseTo((Math.log10(energy) + 4) / 4, 5)
    }
  })

  it('mirror the sound at both edges of the window', () => {
    const samples = noise(1600)
    const mirrored = new Int16Array(2000)
    for (let i = 0; i < 200; i++) {
      mirrored[i] = samples[200 - i] as number
      mirrored[1800 + i] = samples[1598 - i] as number
    }
    mirrored.set(samples, 200)
    const { bins, weights } = storedFilters()
    const out = new LogMel(80).compute(samples, 10)
    for (const frame of [0, 9]) {
      const windowed = Float64Array.from(
        { length: 400 },
        (_, i) =>
          ((0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 400)) *
            (mirrored[frame * 160 + i] as number)) /
          32768,
      )
      let energy = 0
      for (let k = 0; k < bins; k++)
        energy += powerByDefinition(windowed, k) * (weights[40 * bins + k] as number)
      expect(out[40 * 10 + frame]).toBeCloseTo((Math.log10(energy) + 4) / 4, 5)
    }
  })

  it('are the floor where there is no sound, eight powers of ten below the loudest', () => {
    const silent = new LogMel(80).compute(new Int16Array(0), 10)
    expect(silent.every((value) => value === -1.5)).toBe(true)
    const out = new LogMel(80).compute(noise(1600), 100)
    const loudest = Math.max(...out)
    expect(Math.min(...out)).toBeCloseTo(loudest - 2, 5)
    expect(out[99]).toBeCloseTo(loudest - 2, 5)
  })

  it('hear nothing past the window', () => {
    const long = noise(32_000)
    const mel = new LogMel(80)
    expect(mel.compute(long, 100)).toEqual(mel.compute(long.slice(0, 16_000), 100))
  })

  it('have as many bands as the model wants', () => {
    expect(new LogMel(128).compute(noise(1600), 10)).toHaveLength(1280)
  })
})
