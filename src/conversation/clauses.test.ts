import { describe, expect, it } from 'vitest'
import { clausesOf, createClauses } from './clauses.ts'

/** What comes out when text comes in word by word, with what each word completed. */
function stream(text: string): string[] {
  const clauses = createClauses()
  const words = text.match(/\s*\S+/g) ?? []
  return [...words.flatMap((word) => clauses.push(word)), ...clauses.flush()]
}

describe('clauses', () => {
  it('gives the first clause as soon as it is complete, then whole sentences', () => {
    expect(stream('Yes, of course, I can wait. Take your time, please. Bye.')).toEqual([
      'Yes, of course,',
      'I can wait.',
      'Take your time, please.',
      'Bye.',
    ])
  })

  it('does not wait for punctuation for ever', () => {
    const first = stream('one two three four five six seven eight nine ten eleven twelve thirteen')
    expect(first[0]?.split(' ')).toHaveLength(12)
    const long = stream(`Hello there. ${'word '.repeat(200)}`)
    expect(long.every((piece) => piece.length <= 220)).toBe(true)
    expect(long.join(' ').split(' ')).toHaveLength(202)
  })

  it('does not end a sentence in an abbreviation or a price', () => {
    expect(stream('Ask Mr. Smith about $18.50 at 7 p.m. on Friday. Thanks.')).toEqual([
      'Ask Mr. Smith about $18.50 at 7 p.m. on Friday.',
      'Thanks.',
    ])
  })

  it('gives nothing to say for what a voice cannot say', () => {
    expect(
      clausesOf('**Sure!** [laughs] See [our menu](https://x.test). 😀\n- First item'),
    ).toEqual(['Sure!', 'See our menu.', 'First item'])
    expect(clausesOf(' … \n --- 😀')).toEqual([])
  })

  it('says the same in whatever pieces the text comes', () => {
    const text = 'Hello there. I would like a table, for two, at 7.30 p.m. today! Is that fine?'
    const byLetter = createClauses()
    const letters = [...text].flatMap((letter) => byLetter.push(letter))
    expect([...letters, ...byLetter.flush()].join(' ')).toBe(stream(text).join(' '))
  })
})
