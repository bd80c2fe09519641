import { describe, expect, it } from 'vitest'
import { billableSeconds, costOf } from './money.ts'

describe('money', () => {
  it('rounds a begun second and a begun cent up', () => {
    expect(billableSeconds(1000, 1001)).toBe(1)
    expect(billableSeconds(1000, 46_000)).toBe(45)
    expect(costOf(45, 56)).toBe(42)
    expect(costOf(1, 1)).toBe(1)
    expect(costOf(61, 60)).toBe(61)
  })

  it('charges nothing for a call that was never answered', () => {
    expect(billableSeconds(null, 90_000)).toBe(0)
    expect(costOf(0, 100)).toBe(0)
  })
})
