import { describe, expect, it } from 'vitest'
import type { SpeechEvent } from '../../conversation/ports.ts'
import { Ring } from '../../core/ring.ts'
import { SpeechRuns } from './detector.ts'

const W = 256

function setup(o: { ring?: Ring; speechFrom?: number; lagSamples?: number } = {}) {
  const ring = o.ring ?? Ring.create(8000, 1)
  const runs = new SpeechRuns({
    windowSamples: W,
    at: 0,
    speechFrom: o.speechFrom ?? null,
    pauseIfArmed: (from, to) => ring.pauseIfArmed(from, to),
    lagSamples: o.lagSamples ?? 0,
  })
  const push = (...probabilities: number[]): SpeechEvent[] =>
    probabilities.flatMap((probability) => runs.push(probability))
  return { ring, runs, push }
}

describe('runs of speech', () => {
  it('begin with the first window at 0.5, from that window on', () => {
    const { push } = setup()
    expect(push(0.1, 0.49)).toEqual([])
    expect(push(0.5)).toEqual([{ type: 'speech_started', from: 2 * W, at: 3 * W }])
    expect(push(0.9, 0.9)).toEqual([])
  })

  it('begin sooner where it is loud besides', () => {
    const { runs } = setup()
    expect(runs.push(0.3)).toEqual([])
    expect(runs.push(0.24, true)).toEqual([])
    expect(runs.push(0.25, true)).toMatchObject([{ type: 'speech_started', from: 2 * W }])
  })

  it('tell where the voice ended, which a detector that lags reports late', () => {
    const { push } = setup({ lagSamples: 2 * W })
    push(0.9, 0.9, 0.9)
    expect(push(0.1, 0.1, 0.1)).toMatchObject([{ from: 0, to: 3 * W, ended: W }])
    push(0.9)
    expect(push(0.1, 0.1, 0.1)).toMatchObject([{ from: 6 * W, to: 7 * W, ended: 6 * W }])
  })

  it('pause with the third silent window, at the end of the last that held speech', () => {
    const { push } = setup()
    push(0.9, 0.9)
    expect(push(0.1, 0.1)).toEqual([])
    expect(push(0.1)).toEqual([
      { type: 'speech_paused', from: 0, to: 2 * W, ended: 2 * W, at: 5 * W },
    ])
    expect(push(0, 0, 0)).toEqual([])
  })

  it('do not pause while a window between stays at 0.35 or above', () => {
    const { push } = setup()
    push(0.9)
    expect(push(0.1, 0.1, 0.35, 0.34, 0.34)).toEqual([])
    expect(push(0.34)).toEqual([
      { type: 'speech_paused', from: 0, to: 4 * W, ended: 4 * W, at: 7 * W },
    ])
  })

  it('begin again after a pause', () => {
    const { push } = setup()
    push(0.9, 0, 0, 0)
    expect(push(0.6)).toEqual([{ type: 'speech_started', from: 4 * W, at: 5 * W }])
  })

  it('pause our sound once they last as long as the armed rule says, and tell it once', () => {
    const { ring, push } = setup()
    ring.arm({ minSpeech: 3 * W, graceUntil: 0, graceMinSpeech: 0 })
    expect(push(0.9, 0.9).map(({ type }) => type)).toEqual(['speech_started'])
    expect(ring.paused).toBe(false)
    expect(push(0.9)).toEqual([{ type: 'barge_in', from: 0, at: 3 * W }])
    expect(ring.paused).toBe(true)
    ring.arm({ minSpeech: W, graceUntil: 0, graceMinSpeech: 0 })
    expect(push(0.9, 0.9)).toEqual([])
    expect(push(0, 0, 0, 0.9).map(({ type }) => type)).toEqual([
      'speech_paused',
      'speech_started',
      'barge_in',
    ])
  })

  it('do not pause our sound by a silent window, nor unarmed', () => {
    const { ring, push } = setup()
    push(0.9, 0.9)
    ring.arm({ minSpeech: 3 * W, graceUntil: 0, graceMinSpeech: 0 })
    expect(push(0.1)).toEqual([])
    expect(ring.paused).toBe(false)
    ring.arm(null)
    expect(push(0.9, 0.9)).toEqual([])
  })

  it('go on from where another listener left off', () => {
    const { push } = setup({ speechFrom: -W })
    expect(push(0.9, 0, 0)).toEqual([])
    expect(push(0)).toEqual([{ type: 'speech_paused', from: -W, to: W, ended: W, at: 4 * W }])
  })
})
