import { describe, expect, it } from 'vitest'
import { joinWindows } from './speech-model.ts'

describe('what the windows of a sound came to', () => {
  it('is one text, without those in which nobody spoke', () => {
    const parts = [
      { text: 'one', noSpeech: 0.1 },
      { text: '', noSpeech: 0.9 },
      { text: 'two', noSpeech: 0.2 },
    ]
    expect(joinWindows(parts)).toEqual({ text: 'one two', noSpeech: 0.1 })
  })

  it('is as sure as the part it is least sure of', () => {
    const parts = [
      { text: 'one', noSpeech: 0, logProbability: -0.2 },
      { text: 'two', noSpeech: 0, logProbability: -0.8 },
    ]
    expect(joinWindows(parts).logProbability).toBe(-0.8)
  })

  it('has an end, whatever a foreign vocabulary makes of the tokens', () => {
    const endless = { text: 'x'.repeat(1_000_000), noSpeech: 0 }
    expect(joinWindows([endless, endless]).text).toHaveLength(8000)
  })
})
