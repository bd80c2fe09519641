import { describe, expect, it } from 'vitest'
import { GERMAN } from './turn-words-de.ts'
import { ENGLISH } from './turn-words-en.ts'
import { SPANISH } from './turn-words-es.ts'
import { FRENCH } from './turn-words-fr.ts'
import { leadsOn, turnWordsOf } from './unfinished.ts'

const list = (text: string): string[] => text.split(' ')

describe('the language of a text', () => {
  it.each([
    ['i would like to come in on thursday', ENGLISH],
    ['um', ENGLISH],
    ['no', ENGLISH],
    ['pepperoni', ENGLISH],
    ['ich rufe wegen der rechnung an', GERMAN],
    ['je vous appelle pour la facture', FRENCH],
    ['llamo por la factura', SPANISH],
  ])('is told by its common words: %j', (text, language) => {
    expect(turnWordsOf(list(text))).toBe(language)
  })
})

describe('words alone', () => {
  it.each([
    'we could do it on the',
    'we have a very large',
    'it has two small',
    'i was hoping that you',
    'i wanted to ask',
    'if it rains',
    "he lives in the neighbour's or his brother's or",
  ])('want more: %j', (text) => {
    expect(leadsOn(list(text), ENGLISH)).toBe(true)
  })

  it.each([
    'the room was large',
    'we have a very large garden',
    'if it rains i stay at home that day',
  ])('may be all: %j', (text) => {
    expect(leadsOn(list(text), ENGLISH)).toBe(false)
  })
})
