import { describe, expect, it } from 'vitest'
import { PRESS } from '../../../test/conformance/language-model.ts'
import { exerciseModelServer, MESSAGES } from '../../../test/conformance/model-server.ts'
import type { Script } from '../../../test/kit/fake-model-turn.ts'
import { startFakeOllama } from '../../../test/kit/fake-ollama.ts'
import type { Delta, Message } from '../../conversation/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { createOllamaModel } from './ollama-model.ts'

async function setup(o: { script?: Script; models?: string[]; model?: string } = {}) {
  const server = await startFakeOllama(o)
  const model = createOllamaModel({
    clock: systemClock,
    log: silentLog,
    url: server.url,
    model: o.model ?? 'fake',
  })
  const { signal } = new AbortController()
  const ask = (messages = MESSAGES, tools = [PRESS]): AsyncIterable<Delta> =>
    model.reply({ messages, tools, maxTokens: 50, signal })
  return { server, model, ask, signal, [Symbol.asyncDispose]: () => server.stop() }
}

exerciseModelServer('ollama', {
  startServer: startFakeOllama,
  createModel: createOllamaModel,
  calls: 'Ollama',
  endings: ['/', '/v1', '/v1/', '/api', '/api/'],
})

describe('the Ollama engine', () => {
  it('asks for a reply without thoughts, with its context size, and keeps the model loaded', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(kit.ask())
    expect(kit.server.requests[0]).toMatchObject({
      model: 'fake',
      stream: true,
      think: false,
      keep_alive: -1,
      options: { num_ctx: 8192, num_predict: 50 },
      messages: MESSAGES,
      tools: [{ type: 'function', function: { name: 'press_digits' } }],
    })
  })

  it('sends tool calls and their answers as Ollama wants them', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    const call = { name: 'press_digits', arguments: { digits: '1' } }
    const talk: Message[] = [
      { role: 'assistant', content: '', toolCalls: [call] },
      { role: 'tool', content: 'pressed', toolName: 'press_digits' },
    ]
    await Array.fromAsync(kit.ask(talk, []))
    expect(kit.server.requests[0]?.messages).toEqual([
      { role: 'assistant', content: '', tool_calls: [{ function: call }] },
      { role: 'tool', content: 'pressed', tool_name: 'press_digits' },
    ])
  })

  it('warms up with the context size of the turns, so that nothing is loaded twice', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await kit.model.warmUp({ messages: MESSAGES, tools: [], signal: kit.signal })
    expect(kit.server.requests[0]).toMatchObject({
      keep_alive: -1,
      options: { num_ctx: 8192, num_predict: 1 },
    })
  })

  it('tells how to get a model that Ollama does not have', async () => {
    await using kit = await setup({ script: { status: 404, errorText: 'model not found' } })
    await expect(Array.fromAsync(kit.ask())).rejects.toThrow(
      `Ollama at ${kit.server.url} has no model fake: run "ollama pull fake"`,
    )
  })
})

describe('the probe of the Ollama engine', () => {
  it('is away, and says how to start it, when nobody answers', async () => {
    const kit = await setup()
    await kit.server.stop()
    expect(await kit.model.probe()).toEqual({
      name: 'language model',
      state: 'away',
      reason: `Ollama at ${kit.server.url} does not answer: connection refused`,
      mend: 'run "ollama serve", or set llm.url',
    })
  })

  it('is missing, and says how to pull it, when Ollama lacks the model', async () => {
    await using kit = await setup({ models: ['other:latest'] })
    expect(await kit.model.probe()).toMatchObject({ state: 'missing', mend: 'ollama pull fake' })
  })

  it('finds a model by its name and tag', async () => {
    await using kit = await setup({ models: ['llama3.1:8b'], model: 'llama3.1:8b' })
    expect(await kit.model.probe()).toMatchObject({ state: 'ready' })
  })
})
