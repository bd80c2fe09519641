import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { jfk } from '../../../test/kit/speech.ts'
import { amplitudeAt, tone } from '../../../test/kit/tones.ts'
import { resample } from '../../core/resample.ts'
import { G722Decoder, G722Encoder } from './g722.ts'

/** What both filters together hold back: the sample that comes out stands so many behind. */
const DELAY = 22

function encode(samples: Int16Array, piece = 320): Uint8Array {
  const encoder = new G722Encoder()
  const code = new Uint8Array(samples.length >> 1)
  for (let at = 0; at < samples.length; at += piece)
    encoder.encode(samples.subarray(at, at + piece), code, at >> 1)
  return code
}

function decode(code: Uint8Array, piece = 160): Int16Array {
  const decoder = new G722Decoder()
  const samples = new Int16Array(code.length * 2)
  for (let at = 0; at < code.length; at += piece)
    samples.set(decoder.decode(code.subarray(at, at + piece)), at * 2)
  return samples
}

/** Signal to noise in dB, the first 50 ms aside, in which the quantisers find their scale. */
function snr(want: Int16Array, got: Int16Array): number {
  let signal = 0
  let noise = 0
  for (let n = 800; n < want.length - DELAY; n++) {
    signal += (want[n] as number) ** 2
    noise += ((want[n] as number) - (got[n + DELAY] as number)) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Something like speech, noise at full scale and a square wave: all parts of the coder, its limits too. */
function everything(): Int16Array {
  const random = randomSource(1)
  const all = new Int16Array(120_000)
  let low = 0
  for (let n = 0; n < 80_000; n++) {
    low += ((2 * random() - 1) * 32_767 - low) >> 3
    all[n] = (low * (n % 8000)) >> 13
  }
  for (let n = 80_000; n < 100_000; n++) all[n] = (2 * random() - 1) * 32_767
  for (let n = 100_000; n < 120_000; n++) all[n] = n % 37 < 18 ? 32_767 : -32_768
  return all
}

describe('G.722', () => {
  it('codes two samples at 16 kHz into a byte', () => {
    expect(encode(new Int16Array(320))).toHaveLength(160)
    expect(decode(new Uint8Array(160))).toHaveLength(320)
  })

  // Both codes were compared with what an independent encoder (libspandsp 2.0) makes of the same samples.
  it('gives the code of the recommendation for a known beginning', () => {
    expect(Buffer.from(encode(tone(1000, 32, { rateHz: 16_000 }))).toString('hex')).toBe(
      'fa9425882191a0a060afc8c6d1def0eb',
    )
    expect(Buffer.from(encode(new Int16Array(16))).toString('hex')).toBe('fafafafafafafafa')
  })

  it('gives the same code and the same sound bit for bit, everywhere', () => {
    const code = encode(everything())
    expect(sha256(code)).toBe('fbce758792e926e2a1ddfedb44de3103e87b6d40b4c2bbc372a686d14fe42bf9')
    expect(sha256(new Uint8Array(decode(code).buffer))).toBe(
      'd00210e4249722a3d5e893d5c7026c5d041cd4853b0f343779e858dd4d606a9b',
    )
  })

  it.each([
    [300, 55],
    [1000, 45],
    [3000, 39],
    [5000, 20],
    [6500, 23],
  ])('carries %i Hz at %i dB above its noise and more', (hz, least) => {
    const sound = tone(hz, 16_000, { rateHz: 16_000 })
    expect(snr(sound, decode(encode(sound)))).toBeGreaterThan(least)
  })

  it('carries speech 36 dB above its noise and more', () => {
    const speech = resample(jfk(), 8000, 16_000)
    expect(snr(speech, decode(encode(speech)))).toBeGreaterThan(36)
  })

  it('gives the same in packets of any length', () => {
    const speech = resample(jfk().subarray(0, 16_000), 8000, 16_000)
    const code = encode(speech, 320)
    for (const ms of [10, 30, 60]) expect(encode(speech, ms * 16)).toEqual(code)
    expect(decode(code, 80)).toEqual(decode(code, 480))
  })

  it('clips what is too loud instead of wrapping round', () => {
    const square = Int16Array.from({ length: 3200 }, (_, n) => (n % 80 < 40 ? 32_767 : -32_768))
    const sound = decode(encode(square))
    for (let n = 800; n < 3000; n++) {
      const middle = n % 80 > 12 && n % 80 < 28
      if (middle) expect(sound[n + DELAY]).toBeGreaterThan(20_000)
    }
  })

  it('finds its way back after packets were lost', () => {
    const sound = tone(700, 32_000, { rateHz: 16_000 })
    const code = encode(sound)
    const decoder = new G722Decoder()
    const heard: number[] = []
    for (let n = 0; n < 100; n++)
      if (n % 20 !== 10) heard.push(...decoder.decode(code.subarray(n * 160, n * 160 + 160)))
    const tail = Int16Array.from(heard.slice(-2000))
    expect(amplitudeAt(tail, 700, 16_000)).toBeGreaterThan(7500)
  })

  it('makes sound of any bytes, and never throws', () => {
    const random = randomSource(3)
    const decoder = new G722Decoder()
    for (let n = 0; n < 2000; n++) {
      const bytes = Uint8Array.from({ length: random() * 300 }, () => random() * 256)
      expect(decoder.decode(bytes)).toHaveLength(bytes.length * 2)
    }
  })
})
