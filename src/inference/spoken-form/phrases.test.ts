import { describe, expect, it } from 'vitest'
import { toPhrases } from './phrases.ts'

describe('phrases', () => {
  it('begin with the first clause of four words or more', () => {
    expect(toPhrases('Well, I think so, yes, we can do that. Thank you, bye.')).toEqual([
      'Well, I think so,',
      'yes, we can do that.',
      'Thank you, bye.',
    ])
  })

  it('end at sentences, however short', () => {
    expect(toPhrases('Sure. What size would you like? Okay!')).toEqual([
      'Sure.',
      'What size would you like?',
      'Okay!',
    ])
  })

  it('do not leave a single word behind', () => {
    expect(toPhrases("I'd like a large pepperoni, please.")).toEqual([
      "I'd like a large pepperoni, please.",
    ])
  })

  it('do not end at a title or, before a small letter, at a short form', () => {
    expect(toPhrases('Dr. Smith is on Main St. today. At 7 p.m. too.')).toEqual([
      'Dr. Smith is on Main St. today.',
      'At 7 p.m. too.',
    ])
  })

  it('are never longer than 240 characters, and lose nothing', () => {
    const text = `${'word '.repeat(100)}and, ${'more '.repeat(60)}${'x'.repeat(500)}`
    const phrases = toPhrases(text)
    expect(Math.max(...phrases.map(({ length }) => length))).toBeLessThanOrEqual(240)
    expect(phrases.join('').replace(/ /g, '')).toBe(text.replace(/ /g, ''))
  })

  it('are none for no text', () => {
    expect(toPhrases('  ')).toEqual([])
  })
})
