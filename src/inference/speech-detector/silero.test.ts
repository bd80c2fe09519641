import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { randomSource } from '../../../test/kit/seeded.ts'
import { demoSentences, heardByTelephone, jfk, sharedDataDir } from '../../../test/kit/speech.ts'
import { tone } from '../../../test/kit/tones.ts'
import type { SpeechEvent } from '../../conversation/ports.ts'
import { resample } from '../../core/resample.ts'
import { openRuntime, type Session } from '../onnx/runtime.ts'
import { SpeechRuns } from './detector.ts'
import { SileroStream, windowAt } from './silero.ts'

const WINDOW_SAMPLES = windowAt(8000)

let session: Session | undefined

function listen(samples: Int16Array, rateHz = 8000): { events: SpeechEvent[]; loudest: number } {
  session ??= openRuntime(sharedDataDir()).createSession(
    readFileSync(join(import.meta.dirname, '../../../models/silero_vad.onnx')),
  )
  const stream = new SileroStream(session, rateHz)
  const runs = new SpeechRuns({
    windowSamples: stream.windowSamples,
    at: 0,
    speechFrom: null,
    pauseIfArmed: () => false,
  })
  const events: SpeechEvent[] = []
  let loudest = 0
  const { windowSamples } = stream
  for (let at = 0; at + windowSamples <= samples.length; at += windowSamples) {
    const probability = stream.push(samples.subarray(at, at + windowSamples))
    loudest = Math.max(loudest, probability)
    events.push(...runs.push(probability))
  }
  return { events, loudest }
}

function behind(silence: number, speech: Int16Array): Int16Array {
  const all = new Int16Array(silence + speech.length + 8000)
  all.set(speech, silence)
  return all
}

/** Runs as [from, to] in seconds. */
function segments(events: readonly SpeechEvent[], rateHz = 8000): [number, number][] {
  return events.flatMap((event) =>
    event.type === 'speech_paused' ? [[event.from / rateHz, event.to / rateHz]] : [],
  ) as [number, number][]
}

const JFK = [
  [0.32, 2.24],
  [3.3, 3.84],
  [3.97, 4.42],
  [5.41, 7.65],
  [8.19, 10.53],
] as const

describe('Silero at 8 kHz', () => {
  it.each([0, 120])('finds the segments of recorded speech after %d s of silence', (seconds) => {
    const found = segments(listen(behind(seconds * 8000, jfk())).events)
    for (const [i, [from, to]] of JFK.entries()) {
      expect(Math.abs((found[i]?.[0] ?? 0) - seconds - from)).toBeLessThanOrEqual(0.064)
      expect(Math.abs((found[i]?.[1] ?? 0) - seconds - to)).toBeLessThanOrEqual(0.096)
    }
  })

  it('tells speech within one window of its beginning and a pause 96 ms after its end', () => {
    const { events } = listen(jfk())
    expect(events.length).toBeGreaterThan(8)
    for (const event of events)
      if (event.type === 'speech_started') expect(event.at - event.from).toBe(WINDOW_SAMPLES)
      else if (event.type === 'speech_paused') expect(event.at - event.to).toBe(3 * WINDOW_SAMPLES)
  })

  it('tells synthetic speech within 64 ms of its first loud sample, in the median of voices', () => {
    const late = demoSentences()
      .filter(({ kind }) => kind === 'held')
      .map(({ file }) => {
        const sound = behind(8000, heardByTelephone(file))
        const first = sound.findIndex((sample) => Math.abs(sample) > 400)
        return (listen(sound).events[0]?.from ?? 1e9) - first
      })
      .sort((a, b) => a - b)
    expect(late[late.length >> 1]).toBeLessThanOrEqual(0.064 * 8000)
    expect(late[0]).toBeGreaterThanOrEqual(-0.064 * 8000)
  })

  it('is as quick after seconds of digital silence, which no microphone makes', () => {
    const late = demoSentences()
      .filter(({ kind }) => kind === 'held')
      .map(({ file }) => {
        const speech = heardByTelephone(file)
        const second = speech.length + 8000 * 6
        const sound = new Int16Array(second + speech.length + 8000)
        sound.set(speech)
        sound.set(speech, second)
        const first = speech.findIndex((sample) => Math.abs(sample) > 400)
        const begun = listen(sound).events.find(
          ({ type, from }) => type === 'speech_started' && from > second - 800,
        )
        return ((begun?.from ?? 1e9) - second - first) / 8
      })
      .sort((a, b) => a - b)
    expect(late[late.length >> 1]).toBeLessThanOrEqual(32)
    expect(late[Math.floor(late.length * 0.9)]).toBeLessThanOrEqual(128)
  })

  const noise = (level: number): Int16Array => {
    const random = randomSource(level)
    return Int16Array.from({ length: 40_000 }, () => (random() - 0.5) * 2 * level)
  }
  const mix = (...tones: Int16Array[]): Int16Array =>
    (tones[0] as Int16Array).map((_, i) => tones.reduce((sum, each) => sum + (each[i] ?? 0) / 2, 0))
  it.each([
    ['silence', new Int16Array(40_000)],
    ['quiet noise', noise(50)],
    ['noise', noise(1000)],
    ['loud noise', noise(16_000)],
    ['a tone of 1 kHz', tone(1000, 40_000)],
    ['ring-back', mix(tone(440, 40_000), tone(480, 40_000))],
    ['a telephone key', mix(tone(770, 40_000), tone(1336, 40_000))],
  ])('hears no speech in %s', (_, samples) => {
    const { events, loudest } = listen(samples)
    expect(events).toEqual([])
    expect(loudest).toBeLessThan(0.35)
  })
})

describe('Silero at 16 kHz', () => {
  it('finds the same segments of recorded speech', () => {
    const wide = resample(behind(0, jfk()), 8000, 16_000)
    const found = segments(listen(wide, 16_000).events, 16_000)
    for (const [i, [from, to]] of JFK.entries()) {
      expect(Math.abs((found[i]?.[0] ?? 0) - from)).toBeLessThanOrEqual(0.1)
      expect(Math.abs((found[i]?.[1] ?? 0) - to)).toBeLessThanOrEqual(0.1)
    }
  })

  it('takes noise for none', () => {
    const random = randomSource(3)
    const noise = Int16Array.from({ length: 16_000 * 10 }, () => (2 * random() - 1) * 800)
    expect(listen(noise, 16_000).events).toEqual([])
  })
})
