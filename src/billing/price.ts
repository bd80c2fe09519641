import { longestPrefix } from '../core/phone-number.ts'

export interface Rates {
  centsPerMinute: number
  /** The longest prefix wins over `centsPerMinute`. */
  byPrefix: readonly { prefix: string; centsPerMinute: number }[]
}

/** Cents per minute for a number. */
export function rateFor(number: string, rates: Rates): number {
  const prefix = longestPrefix(
    number,
    rates.byPrefix.map((rate) => rate.prefix),
  )
  const rate = rates.byPrefix.find((candidate) => candidate.prefix === prefix)
  return rate?.centsPerMinute ?? rates.centsPerMinute
}
