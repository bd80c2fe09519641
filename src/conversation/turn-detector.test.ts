import { describe, expect, it } from 'vitest'
import {
  COMMIT_SILENCE_MS,
  type Completeness,
  commitSilenceMs,
  completeness,
  isStrayStop,
  NO_CONTEXT,
  stopsAfter,
  stopWasDropped,
} from './turn-detector.ts'

const dictation = { ...NO_CONTEXT, asked: 'dictation' } as const

describe('endpointing by text', () => {
  it.each<[Completeness, string]>([
    ['complete', 'Sure.'],
    ['likely', 'okay'],
    ['complete', 'That will be twenty dollars.'],
    ['likely', 'what size would you like it to be today'],
    ['likely', 'we have a table for two by the window'],
    ['complete', 'thank you'],
    ['complete', 'that sounds good'],
    ['complete', 'I do not know who she is.'],
    ['complete', 'That is what I need.'],
    ['complete', 'He is not feeling well.'],
    ['complete', 'It takes a minute.'],
    ['complete', 'Let me see, I have the invoice here.'],
    ['unknown', 'Thank you'],
    ['unknown', 'Yes'],
    ['complete', 'No, that is all. Thanks!'],
    ['complete', 'Yes, it is.'],
    ['complete', "No, we can't."],
    ['complete', 'My colleague will help you with that.'],
    ['complete', 'We can do that.'],
    ['complete', 'No, I am afraid not.'],
    ['complete', 'Somebody has to let the technician in.'],
    ['incomplete', 'My colleague will help you with that'],
    ['unknown', 'I think that.'],
    ['incomplete', 'I think the.'],
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
    ['incomplete', 'we have a very big'],
    ['incomplete', 'can you'],
    ['incomplete', 'i would like to'],
    ['incomplete', 'can you please'],
    ['incomplete', 'if you come before noon'],
    ['incomplete', 'we would like to order'],
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
    ['unknown', '555 123 4567'],
    ['likely', '1600 Lincoln Boulevard.'],
    ['incomplete', 'oak lane'],
    ['dictating', 'S, m, i, t'],
    ['complete', 'bob at example dot com'],
    ['complete', "I don't have one."],
  ])('where something is dictated, takes for %s: %j', (kind, text) => {
    expect(completeness(text, dictation)).toBe(kind)
  })

  it.each<[Completeness, string]>([
    ['incomplete', 'ich möchte'],
    ['incomplete', 'wir hätten gern einen Tisch für'],
    ['incomplete', 'ich rufe an weil'],
    ['complete', 'Das weiß ich leider nicht.'],
    ['complete', 'Ich rufe später noch einmal an.'],
    ['thinking', 'einen Moment bitte'],
    ['incomplete', "je voudrais savoir si vous avez l'"],
    ['incomplete', 'on cherche une petite'],
    ['complete', 'Ça me va.'],
    ['complete', 'merci beaucoup'],
    ['thinking', 'Attendez.'],
    ['incomplete', 'llamo porque la'],
    ['incomplete', 'Necesito.'],
    ['complete', 'Todavía no.'],
    ['complete', 'muchas gracias'],
    ['thinking', 'Un momento, por favor.'],
  ])('in German, French and Spanish takes for %s: %j', (kind, text) => {
    expect(completeness(text)).toBe(kind)
  })

  it.each<[Completeness, string]>([
    ['unknown', 'Hello.'],
    ['unknown', 'Sure.'],
    ['incomplete', 'yes'],
    ['complete', 'No, thanks.'],
  ])('where more than yes or no is asked for, takes for %s: %j', (kind, text) => {
    expect(completeness(text, { ...NO_CONTEXT, asked: 'answer' })).toBe(kind)
  })

  it('does not trust a short word that answers nothing', () => {
    expect(completeness('Okay.', { ...NO_CONTEXT, asked: 'nothing' })).toBe('unknown')
  })

  it('is quick after a question or a sentence, and the more patient the less is finished', () => {
    const texts = ['Who is it?', 'Yes.', null, 'and', '555', 'um']
    expect(texts.map((text) => commitSilenceMs(text))).toEqual([300, 320, 700, 1200, 1500, 2500])
  })

  it('grows cautious, within limits, with each answer that came too early', () => {
    const after = (hasty: number) => commitSilenceMs('Yes.', { ...NO_CONTEXT, hasty })
    expect([0, 1, 3, 9].map(after)).toEqual([320, 470, 770, 770])
  })

  it('waits for a human who pauses long, and not so long for one who never does', () => {
    const by = (text: string, pauses: number[]) => commitSilenceMs(text, { ...NO_CONTEXT, pauses })
    const [open, unfinished] = ['the large pepperoni pizza', 'I would like to']
    expect(by(open, [300, 350, 400])).toBe(500)
    expect(by(open, [300, 350])).toBe(COMMIT_SILENCE_MS.unknown)
    expect(by(open, [300, 950])).toBe(1050)
    expect(by(unfinished, [1300])).toBe(1400)
    expect(by(unfinished, [300, 350, 400])).toBe(COMMIT_SILENCE_MS.incomplete)
    expect(by('A pizza.', [300, 950])).toBe(COMMIT_SILENCE_MS.complete)
  })

  it('does not go by the text of a recogniser that guesses', () => {
    const by = (chance: number | null) =>
      commitSilenceMs('Enjoy your time.', { ...NO_CONTEXT, unsure: true, chance })
    expect([null, 0.1, 0.9].map(by)).toEqual([1200, 1200, 850])
  })

  it('believes a model that hears the turn when it is sure, but not against somebody who counts', () => {
    const by = (text: string, chance: number) => commitSilenceMs(text, { ...NO_CONTEXT, chance })
    expect(by('the large pepperoni pizza', 0.9)).toBe(320)
    expect(by('I would like to', 0.9)).toBe(COMMIT_SILENCE_MS.unknown)
    expect(by('Yes.', 0.1)).toBe(COMMIT_SILENCE_MS.incomplete)
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
    expect(completeness('I would like a pizza.', context)).toBe('unknown')
    expect(completeness('I would like a big.', context)).toBe('incomplete')
    expect(completeness('What time?', context)).toBe('question')
  })
})

describe('what a recogniser does with full stops', () => {
  it('is known by how it wrote a turn that was over', () => {
    expect(stopsAfter('unknown', 'a large pizza please.')).toBe('meant')
    expect(stopsAfter('unknown', 'A large pizza please')).toBe('none')
    expect(stopsAfter('none', 'A large pizza.')).toBe('meant')
    expect(stopsAfter('meant', 'A large pizza')).toBe('meant')
    expect(stopsAfter('meant', 'I would like a.')).toBe('stray')
    expect(stopsAfter('stray', 'A large pizza.')).toBe('stray')
  })

  it('tells what a missing one means', () => {
    const text = 'We have a table for two by the window'
    expect(completeness(text, { ...NO_CONTEXT, stops: 'meant' })).toBe('incomplete')
    expect(completeness(text, { ...NO_CONTEXT, stops: 'unknown' })).toBe('incomplete')
    expect(completeness(text, { ...NO_CONTEXT, stops: 'none' })).toBe('likely')
    expect(completeness(text.toLowerCase(), { ...NO_CONTEXT, stops: 'meant' })).toBe('incomplete')
  })
})
