import { describe, expect, it } from 'vitest'
import { PRESS, textOf } from '../../../test/conformance/language-model.ts'
import { exerciseModelServer, MESSAGES } from '../../../test/conformance/model-server.ts'
import type { Script } from '../../../test/kit/fake-model-turn.ts'
import { startFakeOpenAi } from '../../../test/kit/fake-openai.ts'
import type { Delta } from '../../conversation/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { createOpenAiChatModel } from './chat-model.ts'

interface Options {
  script?: Script
  models?: string[] | null
  serverKey?: string
  apiKey?: string
}

async function setup({ serverKey, ...o }: Options = {}) {
  const { script, models } = o
  const server = await startFakeOpenAi({
    ...(script ? { script } : {}),
    ...(models === undefined ? {} : { models }),
    ...(serverKey ? { apiKey: serverKey } : {}),
  })
  const model = createOpenAiChatModel({
    clock: systemClock,
    log: silentLog,
    url: server.url,
    model: 'fake',
    apiKey: o.apiKey,
  })
  const { signal } = new AbortController()
  const ask = (tools = [PRESS]): AsyncIterable<Delta> =>
    model.reply({ messages: MESSAGES, tools, maxTokens: 50, signal })
  return { server, model, ask, [Symbol.asyncDispose]: () => server.stop() }
}

exerciseModelServer('openai', {
  startServer: startFakeOpenAi,
  createModel: createOpenAiChatModel,
  calls: 'model server',
  endings: ['/', '/v1', '/v1/'],
})

describe('the OpenAI engine', () => {
  it('asks for a streamed reply, with tools and a limit', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(kit.ask())
    expect(kit.server.requests[0]).toEqual({
      model: 'fake',
      messages: MESSAGES,
      max_tokens: 50,
      stream: true,
      chat_template_kwargs: { enable_thinking: false },
      reasoning_effort: 'none',
      tools: [{ type: 'function', function: PRESS }],
    })
  })

  it('names no tools when there are none: some servers refuse an empty list', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(kit.ask([]))
    expect(kit.server.requests[0]).not.toHaveProperty('tools')
  })

  it('sends its key, and none when it has none', async () => {
    await using keyed = await setup({ serverKey: 'sk-1', apiKey: 'sk-1', script: { text: 'Hi.' } })
    expect(textOf(await Array.fromAsync(keyed.ask()))).toBe('Hi.')
    await using open = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(open.ask())
    expect(open.server.headers[0]?.authorization).toBeUndefined()
  })
})

describe('the probe of the OpenAI engine', () => {
  it('is away, and names the setting, when the key is refused', async () => {
    await using kit = await setup({ serverKey: 'sk-1', apiKey: 'sk-2' })
    expect(await kit.model.probe()).toMatchObject({ state: 'away', mend: 'set llm.api_key' })
  })

  it('is missing, and names what there is, when the server lacks the model', async () => {
    await using kit = await setup({ models: ['other'] })
    const probe = await kit.model.probe()
    expect(probe).toMatchObject({ state: 'missing', mend: 'set llm.model' })
    expect(probe.reason).toContain('it has other')
  })

  it('is ready when the server lists no models', async () => {
    await using kit = await setup({ models: null })
    expect(await kit.model.probe()).toMatchObject({ state: 'ready' })
  })
})
