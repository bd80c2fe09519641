import { describe, expect, it } from 'vitest'
import { toSpeakable } from './speakable.ts'

describe('speakable text', () => {
  it.each([
    ["That's $18.50, please.", "That's 18 dollars and 50 cents, please."],
    ['$1 or £2.20 or €3', '1 dollar or 2 pounds and 20 pence or 3 euros'],
    ['$1,200 and $0.99', '1200 dollars and 99 cents'],
    ['$3.5 million', '3.5 million dollars'],
  ])('says money: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each([
    ['See you at 7pm.', 'See you at 7 p m.'],
    ['at 7:30 p.m. today', 'at 7 30 p m today'],
    ['At 7 P.M. Thanks.', 'At 7 p m. Thanks.'],
    ['7:05 am, 7:00, 19:30', "7 oh 5 a m, 7 o'clock, 19 30"],
    ['I am 5', 'I am 5'],
    ['on 2026-03-20', 'on March 20, 2026'],
  ])('says times and dates: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each([
    [
      'Call +1 (555) 123-4567.',
      'Call plus one, five five five, one two three, four five six seven.',
    ],
    ['+15551234567', 'plus one, five five five, one two three, four five six seven'],
    ['555-123-4567', 'five five five, one two three, four five six seven'],
    ['order 1234567', 'order one two three, four five six seven'],
    ['1,234,567 people', '1,234,567 people'],
    ['3.14159265', '3.14159265'],
  ])('says telephone and long numbers digit by digit, others not: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each([
    ['joe.smith@example.com!', 'joe dot smith at example dot com!'],
    ['See https://www.example.com/menu?x=1.', 'See www dot example dot com.'],
  ])('says addresses: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each([
    ['**Bold**, _italic_ and `code`', 'Bold, italic and code'],
    ['# Menu\n- one\n- two\n\nDone.', 'Menu. one. two. Done.'],
    ['1. first\n2) second', '1, first. 2, second'],
    ['[the menu](http://x.y/z)', 'the menu'],
    ['a_b 5 * 3', 'a b 5 3'],
  ])('leaves out Markdown: %j', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each([
    ['50% off & more', '50 percent off and more'],
    ['#427, 20°C', 'number 427, 20 degrees Celsius'],
    ['café “naïve” it’s', "cafe naive it's"],
    ['well—yes, 5–7', 'well, yes, 5 to 7'],
    ['wait… what?!', 'wait. what?'],
    ['Great 👍🏽 thanks!', 'Great thanks!'],
    ['<b>hi</b>', 'b hi b'],
  ])('says symbols, or leaves them out: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it.each(['', ' ', '...', '-', '😀👍', '\u0000\u0007', '你好', '$'])('is empty for %j', (text) => {
    expect(toSpeakable(text)).toBe('')
  })
})
