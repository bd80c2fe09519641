import { describe, expect, it } from 'vitest'
import { toSpokenForm } from './spoken-form.ts'

const toSpeakable = (text: string) => toSpokenForm(text, { language: 'en', englishLetters: true })

describe('the spoken form for an English voice', () => {
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

describe('the spoken form of English', () => {
  it.each([
    ['$20k or €2M', '20 thousand dollars or 2 million euros'],
    ['20 USD, EUR 5.50, 30 €', '20 dollars, 5 euros and 50 cents, 30 euros'],
    ['$5-10 a day, $30/month', '5 dollars to 10 dollars a day, 30 dollars per month'],
    ['3/20/2026', 'March 20, 2026'],
    ['31/12/26', 'December 31, 2026'],
    ['the 21st, 3rd and 40th', 'the twenty-first, third and fortieth'],
    ['Dr. Smith, 12 Main St., Apt 4', 'Doctor Smith, 12 Main Street, apartment 4'],
    ['St. John lives on Elm St. Call him.', 'Saint John lives on Elm Street. Call him.'],
    ['Bring fruit, e.g. apples, etc.', 'Bring fruit, for example apples, et cetera.'],
    ['No. 5, ext. 12', 'number 5, extension 12'],
    ['5 kg, 1 lb, 60 mph, 2 hrs', '5 kilograms, 1 pound, 60 miles per hour, 2 hours'],
    ['1/2 cup, 2 1/2 cups, 3/4', 'one half cup, 2 and a half cups, three quarters'],
    ['open 24/7, 10-12 guests, -5 degrees', 'open 24 7, 10 to 12 guests, minus 5 degrees'],
    ['Code QX7Z9 for COVID', 'Code Q X 7 Z 9 for COVID'],
    ['Visit example.com/menu today', 'Visit example dot com today'],
    ['I am in 5 minutes at no cost. No.', 'I am in 5 minutes at no cost. No.'],
  ])('says as people do: %s', (text, spoken) => {
    expect(toSpeakable(text)).toBe(spoken)
  })

  it('keeps the letters of a voice that knows more, and days before months in Britain', () => {
    const say = (text: string) => toSpokenForm(text, { language: 'en-GB', englishLetters: false })
    expect(say('café at 3/4/2026')).toBe('café at April 3, 2026')
  })
})

describe('the spoken form of other languages', () => {
  it.each([
    ['de', 'Das kostet 18,50 € um 19:30.', 'Das kostet 18 Euro 50 um 19 Uhr 30.'],
    ['de', 'Am 2026-03-20, 5–7 Leute, 20%', 'Am 20. März 2026, 5 bis 7 Leute, 20 Prozent'],
    ['de', '+49 30 1234567', '4 9, 3 0, 1 2 3 4 5 6 7'],
    ['fr', 'à 19:00 chez joe@example.fr', 'à 19 heures chez joe arobase example point fr'],
    ['es', '¿Cuesta €3.20?', '¿Cuesta 3 euros con 20?'],
    ['it', 'alle 8:15 & $5', 'alle 8 e 15 e 5 dollari'],
    ['sv', 'Den 2026-03-20 kl 19:30, 1,5', 'Den 20 mars 2026 kl 19:30, 1,5'],
    ['zh', '你好 42', '你好 42'],
  ])('does not break numbers: %s %s', (language, text, spoken) => {
    expect(toSpokenForm(text, { language, englishLetters: false })).toBe(spoken)
  })
})
