import { describe, expect, it } from 'vitest'
import { commitSilenceMs, completeness } from './turn-detector.ts'

describe('endpointing by text', () => {
  it.each([
    'Sure.',
    'Yes',
    'okay',
    'That will be twenty dollars.',
    'what size would you like',
    'Thank you',
    'No, that is all. Thanks!',
  ])('takes %j for a finished turn', (text) => {
    expect(completeness(text)).toBe('complete')
  })

  it.each(["Joe's Pizza, how can I help you?", 'Is it for 7?'])(
    'takes %j for a question',
    (text) => {
      expect(completeness(text)).toBe('question')
    },
  )

  it.each([
    'I would like to',
    'We have pepperoni and',
    'My number is five five five',
    'It is 555',
    'It is 555.',
    'um',
    'Well, let me see, uh...',
    'First,',
    'That is B as in boy, o, b',
    'We can do it on the',
  ])('waits longer after %j', (text) => {
    expect(completeness(text)).toBe('incomplete')
  })

  it('does not know about words without punctuation, nor about text that is not there yet', () => {
    expect(completeness('the large pepperoni pizza')).toBe('unknown')
    expect(completeness(null)).toBe('unknown')
  })

  it('is quick after a question, less so after a sentence, and patient after an unfinished one', () => {
    const texts = ['Who is it?', 'Yes.', null, 'and']
    expect(texts.map(commitSilenceMs)).toEqual([300, 500, 700, 1000])
  })
})
