import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { tone } from '../../../test/kit/tones.ts'
import type { SpeechEvent } from '../../conversation/ports.ts'
import { SpeechRuns } from './detector.ts'
import { Loudness } from './loudness.ts'

const ms = (samples: number): number => samples / 8

/** `ms` of a voice of this loudness (1: full scale is far away), under noise of `noise` steps. */
function sound(duration: number, level: number, noise = 4): Int16Array {
  const random = randomSource(7)
  return tone(300, duration * 8).map((sample) => sample * level + (random() - 0.5) * 2 * noise)
}

function setup() {
  const loudness = new Loudness({ rateHz: 8000, at: 0 })
  const runs = new SpeechRuns({
    windowSamples: 256,
    at: 0,
    speechFrom: null,
    pauseIfArmed: () => false,
  })
  return {
    loudness,
    runs,
    /** Hears packet by packet. */
    hear(samples: Int16Array): SpeechEvent[] {
      const events: SpeechEvent[] = []
      for (let at = 0; at < samples.length; at += 160) {
        loudness.push(samples.subarray(at, at + 160))
        events.push(...runs.listen(loudness, 8000))
      }
      return events
    },
  }
}

describe('loudness', () => {
  it('knows how long a voice has been quiet, to 10 ms', () => {
    const { loudness, hear } = setup()
    hear(sound(500, 0))
    hear(sound(1000, 0.5))
    expect(ms(loudness.quietFor)).toBe(0)
    hear(sound(80, 0))
    expect(Math.abs(ms(loudness.quietFor) - 80)).toBeLessThanOrEqual(10)
  })

  it('does not take a weak consonant for silence', () => {
    const { loudness, hear } = setup()
    hear(sound(500, 0))
    hear(sound(1000, 0.5))
    hear(sound(80, 0.5 * 0.1))
    expect(loudness.quietFor).toBe(0)
  })

  it('says nothing where noise comes near the voice', () => {
    const { loudness, hear } = setup()
    hear(sound(1000, 0, 2000))
    hear(sound(1000, 0.3, 2000))
    hear(sound(500, 0, 2000))
    expect(loudness.quietFor).toBe(0)
  })

  it('takes samples in any pieces', () => {
    const whole = setup()
    const pieces = setup()
    const samples = sound(333, 0.5)
    whole.loudness.push(samples)
    for (let at = 0; at < samples.length; at += 37)
      pieces.loudness.push(samples.subarray(at, at + 37))
    expect(pieces.loudness.quietFrom).toBe(whole.loudness.quietFrom)
    expect(pieces.loudness.heardTo).toBe(samples.length)
  })
})

describe('a run of speech in which the voice falls silent', () => {
  it('pauses after 60 ms, before the model knows, and once', () => {
    const { runs, hear } = setup()
    hear(sound(512, 0))
    for (let i = 0; i < 17; i++) runs.push(i < 16 ? 0 : 0.9)
    expect(hear(sound(400, 0.5))).toEqual([])
    const [paused, ...more] = hear(sound(100, 0))
    expect(paused).toMatchObject({ type: 'speech_paused', from: 16 * 256 })
    if (paused?.type !== 'speech_paused') throw new Error('no pause')
    expect(Math.abs(ms(paused.ended) - 912)).toBeLessThanOrEqual(10)
    expect(ms(paused.at - paused.ended)).toBeLessThanOrEqual(70)
    expect(more).toEqual([])
    expect([0, 0, 0].flatMap((probability) => runs.push(probability))).toEqual([])
  })

  it('goes on when the voice is back within it', () => {
    const { runs, hear } = setup()
    hear(sound(512, 0))
    for (let i = 0; i < 17; i++) runs.push(i < 16 ? 0 : 0.9)
    hear(sound(400, 0.5))
    hear(sound(100, 0))
    const [started] = hear(sound(40, 0.5))
    expect(started).toMatchObject({ type: 'speech_started' })
    expect(Math.abs(ms(started?.from ?? 0) - 1012)).toBeLessThanOrEqual(10)
  })
})
