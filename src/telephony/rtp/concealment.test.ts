import { describe, expect, it } from 'vitest'
import { tone } from '../../../test/kit/tones.ts'
import { rms } from '../../core/pcm.ts'
import { Concealment } from './concealment.ts'

/** A voice: harmonics of 125 Hz, `from` samples after the beginning. */
function voice(samples: number, from: number, rateHz = 8000): Int16Array {
  const out = new Int16Array(samples)
  for (let k = 1; k <= 12; k++) {
    const part = tone(125 * k, samples, { amplitude: 6000 / k, from, rateHz })
    for (let i = 0; i < samples; i++) out[i] = (out[i] as number) + (part[i] as number)
  }
  return out
}

function snr(want: Int16Array, got: Int16Array): number {
  const noise = want.map((sample, i) => sample - (got[i] as number))
  return 20 * Math.log10(rms(want) / Math.max(1, rms(noise)))
}

/** A line of sound with holes that are concealed. */
function setup(rateHz = 8000) {
  let line = new Int16Array(0)
  const concealment = new Concealment(rateHz, (count) => line.subarray(-count))
  const write = (samples: Int16Array): Int16Array => {
    line = Int16Array.of(...line, ...samples)
    return samples
  }
  return {
    hear: (samples: Int16Array) => write(concealment.hear(samples)),
    fill: (count: number) => write(concealment.fill(count)),
    silence(count: number) {
      write(new Int16Array(count))
      concealment.forget()
    },
  }
}

describe('Concealment', () => {
  it('goes on with the sound, fading to silence within 60 ms', () => {
    const concealment = setup()
    concealment.hear(voice(800, 0))
    const levels = [0, 1, 2, 3].map(() => rms(concealment.fill(160)))
    expect(levels[0]).toBeGreaterThan(rms(voice(160, 0)) * 0.8)
    expect(levels[1]).toBeLessThan(levels[0] as number)
    expect(levels[2]).toBeLessThan(levels[1] as number)
    expect(levels[3]).toBe(0)
  })

  it.each([8000, 16_000])('continues a voice in its own period at %i Hz', (rateHz) => {
    const concealment = setup(rateHz)
    const frame = rateHz / 50
    for (let n = 0; n < 5; n++) concealment.hear(voice(frame, n * frame, rateHz))
    const loud = rateHz / 100
    const filled = concealment.fill(frame).subarray(0, loud)
    expect(snr(voice(loud, 5 * frame, rateHz), filled)).toBeGreaterThan(25)
  })

  it('makes no step where sound breaks off, nor where it comes back', () => {
    const concealment = setup()
    // 437 Hz and frames of 20 ms: no whole period fits.
    concealment.hear(tone(437, 800))
    const filled = concealment.fill(160)
    const after = concealment.hear(tone(437, 160, { from: 1200 }))
    const line = [...tone(437, 1, { from: 799 }), ...filled, ...after]
    const steepest = (2 * Math.PI * 437 * 8000) / 8000
    const steps = line.slice(1).map((sample, i) => Math.abs(sample - (line[i] as number)))
    expect(Math.max(...steps)).toBeLessThan(steepest * 1.6)
  })

  it('leaves sound as it is where nothing was lost', () => {
    const concealment = setup()
    const samples = voice(160, 0)
    expect(concealment.hear(samples)).toBe(samples)
    concealment.fill(160)
    expect(concealment.hear(samples)).not.toBe(samples)
    expect(concealment.hear(samples)).toBe(samples)
  })

  it('fades anew after sound came again', () => {
    const concealment = setup()
    concealment.hear(voice(800, 0))
    concealment.fill(1000)
    concealment.hear(voice(800, 0))
    expect(rms(concealment.fill(160))).toBeGreaterThan(3000)
  })

  it('puts packets shorter than a frame together', () => {
    const concealment = setup()
    for (let n = 0; n < 10; n++) concealment.hear(voice(80, n * 80))
    expect(snr(voice(80, 800), concealment.fill(160).subarray(0, 80))).toBeGreaterThan(25)
  })

  it('does not hum where noise was: what it repeats is long', () => {
    const concealment = setup()
    let seed = 1
    const noise = Int16Array.from({ length: 800 }, () => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return (seed >> 16) - 16_384
    })
    concealment.hear(noise)
    const filled = concealment.fill(80)
    for (let period = 20; period < 60; period++) {
      const repeats = filled.subarray(period).every((sample, i) => sample === filled[i])
      expect(repeats).toBe(false)
    }
  })

  it('is silent when nothing was ever heard, or silence since', () => {
    expect(rms(setup().fill(160))).toBe(0)
    const concealment = setup()
    concealment.hear(voice(800, 0))
    concealment.silence(160)
    expect(rms(concealment.fill(160))).toBe(0)
  })
})
