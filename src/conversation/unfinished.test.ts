import { describe, expect, it } from 'vitest'
import { completeness, NO_CONTEXT, stopsAfter } from './turn-detector.ts'
import { turnWordsOf } from './unfinished.ts'

/** As a recogniser without stops and capitals writes. */
const bare = (text: string) => completeness(text, { ...NO_CONTEXT, stops: 'none' })

describe('words that lead on', () => {
  it.each([
    'i want to order the',
    'the name is',
    'we have a very large',
    'could you call my new',
    'if you come tomorrow',
    'ich möchte gerne einen',
    'wir haben den tisch für',
    'wenn sie morgen kommen',
    'je voudrais réserver une',
    'nous avons une table pour',
    'quisiera pedir una',
    'tengo una reserva para',
  ])('%j is waited for', (text) => {
    expect(bare(text)).toBe('incomplete')
  })

  it.each(['no thanks', 'nein danke', 'non merci', 'no gracias'])('%j is an answer', (text) => {
    expect(['likely', 'complete']).toContain(bare(text))
  })

  it.each(['um', 'äh', 'euh', 'eh'])('%j is thinking', (text) => {
    expect(completeness(text)).toBe('thinking')
  })
})

describe('the language of a text', () => {
  it.each([
    ['i have a table for two', 'and'],
    ['ich habe einen tisch für zwei', 'und'],
    ["j'ai une table pour deux", 'et'],
    ['tengo una mesa para dos', 'y'],
    ['xyzzy', 'and'],
  ])('of %j is told by its words', (text, and) => {
    expect(turnWordsOf(text.split(' ')).never.has(and)).toBe(true)
  })
})

describe('what is known of full stops', () => {
  it('grows with the turns', () => {
    expect(stopsAfter('unknown', 'I am here.')).toBe('meant')
    expect(stopsAfter('unknown', 'i am here')).toBe('none')
    expect(stopsAfter('meant', 'i am here')).toBe('meant')
    expect(stopsAfter('none', 'I am here.')).toBe('meant')
    expect(stopsAfter('meant', 'I would like a.')).toBe('stray')
    expect(stopsAfter('stray', 'I am here.')).toBe('stray')
  })

  it('makes what ends without one unfinished where they are meant', () => {
    const text = 'I have a table for two people on Sunday'
    expect(completeness(text, { ...NO_CONTEXT, stops: 'meant' })).toBe('incomplete')
    expect(completeness(text, { ...NO_CONTEXT, stops: 'none' })).not.toBe('incomplete')
  })
})
