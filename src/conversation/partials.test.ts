import { describe, expect, it } from 'vitest'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { Ring } from '../core/ring.ts'
import { followSpeech } from './partials.ts'
import type { Recogniser } from './ports.ts'

/** Somebody who says a word each 250 ms. */
function setup(o: { recogniseMs?: number } = {}) {
  const clock = new SimClock()
  const engines = createFakeEngines({
    clock,
    hear: (from, to) =>
      'one two three four five six'
        .split(' ')
        .slice(0, (to - from) / 2000)
        .join(' '),
    ...o,
  })
  const ears = Ring.create(8000, 20)
  const asked: Parameters<Recogniser['recognise']>[0][] = []
  const recogniser: Recogniser = {
    ...engines.recogniser,
    recognise(request) {
      asked.push(request)
      return engines.recogniser.recognise(request)
    },
  }
  const texts: string[] = []
  const end = followSpeech(
    { recogniser, clock, language: 'de', prompt: 'Pizza' },
    { ears, from: 0, onText: (text) => void texts.push(text) },
  )
  const speak = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 20) {
      ears.write(new Int16Array(160))
      await clock.advance(20)
    }
  }
  return { clock, engines, asked, texts, end, speak }
}

describe('partial texts', () => {
  it('roll every half second, in language and words to be expected, each asked as partial', async () => {
    const { asked, texts, speak } = setup()
    await speak(1600)
    expect(texts).toEqual(['one two', 'one two three four', 'one two three four five six'])
    expect(asked[0]).toMatchObject({ from: 0, language: 'de', prompt: 'Pizza', partial: true })
  })

  it('are not told twice', async () => {
    const { texts, clock, speak } = setup()
    await speak(600)
    await clock.advance(3000)
    expect(texts).toEqual(['one two'])
  })

  it('wait for a slow recogniser', async () => {
    const { asked, clock } = setup({ recogniseMs: 2000 })
    await clock.advance(2400)
    expect(asked).toHaveLength(1)
    await clock.advance(200)
    expect(asked).toHaveLength(2)
  })

  it('go on after one that failed', async () => {
    const { engines, texts, speak } = setup()
    engines.broken.recogniser = true
    await speak(600)
    engines.broken.recogniser = false
    await speak(600)
    expect(texts).toEqual(['one two three four'])
  })

  it('end when told, and abort what is asked', async () => {
    const { asked, texts, end, clock } = setup({ recogniseMs: 100 })
    await clock.advance(550)
    end()
    expect(asked[0]?.signal.aborted).toBe(true)
    await clock.advance(5000)
    expect(asked).toHaveLength(1)
    expect(texts).toEqual([])
  })
})
