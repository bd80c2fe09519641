import { describe, expect, it } from 'vitest'
import { rateFor } from './price.ts'

describe('price', () => {
  const rates = {
    centsPerMinute: 1,
    byPrefix: [
      { prefix: '+44', centsPerMinute: 3 },
      { prefix: '+447', centsPerMinute: 9 },
    ],
  }

  it('takes the longest prefix, else the general rate', () => {
    expect(rateFor('+15551234567', rates)).toBe(1)
    expect(rateFor('+442071234567', rates)).toBe(3)
    expect(rateFor('+447911123456', rates)).toBe(9)
  })
})
