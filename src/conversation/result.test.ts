import { describe, expect, it } from 'vitest'
import { directSchemas } from '../../test/kit/direct-schemas.ts'
import { createFakeEngines, type FakeReply } from '../../test/kit/fake-engines.ts'
import { SimClock } from '../../test/kit/sim-clock.ts'
import type { Turn } from '../calls/call.ts'
import { silentLog } from '../core/log.ts'
import { findResult } from './result.ts'

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
const schema = {
  type: 'object',
  properties: { size: { enum: ['small', 'large'] } },
  required: ['size'],
}

/** A model that gives these replies, one after the other. */
function setup(...replies: FakeReply[]) {
  const clock = new SimClock()
  const engines = createFakeEngines({ clock, hear: () => '', reply: () => replies.shift() ?? {} })
  async function find(transcript = turns, signal = new AbortController().signal) {
    const begun = clock.now()
    let took = -1
    const deps = { model: engines.model, schemas: directSchemas, clock, log: silentLog }
    const found = findResult(deps, brief, { schema, transcript, signal }).finally(() => {
      took = clock.now() - begun
    })
    await clock.advance(60_000)
    return { ...(await found), took }
  }
  return { engines, find }
}

const LARGE = { result: { size: 'large' }, error: null }

describe('the result of a call', () => {
  it('is JSON by the schema, asked of the model about the transcript', async () => {
    const { engines, find } = setup({ text: '{"size": "large"}' })
    expect(await find()).toMatchObject(LARGE)
    expect(engines.asked).toHaveLength(1)
    const { messages, tools, schema: sent } = engines.asked[0] ?? {}
    expect(tools).toEqual([])
    expect(sent).toBe(schema)
    expect(messages?.at(-1)?.content).toMatch(/^Report the result of this call/)
    expect(messages?.at(-1)?.content).toContain(JSON.stringify(schema))
    expect(messages?.at(-1)?.content).toContain('human: It will be ready at seven.')
  })

  it.each(['```json\n{"size": "large"}\n```', 'Here it is: {"size": "large"}. Anything else?'])(
    'is found among other words: %j',
    async (text) => {
      expect(await setup({ text }).find()).toMatchObject(LARGE)
    },
  )

  it.each(['Large.', '{"size": "lar', '{"size": "huge"}', '{}', '', '[]'])(
    'is asked for once more, with what was wrong, after %j',
    async (text) => {
      const { engines, find } = setup({ text }, { text: '{"size": "large"}' })
      expect(await find()).toMatchObject(LARGE)
      const repair = engines.asked[1]?.messages.slice(-2)
      expect(repair?.[0]).toEqual({ role: 'assistant', content: text })
      expect(repair?.[1]?.content).toMatch(/cannot be used: it is (no JSON|wrong)/)
    },
  )

  it('is none, with what is wrong, when the second answer does not fit either', async () => {
    const { engines, find } = setup({ text: '{}' }, { text: '{"size": "huge"}' }, { text: '{}' })
    const { result, error } = await find()
    expect(result).toBeNull()
    expect(error).toMatch(/^The language model's answer does not fit the schema: it .*\/size/)
    expect(engines.asked).toHaveLength(2)
  })

  it('is none when the model is away, and what is told names no server', async () => {
    expect(await setup({ fails: 'at once' }).find()).toMatchObject({
      result: null,
      error: 'The language model failed.',
    })
  })

  it('is waited for 25 s and no longer', async () => {
    const { error, took } = await setup({ text: '{"si', hangs: true }).find()
    expect(error).toBe('The language model took too long.')
    expect(took).toBe(25_000)
  })

  it('is not waited for once it is told to hurry', async () => {
    const { engines, find } = setup({ text: '{"size": "large"}' })
    const { error, took } = await find(turns, AbortSignal.abort())
    expect(error).toBe('Landline was stopped before the result was made.')
    expect(took).toBe(0)
    expect(engines.asked).toHaveLength(0)
  })

  it('is not invented where nobody answered', async () => {
    const { engines, find } = setup({ text: '{"size": "large"}' })
    for (const transcript of [[], turns.slice(0, 1)])
      expect((await find(transcript)).error).toBe('Nobody spoke on the call.')
    expect(engines.asked).toHaveLength(0)
  })
})
