import { describe, expect, it } from 'vitest'
import { type Asked, askedFor } from './asked.ts'

describe('what the agent asks for', () => {
  it.each<[Asked, string]>([
    ['decision', 'Does seven work for you?'],
    ['decision', 'We have a table at eight. Would that be all right?'],
    ['decision', 'So you want two of them, right?'],
    ['decision', 'Passt Ihnen das, ja?'],
    ['answer', 'When would be a good time?'],
    ['answer', 'Is there anything else?'],
    ['answer', 'Could you tell me what happened?'],
    ['answer', 'Do you want the small one or the large one?'],
    ['dictation', 'May I have your phone number, please?'],
    ['dictation', 'Wie ist Ihre Telefonnummer?'],
    ['nothing', 'I will call back later.'],
  ])('is %s: %j', (kind, text) => {
    expect(askedFor(text)).toBe(kind)
  })
})
