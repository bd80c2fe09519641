import { describe, expect, it } from 'vitest'
import { tone } from '../../../test/kit/tones.ts'
import { rms } from '../../core/pcm.ts'
import { EarsTimeline } from './ears-timeline.ts'

const speech = (from = 0) => tone(500, 160, { from })
const quiet = new Int16Array(160)

function setup() {
  const frames: Int16Array[] = []
  const timeline = new EarsTimeline(
    8000,
    (samples) => frames.push(samples.slice()),
    (count) => Int16Array.from(frames.slice(-4).flatMap((frame) => [...frame])).slice(-count),
  )
  timeline.start(0)
  const written = () => frames.reduce((sum, frame) => sum + frame.length, 0)
  const behindMs = (now: number) => now - written() / 8
  return { timeline, frames, written, behindMs }
}

describe('EarsTimeline', () => {
  it('appends sound at once', () => {
    const { timeline, frames } = setup()
    timeline.sound(speech(), 20)
    expect(frames).toEqual([speech()])
  })

  it('stays within 80 ms of real time while nothing comes, and has only silence then', () => {
    const { timeline, frames, behindMs } = setup()
    for (let now = 20; now <= 5000; now += 20) {
      timeline.tick(now)
      expect(behindMs(now)).toBeGreaterThanOrEqual(0)
      expect(behindMs(now)).toBeLessThanOrEqual(80)
    }
    expect(frames.every((frame) => rms(frame) === 0)).toBe(true)
  })

  it('puts nothing between packets that jitter by 50 ms', () => {
    const { timeline, frames } = setup()
    for (let n = 1; n < 200; n++) {
      const now = 20 * n + (n % 5 === 0 ? 35 : 0)
      timeline.sound(speech(n * 160), now)
      timeline.tick(now + 1)
    }
    expect(frames).toHaveLength(199)
    frames.forEach((frame, n) => {
      expect(frame).toEqual(speech((n + 1) * 160))
    })
  })

  it('does not take packets of 60 ms for starvation', () => {
    const { timeline, written } = setup()
    for (let now = 60; now <= 6000; now += 60) {
      timeline.sound(tone(500, 480), now)
      for (let at = 20; at < 60; at += 20) timeline.tick(now + at)
    }
    expect(written()).toBe(48_000)
  })

  it('keeps every sample of speech that was held up, and takes the lead back in quiet', () => {
    const { timeline, frames, behindMs } = setup()
    for (let now = 20; now <= 200; now += 20) timeline.sound(speech(), now)
    for (let now = 220; now <= 500; now += 20) timeline.tick(now)
    for (let n = 0; n < 15; n++) timeline.sound(speech(), 500)
    expect(frames.filter((frame) => rms(frame) > 1000)).toHaveLength(25)
    expect(behindMs(500)).toBeLessThan(-200)
    for (let now = 520; now <= 1100; now += 20) timeline.sound(quiet, now)
    expect(behindMs(1100)).toBeGreaterThan(-61)
  })

  it('follows a sender whose clock is slower or faster, in quiet', () => {
    for (const interval of [20.4, 19.6]) {
      const { timeline, behindMs } = setup()
      let now = 0
      for (let n = 0; n < 3000; n++) {
        now += interval
        timeline.sound(n % 100 < 50 ? speech() : quiet, now)
        timeline.tick(now)
      }
      expect(Math.abs(behindMs(now))).toBeLessThan(85)
    }
  })

  it('is not driven away by a peer that sends ten times too fast', () => {
    const { timeline, behindMs } = setup()
    for (let now = 2; now < 20_000; now += 2) timeline.sound(speech(), now)
    expect(behindMs(20_000)).toBeGreaterThan(-530)
  })

  it('fills a loss with fading sound, less the silence that starvation has put there', () => {
    const { timeline, frames } = setup()
    timeline.sound(speech(), 20)
    timeline.gap(320, true, 80)
    expect(frames).toHaveLength(3)
    expect(rms(frames[1] as Int16Array)).toBeGreaterThan(3000)
    expect(rms(frames[2] as Int16Array)).toBeLessThan(rms(frames[1] as Int16Array))
    timeline.sound(speech(), 80)
    for (let now = 100; now <= 280; now += 20) timeline.tick(now)
    const before = frames.length
    timeline.gap(1600, true, 300)
    expect((frames.length - before) * 20).toBeLessThanOrEqual(60)
  })

  it('does not believe in a loss of minutes', () => {
    const { timeline, written } = setup()
    timeline.sound(speech(), 20)
    timeline.gap(8000 * 60, true, 40)
    expect(written()).toBeLessThanOrEqual(160 + 800)
    timeline.gap(8000 * 60, false, 140)
    expect(written()).toBeLessThanOrEqual(160 + 160 + 800)
  })
})
