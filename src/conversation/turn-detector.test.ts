import { describe, expect, it } from 'vitest'
import {
  type Completeness,
  commitSilenceMs,
  completeness,
  isStrayStop,
  NO_CONTEXT,
  stopWasDropped,
} from './turn-detector.ts'

const dictation = { ...NO_CONTEXT, asked: 'dictation' } as const

describe('endpointing by text', () => {
  it.each<[Completeness, string]>([
    ['complete', 'Sure.'],
    ['unknown', 'Yes'],
    ['likely', 'okay'],
    ['complete', 'That will be twenty dollars.'],
    ['unknown', 'what size would you like'],
    ['unknown', 'Thank you'],
    ['complete', 'No, that is all. Thanks!'],
    ['complete', 'Yes, it is.'],
    ['complete', "No, we can't."],
    ['complete', 'My colleague will help you with that.'],
    ['complete', 'We can do that.'],
    ['complete', 'No, I am afraid not.'],
    ['complete', 'Somebody has to let the technician in.'],
    ['incomplete', 'My colleague will help you with that'],
    ['unknown', 'I think that.'],
    ['unknown', 'We are not.'],
    ['complete', 'I will be there at seven.'],
    ['complete', 'A table for 2.'],
    ['question', "Joe's Pizza, how can I help you?"],
    ['question', 'Is it for 7?'],
    ['incomplete', 'I would like to'],
    ['incomplete', 'We have pepperoni and'],
    ['incomplete', 'First,'],
    ['incomplete', 'We can do it on the'],
    ['incomplete', 'I would like a.'],
    ['incomplete', 'I need'],
    ['incomplete', 'The problem is.'],
    ['incomplete', 'make it two'],
    ['incomplete', 'I would like a large pepperoni'],
    ['incomplete', 'What size would'],
    ['dictating', 'My number is five five five'],
    ['dictating', 'It is 555.'],
    ['dictating', 'That is B as in boy, o, b'],
    ['thinking', 'um'],
    ['thinking', 'Well, let me see, uh...'],
    ['thinking', 'Hold on.'],
    ['thinking', 'One moment, please.'],
    ['thinking', 'Yes, we are open. Let me check the schedule.'],
    ['complete', 'Let me check. We have an opening on Tuesday.'],
    ['question', 'Hold on a second. Is it Monday or Tuesday?'],
    ['unknown', 'the large pepperoni pizza'],
    ['unknown', 'We have pepperoni, mushrooms, sausage.'],
    ['unknown', ''],
  ])('takes for %s: %j', (kind, text) => {
    expect(completeness(text)).toBe(kind)
  })

  it.each<[Completeness, string]>([
    ['dictating', 'Sure.'],
    ['dictating', "It's 555."],
    ['dictating', '555 123'],
    ['incomplete', '555 123 45'],
    ['likely', '555 123 4567.'],
    ['dictating', 'S, m, i, t'],
    ['complete', 'bob at example dot com'],
    ['complete', "I don't have one."],
  ])('where something is dictated, takes for %s: %j', (kind, text) => {
    expect(completeness(text, dictation)).toBe(kind)
  })

  it('does not trust a short word that answers nothing', () => {
    expect(completeness('Okay.', { ...NO_CONTEXT, asked: 'nothing' })).toBe('unknown')
  })

  it('is quick after a question or a sentence, and the more patient the less is finished', () => {
    const texts = ['Who is it?', 'Yes.', null, 'and', '555', 'um']
    expect(texts.map((text) => commitSilenceMs(text))).toEqual([300, 320, 700, 1000, 1500, 2500])
  })

  it('grows cautious, within limits, with each answer that came too early', () => {
    const after = (hasty: number) => commitSilenceMs('Yes.', { ...NO_CONTEXT, hasty })
    expect([0, 1, 3, 9].map(after)).toEqual([320, 470, 770, 770])
  })

  it('does not go by the text of a recogniser that guesses', () => {
    const by = (chance: number | null) =>
      commitSilenceMs('Enjoy your time.', { ...NO_CONTEXT, unsure: true, chance })
    expect([null, 0.1, 0.9].map(by)).toEqual([1200, 1200, 850])
  })

  it('waits longer than the longest pause of somebody who pauses long', () => {
    const after = (pauses: number[]) => commitSilenceMs('the pizza', { ...NO_CONTEXT, pauses })
    expect([[], [400, 450, 500], [900, 1100, 1000], [5000]].map(after)).toEqual([
      850, 600, 1200, 1600,
    ])
  })

  it('believes a model that hears the turn when it is sure, but not against somebody who counts', () => {
    const by = (text: string, chance: number) => commitSilenceMs(text, { ...NO_CONTEXT, chance })
    expect(by('the large pepperoni pizza', 0.9)).toBe(320)
    expect(by('I would like to', 0.9)).toBe(850)
    expect(by('Yes.', 0.1)).toBe(1000)
    expect(by('Yes.', 0.5)).toBe(320)
    expect(by('555', 0.9)).toBe(1500)
  })
})

describe('a recogniser that puts a full stop after every piece', () => {
  it('is known by one where no sentence ends', () => {
    expect(isStrayStop('I would like a.')).toBe(true)
    expect(isStrayStop('I would like a pizza.')).toBe(false)
    expect(isStrayStop('Yes, it is.')).toBe(false)
    expect(isStrayStop('My colleague will help you with that.')).toBe(false)
    expect(isStrayStop('No, I am afraid not.')).toBe(false)
    expect(isStrayStop('I would like a')).toBe(false)
  })

  it('is known by one that is gone when more was said', () => {
    const before = 'I would like a pizza.'
    expect(stopWasDropped(before, 'I would like a pizza with olives.')).toBe(true)
    expect(stopWasDropped(before, 'I would like a pizza. With olives.')).toBe(false)
    expect(stopWasDropped(before, 'A pizza with olives.')).toBe(false)
    expect(stopWasDropped('And', 'And olives.')).toBe(false)
  })

  it('says nothing by it any more', () => {
    const context = { ...NO_CONTEXT, stops: 'stray' } as const
    expect(commitSilenceMs('I would like a pizza.', context)).toBe(850)
    expect(commitSilenceMs('What time?', context)).toBe(300)
  })
})
