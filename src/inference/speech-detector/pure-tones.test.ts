import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { byTelephone, demoSentences, heardByTelephone, jfk } from '../../../test/kit/speech.ts'
import { tone } from '../../../test/kit/tones.ts'
import { PureTones, type Tone } from './pure-tones.ts'

function found(samples: Int16Array, step = 160, rateHz = 8000): Tone[] {
  const tones = new PureTones({ rateHz, at: 0 })
  const all: Tone[] = []
  for (let at = 0; at < samples.length; at += step)
    all.push(...tones.push(samples.subarray(at, at + step)))
  return all
}

/** Pieces of ms and Hz; 0 Hz is silence. */
function sequence(...pieces: [ms: number, hz: number, level?: number][]): Int16Array {
  return Int16Array.from(
    pieces.flatMap(([ms, hz, level = 0.5]) =>
      hz === 0 ? new Array<number>(ms * 8).fill(0) : [...tone(hz, ms * 8)].map((s) => s * level),
    ),
  )
}

function sum(a: Int16Array, b: Int16Array): Int16Array {
  return a.map((sample, i) => (sample + (b[i] ?? 0)) / 2)
}

describe('pure tones', () => {
  it.each([400, 440, 852, 1000, 1100, 1400, 2100])('of %i Hz are told when they are over', (hz) => {
    const [beep, ...more] = found(sequence([500, 0], [300, hz], [500, 0]))
    expect(more).toEqual([])
    expect(beep?.hz).toBeGreaterThan(hz - 5)
    expect(beep?.hz).toBeLessThan(hz + 5)
    expect(Math.abs((beep?.to ?? 0) - 800 * 8)).toBeLessThanOrEqual(160)
    expect((beep?.at ?? 0) - (beep?.to ?? 0)).toBeLessThanOrEqual(100 * 8)
  })

  it('are found in any pieces of sound, quiet ones, and ones that the telephone carried', () => {
    const samples = sequence([500, 0], [240, 1000, 0.03], [500, 0])
    expect(found(samples, 37)).toHaveLength(1)
    expect(found(byTelephone(sequence([500, 0], [400, 950, 0.1], [500, 0])))).toHaveLength(1)
  })

  it('of less than 180 ms are none', () => {
    expect(found(sequence([500, 0], [140, 1000], [500, 0]))).toEqual([])
  })

  it('with phase reversals are one', () => {
    const up = tone(2100, 450 * 8)
    const answer = [...up, ...up.map((s) => -s), ...up, ...up.map((s) => -s)]
    const samples = Int16Array.from([
      ...new Array<number>(4000).fill(0),
      ...answer,
      ...new Array<number>(4000).fill(0),
    ])
    const [only, ...more] = found(samples)
    expect(more).toEqual([])
    expect((only?.to ?? 0) - (only?.from ?? 0)).toBeGreaterThan(1700 * 8)
  })

  it('are not followed by a word or another note', () => {
    expect(
      found(sequence([500, 0], [300, 1000], [300, 660], [60, 800], [200, 590], [300, 523, 0.4])),
    ).toEqual([])
  })

  it.each([
    ['dial tone', 350, 440],
    ['busy', 480, 620],
    ['a key', 770, 1336],
  ])('are not two at once: %s', (_, low, high) => {
    const both = sum(
      sequence([500, 0], [500, low], [500, 0]),
      sequence([500, 0], [500, high], [500, 0]),
    )
    expect(found(both)).toEqual([])
  })

  it('are not in speech, nor in noise', () => {
    expect(found(jfk())).toEqual([])
    for (const sentence of demoSentences())
      expect(found(heardByTelephone(sentence.file))).toEqual([])
    const random = randomSource(3)
    expect(found(Int16Array.from({ length: 80_000 }, () => (random() - 0.5) * 8000))).toEqual([])
  })
})
