import { describe, expect, it } from 'vitest'
import type { WhisperSettings } from './settings.ts'
import { guessedInstead, heardLanguage, startTokens } from './start-tokens.ts'

const tokens = {
  start: 1,
  end: 2,
  noTimestamps: 9,
  noSpeech: 8,
  transcribe: 7,
  previous: 6,
  forced: new Map<number, number>(),
  languages: new Map([
    ['en', 3],
    ['de', 4],
    ['no', 5],
  ]),
  suppressed: [],
  suppressedFirst: [],
}
const english = { languages: new Map<string, number>() }

function setup(change: object = {}): WhisperSettings {
  return { tokens: { ...tokens, ...change }, targetPositions: 12 } as unknown as WhisperSettings
}

describe('the language that is heard', () => {
  it.each(['de', 'de-AT', 'DE_de', ' de '])('is the one of the tag: %s', (tag) => {
    expect(heardLanguage(tag, setup())).toEqual({ code: 'de', fallback: null })
  })

  it("goes by the model's own name for it", () => {
    expect(heardLanguage('nb-NO', setup())).toEqual({ code: 'no', fallback: null })
  })

  it.each([undefined, '', 'und', 'xx', 'tlh-Latn'])('is guessed for %s', (tag) => {
    expect(heardLanguage(tag, setup())).toBe('guess')
  })

  it('is told to be guessed only where one was asked for', () => {
    expect(guessedInstead('xx')).toMatch(/does not know 'xx': it guesses/)
    expect(guessedInstead(undefined)).toBeNull()
    expect(guessedInstead('und')).toBeNull()
  })

  it('is English for a model that knows no other, which says so', () => {
    expect(heardLanguage('en-GB', setup(english))).toEqual({ code: null, fallback: null })
    expect(heardLanguage(undefined, setup(english))).toEqual({ code: null, fallback: null })
    expect(heardLanguage('fr', setup(english))).toEqual({
      code: null,
      fallback: expect.stringContaining("'fr' is heard as English"),
    })
  })
})

describe('what the decoder is told first', () => {
  it('is start and no timestamps for an English-only model', () => {
    expect(startTokens(setup(english), { code: null, previous: [] })).toEqual({
      tokens: [1, 9],
      startAt: 0,
    })
  })

  it('names language and task for one that knows several', () => {
    expect(startTokens(setup(), { code: 'de', previous: [] }).tokens).toEqual([1, 4, 7, 9])
  })

  it('holds what the model forces where nothing else is said', () => {
    const forced = new Map([
      [1, 20],
      [2, 21],
      [3, 9],
      [4, 22],
    ])
    expect(startTokens(setup({ forced }), { code: 'de', previous: [] }).tokens).toEqual([
      1, 4, 7, 9, 22,
    ])
    const once = new Map([[1, 9]])
    expect(startTokens(setup({ ...english, forced: once }), { code: null, previous: [] })).toEqual({
      tokens: [1, 9],
      startAt: 0,
    })
  })

  it('begins with the end of what was said earlier, at most half of its places', () => {
    const previous = [30, 31, 32, 33, 34, 35, 36]
    expect(startTokens(setup(), { code: 'en', previous })).toEqual({
      tokens: [6, 32, 33, 34, 35, 36, 1, 3, 7, 9],
      startAt: 6,
    })
    const none = setup({ previous: undefined })
    expect(startTokens(none, { code: 'en', previous }).tokens).toEqual([1, 3, 7, 9])
  })
})
