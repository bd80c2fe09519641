import { describe, expect, it } from 'vitest'
import { formatNumber } from './number-format.ts'

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
