import { describe, expect, it } from 'vitest'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { Recogniser } from '../conversation/ports.ts'
import { Ring } from '../core/ring.ts'
import { expecting } from './expected-words.ts'

describe('expected words', () => {
  it('go with each request that brings none of its own', async () => {
    const { recogniser } = createFakeEngines({ clock: new SimClock(), hear: () => '' })
    const asked: (string | undefined)[] = []
    const listener: Recogniser = {
      ...recogniser,
      async recognise({ prompt }) {
        asked.push(prompt)
        return { text: '', noSpeech: 0 }
      },
    }
    const { signal } = new AbortController()
    const o = { ears: Ring.create(8000, 1), from: 0, to: 0, signal }
    await expecting(listener, 'Lindau').recognise(o)
    await expecting(listener, 'Lindau').recognise({ ...o, prompt: 'Bregenz' })
    expect(asked).toEqual(['Lindau', 'Bregenz'])
  })
})
