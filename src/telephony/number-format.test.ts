import { describe, expect, it } from 'vitest'
import { formatNumber, readNumber } from './number-format.ts'

describe('formatNumber', () => {
  it.each([
    ['+e164', '+4930123456', '+4930123456'],
    ['e164', '+4930123456', '4930123456'],
    ['national', '+4930123456', '030123456'],
    ['national', '+442071234567', '00442071234567'],
  ] as const)('writes %s %s as %s for a trunk in Germany', (format, number, written) => {
    expect(formatNumber(number, format, '+493099999')).toBe(written)
  })

  it.each([
    ['+15550001111', '+15551234567', '5551234567'],
    ['+15550001111', '+442071234567', '011442071234567'],
    ['+390612345678', '+390687654321', '0687654321'],
    ['+33123456789', '+33198765432', '0198765432'],
    ['+74951234567', '+74957654321', '84957654321'],
    ['+3612345678', '+3617654321', '0617654321'],
    ['+35312345678', '+35317654321', '017654321'],
  ])('dials from home %s to %s as %s', (home, number, written) => {
    expect(formatNumber(number, 'national', home)).toBe(written)
  })

  it('leaves the digits alone when no home is known', () => {
    expect(formatNumber('+4930123456', 'national')).toBe('4930123456')
  })
})

describe('readNumber', () => {
  it.each([
    ['+e164', '+493099999', '+4930123456'],
    ['e164', '+493099999', '+4930123456'],
    ['national', '+493099999', '+4930123456'],
    ['national', '+493099999', '+442071234567'],
    ['national', '+15550001111', '+15551234567'],
    ['national', '+15550001111', '+442071234567'],
    ['national', '+74951234567', '+74957654321'],
    ['national', '+390612345678', '+390687654321'],
  ] as const)('reads back what %s writes at %s of %s', (format, home, number) => {
    expect(readNumber(formatNumber(number, format, home), format, home)).toBe(number)
  })

  it('takes what is written with a plus for E.164 in every format, and blanks for nothing', () => {
    for (const format of ['+e164', 'e164', 'national'] as const)
      expect(readNumber('+49 (30) 123-456', format)).toBe('+4930123456')
    expect(readNumber('1-555-123-4567', 'national', '+15550001111')).toBe('+15551234567')
  })

  it.each([
    ['4930123456', '+e164'],
    ['00', 'e164'],
    ['110', 'e164'],
    ['bob', 'e164'],
    ['+12', '+e164'],
    ['', 'national'],
    ['30123456', 'national'],
  ] as const)('cannot tell %s in %s', (text, format) => {
    expect(readNumber(text, format, '+493099999')).toBeNull()
  })
})
