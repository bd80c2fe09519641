import { describe, expect, it } from 'vitest'
import { directSchemas } from '../../test/kit/direct-schemas.ts'
import { placeCall } from '../../test/kit/fake-call.ts'
import { createFakeEngines } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { Brief } from '../calls/ports.ts'
import { silentLog } from '../core/log.ts'
import type { Engines } from './ports.ts'
import { lineText } from './stock-lines.ts'
import { createTalker } from './talker.ts'

const brief: Brief = {
  callId: 'c',
  instructions: 'Order a pizza.',
  firstMessage: 'Bonjour.',
  name: null,
  transferTo: null,
  voicemail: null,
  toNumber: '+15551234567',
  maxDurationSeconds: 600,
}

/** What the voice is asked for while a call is prepared, and what is logged. */
async function prepared(wish: Partial<Brief>, change: (engines: Engines) => Engines = (e) => e) {
  const clock = new SimClock()
  const engines = change(createFakeEngines({ clock, hear: () => '' }))
  const asked: Parameters<Engines['voice']['speak']>[0][] = []
  const warned: unknown[] = []
  const talker = createTalker({
    clock,
    log: { ...silentLog, warn: (_, fields) => void warned.push(fields) },
    engines: {
      ...engines,
      voice: {
        ...engines.voice,
        speak(o) {
          asked.push(o)
          return engines.voice.speak(o)
        },
      },
    },
    schemas: directSchemas,
    options: { timezone: 'UTC', llmTimeoutMs: 20_000, language: 'en' },
  })
  talker.prepare({ ...brief, ...wish })
  await clock.advance(20_000)
  const [first] = asked
  return { asked, first, warned, stock: asked.slice(1) }
}

describe('the voice of a call', () => {
  it.each([
    [{}, 'fake', 'en'],
    [{ voice: 'faux' }, 'faux', 'fr-FR'],
    [{ language: 'fr' }, 'faux', 'fr'],
    [{ language: 'en-GB' }, 'fake', 'en-GB'],
  ])('for %o is %s, speaking %s', async (wish, voice, language) => {
    expect((await prepared(wish)).first).toMatchObject({ voice, language })
  })

  it('says the stock lines in its language, after all that somebody waits for', async () => {
    const { first, stock } = await prepared({ voice: 'faux' })
    const texts = stock.map(({ text }) => text)
    expect(texts).toContain('Allô, vous êtes toujours là ?')
    expect(texts).not.toContain(lineText('ask_again'))
    expect(first?.ahead ?? false).toBe(false)
    expect(stock.every(({ ahead, voice }) => ahead === true && voice === 'faux')).toBe(true)
  })

  it('that is gone is replaced by one that is there, with a warning', async () => {
    const { first, warned } = await prepared({ voice: 'gone', language: 'en' })
    expect(first).toMatchObject({ voice: 'fake', language: 'en' })
    expect(warned).toMatchObject([
      { callId: 'c', reason: expect.stringContaining('voice must be') },
    ])
  })

  it('of an engine that speaks everything speaks the default language unless told', async () => {
    const everything = (engines: Engines): Engines => ({
      ...engines,
      voice: {
        ...engines.voice,
        voices: () => [{ id: 'alloy', engine: 'openai', language: 'mul', name: 'alloy' }],
      },
    })
    expect((await prepared({}, everything)).first).toMatchObject({ language: 'en' })
    expect((await prepared({ language: 'fi' }, everything)).first).toMatchObject({
      language: 'fi',
    })
  })
})

describe('the language of a call', () => {
  it('is told to the model and to the recogniser, and spoken by the stock lines', async () => {
    const call = await placeCall({
      brief: { language: 'fr', firstMessage: null },
      says: [{ at: 500, text: 'Allô?', ms: 600 }],
    })
    await call.run(30_000)
    expect(call.engines.asked[0]?.messages[0]?.content).toContain('Speak French.')
    expect(call.engines.heardAs[0]).toBe('fr')
    expect(call.sounds().map(({ text }) => text)).toContain('Vous êtes toujours là ?')
  })
})
