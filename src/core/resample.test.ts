import { describe, expect, it } from 'vitest'
import { Resampler, resample } from './resample.ts'

function sine(hz: number, rateHz: number, samples: number, amplitude = 16_000): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * n) / rateHz)),
  )
}

/** Signal to noise in dB of `got` against a sine of `hz`, away from both ends. */
function snr(got: Int16Array, hz: number, rateHz: number): number {
  const want = sine(hz, rateHz, got.length)
  let signal = 0
  let noise = 0
  for (let n = 200; n < got.length - 200; n++) {
    signal += (want[n] as number) ** 2
    noise += ((want[n] as number) - (got[n] as number)) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

/** The loudness of the middle of `got` against a full sine of 16 000, in dB. */
function level(got: Int16Array): number {
  const middle = got.subarray(200, got.length - 200)
  const power = middle.reduce((sum, x) => sum + x * x, 0) / middle.length
  return 10 * Math.log10(Math.max(power, 1e-9) / (16_000 ** 2 / 2))
}

function joined(pieces: Int16Array[]): Int16Array {
  return Int16Array.from(pieces.flatMap((piece) => [...piece]))
}

const ratios: [number, number][] = [
  [8000, 16_000],
  [16_000, 8000],
  [24_000, 8000],
  [22_050, 8000],
  [8000, 24_000],
  [44_100, 16_000],
]

describe('Resampler', () => {
  it.each(ratios)('keeps a tone in place and in level from %i to %i Hz', (from, to) => {
    for (const hz of [300, 1000, 2500])
      expect(snr(resample(sine(hz, from, from), from, to), hz, to)).toBeGreaterThan(70)
  })

  it.each([
    [16_000, 8000],
    [24_000, 8000],
    [22_050, 8000],
    [44_100, 16_000],
    [48_000, 16_000],
  ])('keeps what would fold back from %i to %i Hz under -85 dB', (from, to) => {
    for (let hz = to / 2 + 50; hz < from / 2; hz += 310)
      expect(level(resample(sine(hz, from, from), from, to))).toBeLessThan(-85)
  })

  it('makes no image above 4 kHz from 8 to 16 kHz', () => {
    const out = resample(sine(3000, 8000, 8000), 8000, 16_000)
    const image = resample(out, 16_000, 16_000).subarray(1000, 15_000)
    let re = 0
    let im = 0
    image.forEach((x, n) => {
      re += x * Math.cos((2 * Math.PI * 5000 * n) / 16_000)
      im += x * Math.sin((2 * Math.PI * 5000 * n) / 16_000)
    })
    const amplitude = (2 * Math.hypot(re, im)) / image.length
    expect(20 * Math.log10(amplitude / 16_000)).toBeLessThan(-85)
  })

  it.each(ratios)(
    'gives the same in pieces of any size as in one, from %i to %i Hz',
    (from, to) => {
      const input = sine(700, from, 4321)
      const resampler = new Resampler(from, to)
      const pieces: Int16Array[] = []
      for (let at = 0, size = 1; at < input.length; at += size, size = (size * 7 + 3) % 331)
        pieces.push(resampler.push(input.subarray(at, at + size)))
      pieces.push(resampler.flush())
      expect(joined(pieces)).toEqual(resample(input, from, to))
    },
  )

  it.each(ratios)('gives ceil(n × to / from) samples from %i to %i Hz', (from, to) => {
    for (const n of [0, 1, 2, 159, 160, 1000])
      expect(resample(new Int16Array(n), from, to)).toHaveLength(Math.ceil((n * to) / from))
  })

  it('starts anew after flush', () => {
    const resampler = new Resampler(16_000, 8000)
    const once = joined([resampler.push(sine(500, 16_000, 999)), resampler.flush()])
    const again = joined([resampler.push(sine(500, 16_000, 999)), resampler.flush()])
    expect(again).toEqual(once)
  })

  it('clips instead of wrapping round', () => {
    const square = Int16Array.from({ length: 800 }, (_, n) => (n % 40 < 20 ? 32_767 : -32_768))
    const out = resample(square, 8000, 16_000)
    for (let n = 100; n < out.length - 100; n++) {
      const inside = square[Math.floor(n / 2)] as number
      if (square[Math.floor(n / 2) - 3] === inside && square[Math.floor(n / 2) + 3] === inside)
        expect(Math.sign(out[n] as number)).toBe(Math.sign(inside))
    }
  })

  it('hands equal rates through and refuses rates that are none', () => {
    const samples = sine(440, 8000, 100)
    const resampler = new Resampler(8000, 8000)
    expect(joined([resampler.push(samples), resampler.flush()])).toEqual(samples)
    expect(resample(samples, 8000, 8000)).toBe(samples)
    expect(() => new Resampler(0, 8000)).toThrow('rates are whole numbers')
    expect(() => new Resampler(22_050.5, 8000)).toThrow('rates are whole numbers')
  })
})
