import { describe, expect, it } from 'vitest'
import { directSchemas } from '../../test/kit/direct-schemas.ts'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import { silentLog } from '../core/log.ts'
import { createTalker } from './talker.ts'

const brief = {
  callId: 'c',
  instructions: 'Order a pizza.',
  firstMessage: 'Hello, this is a test.',
  name: null,
  transferTo: null,
  voicemail: null,
  toNumber: '+15551234567',
  maxDurationSeconds: 600,
}

describe('what is said first', () => {
  it.each([
    [undefined, [8000]],
    [
      [16_000, 8000],
      [16_000, 8000],
    ],
  ])('is made while it rings, at each rate that the call may have (%o)', async (rates, made) => {
    const clock = new SimClock()
    const engines = createFakeEngines({ clock, hear: () => '' })
    const asked: { text: string; rateHz: number }[] = []
    const { voice } = engines
    const talker = createTalker({
      clock,
      log: silentLog,
      schemas: directSchemas,
      engines: {
        ...engines,
        voice: {
          ...voice,
          speak: (o) => {
            asked.push(o)
            return voice.speak(o)
          },
        },
      },
      options: { timezone: 'UTC', llmTimeoutMs: 20_000, language: 'en', ...(rates && { rates }) },
    })
    talker.prepare(brief)
    await clock.advance(20_000)
    const first = asked.filter(({ text }) => text === 'Hello, this is a test.')
    expect(first.map(({ rateHz }) => rateHz)).toEqual(made)
    const stock = asked.filter(({ text }) => text !== 'Hello, this is a test.')
    expect([...new Set(stock.map(({ rateHz }) => rateHz))]).toEqual(made)
  })
})
