import { describe, expect, it } from 'vitest'
import { parsePattern, toWords } from './pattern.ts'

describe('a pattern', () => {
  it.each([
    ['size', 'What SIZE would you like?'],
    ['would like', 'What would you like to order?'],
    ['thank*', 'Thanks a lot.'],
    ['didnt hear', "I'm sorry, I didn't hear that."],
    ['7 pm', 'Is 7 p.m. okay?'],
    ['nice day | goodbye', 'Goodbye now'],
    ['/ready in \\d+/', 'It is Ready in 20 minutes'],
    ['/one|two/ | three', 'that makes three'],
  ])('%s matches "%s"', (pattern, line) => {
    expect(parsePattern(pattern)(line)).not.toBeNull()
  })

  it.each([
    ['size', 'The sizes are gone.'],
    ['like would', 'What would you like?'],
    ['no', 'I do not know'],
    ['thank*', 'A tank'],
  ])('%s does not match "%s"', (pattern, line) => {
    expect(parsePattern(pattern)(line)).toBeNull()
  })

  it('catches the named groups of an expression', () => {
    const pattern = parsePattern('/(?<day>monday|tuesday) at (?<time>\\w+)/')
    expect(pattern('On Tuesday at three, then.')).toEqual({ day: 'Tuesday', time: 'three' })
  })

  it.each([
    ['|', 'holds no word'],
    ['?!', 'holds no word'],
    ['/open', 'no regular expression'],
    ['/(/', 'not a valid regular expression'],
  ])('%s is refused: %s', (source, reason) => {
    expect(() => parsePattern(source)).toThrow(reason)
  })
})

describe('words', () => {
  it('are compared without case, punctuation and apostrophes', () => {
    expect(toWords("Who's there? At seven P.M., I'm Ünal!")).toEqual([
      'whos',
      'there',
      'at',
      'seven',
      'pm',
      'im',
      'ünal',
    ])
  })
})
