import { describe, expect, it } from 'vitest'
import { chooseVoice, type InstalledVoice } from './voice-choice.ts'

const voice = (id: string, language: string): InstalledVoice => ({
  id,
  engine: 'kokoro',
  language,
  name: id,
})
const VOICES = [voice('heart', 'en-US'), voice('emma', 'en-GB'), voice('siwis', 'fr-FR')]

describe('the voice of a call', () => {
  it.each([
    [
      { voice: null, language: null },
      { voice: 'heart', language: 'en-US' },
    ],
    [
      { voice: 'siwis', language: null },
      { voice: 'siwis', language: 'fr-FR' },
    ],
    [
      { voice: null, language: 'fr' },
      { voice: 'siwis', language: 'fr' },
    ],
    [
      { voice: null, language: 'en-gb' },
      { voice: 'emma', language: 'en-gb' },
    ],
    [
      { voice: null, language: 'en-AU' },
      { voice: 'heart', language: 'en-AU' },
    ],
    [
      { voice: 'emma', language: 'en-US' },
      { voice: 'emma', language: 'en-US' },
    ],
  ])('suits the wish %o', (wish, choice) => {
    expect(chooseVoice(VOICES, wish)).toEqual(choice)
  })

  it('of an engine that speaks everything takes any language', () => {
    const voices = [voice('alloy', 'mul')]
    expect(chooseVoice(voices, { voice: null, language: 'fi' })).toEqual({
      voice: 'alloy',
      language: 'fi',
    })
    expect(chooseVoice(voices, { voice: 'alloy', language: null })).toEqual({
      voice: 'alloy',
      language: null,
    })
  })

  it.each([
    [{ voice: 'nova', language: null }, /^voice must be one of .*heart, emma, siwis\.$/],
    [{ voice: 'heart', language: 'fr' }, 'voice: heart speaks en-US, not fr.'],
    [{ voice: null, language: 'de' }, /^language: no installed voice speaks de; .*fr-FR\.$/],
  ])('is refused for the wish %o, naming the field', (wish, refusal) => {
    const choice = chooseVoice(VOICES, wish)
    expect('refusal' in choice && choice.refusal).toMatch(refusal)
  })

  it('names a dozen of very many', () => {
    const many = Array.from({ length: 900 }, (_, i) => voice(`v${i}`, 'en-US'))
    const choice = chooseVoice(many, { voice: 'x', language: null })
    expect('refusal' in choice && choice.refusal).toMatch(/v11, and 888 more\.$/)
  })
})
