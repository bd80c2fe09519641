import { describe, expect, it } from 'vitest'
import { directSchemas } from '../../test/kit/direct-schemas.ts'
import { createFakeEngines, type FakeReply } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { Turn } from '../calls/call.ts'
import { silentLog } from '../core/log.ts'
import { createTalker } from './talker.ts'

const brief = {
  callId: 'c',
  instructions: 'Order a pizza.',
  firstMessage: null,
  name: null,
  transferTo: null,
  voicemail: null,
  toNumber: '+15551234567',
  maxDurationSeconds: 600,
}
const turns: Turn[] = [
  { role: 'agent', text: 'A large pizza, please.', at: 1 },
  { role: 'human', text: 'It will be ready\nat seven.', at: 2 },
]
const FALLBACK =
  "The agent's last words: “A large pizza, please.” The human's last words: “It will be ready at seven.”"

function setup(reply: FakeReply) {
  const clock = new SimClock()
  const engines = createFakeEngines({ clock, hear: () => '', reply: () => reply })
  const talker = createTalker({
    clock,
    log: silentLog,
    engines,
    schemas: directSchemas,
    options: { timezone: 'UTC', llmTimeoutMs: 20_000, language: 'en' },
  })
  async function summarise(transcript: Turn[], signal = new AbortController().signal) {
    const begun = clock.now()
    let took = -1
    const summary = talker.summarise(brief, transcript, signal).finally(() => {
      took = clock.now() - begun
    })
    await clock.advance(20_000)
    return { summary: await summary, took }
  }
  return { engines, summarise }
}

describe('the summary of a call', () => {
  it("is the model's, asked without tools about the transcript alone", async () => {
    const { engines, summarise } = setup({ text: 'Ordered a large pizza,\nready at seven.' })
    expect((await summarise(turns)).summary).toBe('Ordered a large pizza, ready at seven.')
    const { messages, tools } = engines.asked[0] ?? {}
    expect(tools).toEqual([])
    expect(messages?.at(-1)?.role).toBe('user')
    expect(messages?.at(-1)?.content).toMatch(/^Summarise this call/)
    expect(messages?.at(-1)?.content).toContain('human: It will be ready at seven.')
  })

  it.each<[string, FakeReply]>([
    ['is away', { fails: 'at once' }],
    ['breaks off', { text: 'Ordered', fails: 'after the text' }],
    ['says nothing', { text: '' }],
    ['says garbage', { text: '{"%%": [0,0,0,0]} ### \u0000' }],
  ])('is made from the transcript when the model %s', async (_, reply) => {
    const { summarise } = setup(reply)
    expect((await summarise(turns)).summary).toBe(FALLBACK)
  })

  it('waits 8 s for the model and no longer', async () => {
    const { summarise } = setup({ text: 'Well,', hangs: true })
    const { summary, took } = await summarise(turns)
    expect(summary).toBe(FALLBACK)
    expect(took).toBe(8000)
  })

  it('does not wait once it is told to hurry', async () => {
    const { engines, summarise } = setup({ text: 'Ordered a large pizza.' })
    expect(await summarise(turns, AbortSignal.abort())).toEqual({ summary: FALLBACK, took: 0 })
    expect(engines.asked).toHaveLength(0)
  })

  it('invents nothing where nobody answered', async () => {
    const { engines, summarise } = setup({ text: 'They agreed on seven.' })
    expect((await summarise([])).summary).toBe('Nobody spoke.')
    const alone = await summarise([{ role: 'agent', text: 'Hello?', at: 1 }])
    expect(alone.summary).toBe('Only the agent spoke; its last words: “Hello?”')
    expect(engines.asked).toHaveLength(0)
  })

  it('is cut at a sentence when the model does not stop', async () => {
    const { summarise } = setup({ text: 'They said a lot of things. '.repeat(100) })
    const { summary } = await summarise(turns)
    expect(summary.length).toBeLessThanOrEqual(800)
    expect(summary.endsWith('things.')).toBe(true)
  })
})
