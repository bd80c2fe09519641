/** The stock lines of each voice and language that calls have had. */
import type { Clock } from '../core/clock.ts'
import type { Voice } from './ports.ts'
import { createStockLines, type StockLines } from './stock-lines.ts'

/** So many are kept, each some megabytes of sound; the one that was wanted longest ago goes. */
const MOST_KEPT = 8

export interface StockShelf {
  /** The lines of a key, kept for the next call with it. */
  linesOf(key: string, voice: Voice, language: string): StockLines
}

export function createStockShelf(o: { clock: Clock }): StockShelf {
  const kept = new Map<string, StockLines>()
  return {
    linesOf(key, voice, language) {
      const lines = kept.get(key) ?? createStockLines({ voice, clock: o.clock, language })
      kept.delete(key)
      kept.set(key, lines)
      const oldest = kept.keys().next().value
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
      return lines
    },
  }
}
