import { describe, expect, it } from 'vitest'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { createStockLines, lineText } from './stock-lines.ts'

const RATE_HZ = 8000

function setup() {
  const clock = new SimClock()
  const { voice, textOf, broken } = createFakeEngines({ clock, hear: () => '', firstClipMs: 100 })
  const stock = createStockLines({ voice, clock })
  const live = (): AbortSignal => new AbortController().signal
  return { clock, stock, broken, live, made: () => [...textOf.values()] }
}

describe('the stock lines', () => {
  it('are made once, also for calls that prepare at the same time', async () => {
    const { clock, stock, live, made } = setup()
    const calls = [1, 2, 3].map(() => stock.prepare(RATE_HZ, live()))
    await clock.advance(5000)
    await Promise.all(calls)
    expect(made().length).toBe(new Set(made()).size)
    expect(made()).toContain(lineText('ask'))
    expect(stock.ready('ask', RATE_HZ)).toHaveLength(1)
  })

  it('do not fail a call because another that was making them ended', async () => {
    const { clock, stock, live } = setup()
    const ended = new AbortController()
    const first = stock.make('ask', RATE_HZ, ended.signal).catch((error: Error) => error.name)
    const second = stock.make('ask', RATE_HZ, live())
    await clock.advance(50)
    ended.abort()
    await clock.advance(200)
    expect(await first).toBe('AbortError')
    expect(await second).toHaveLength(1)
  })

  it('that could not be made are tried again with the next call', async () => {
    const { clock, stock, live, broken } = setup()
    broken.voice = true
    const failed = stock.prepare(RATE_HZ, live())
    await clock.advance(5000)
    await failed
    expect(stock.ready('ask', RATE_HZ)).toBeNull()
    broken.voice = false
    void stock.prepare(RATE_HZ, live())
    await clock.advance(5000)
    expect(stock.ready('ask', RATE_HZ)).toHaveLength(1)
  })
})
