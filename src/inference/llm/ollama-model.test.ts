import { describe, expect, it } from 'vitest'
import { PRESS } from '../../../test/conformance/language-model.ts'
import { exerciseModelServer, MESSAGES } from '../../../test/conformance/model-server.ts'
import type { FakeTurn, Script } from '../../../test/kit/fake-model-turn.ts'
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

  it('leaves out the oldest of a call that outgrows the context', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    const long = { role: 'user', content: 'word '.repeat(2000) } as const
    await Array.fromAsync(
      kit.ask([...MESSAGES.slice(0, 1), long, long, long, ...MESSAGES.slice(1)]),
    )
    const sent = JSON.stringify(kit.server.requests[0]?.messages)
    expect(sent.length).toBeLessThan(8192 * 3)
    expect(sent).toContain('Order a pizza.')
    expect(sent).toContain('left out')
    expect(sent).toContain('Hello?')
  })

  it('tells how to get a model that Ollama does not have', async () => {
    await using kit = await setup({ script: { status: 404, errorText: 'model not found' } })
    await expect(Array.fromAsync(kit.ask())).rejects.toThrow(
      `Ollama at ${kit.server.url} has no model fake: run "ollama pull fake"`,
    )
  })
})

describe('calls at once', () => {
  /** Asks a server with so many slots: a short request beyond them is answered when the long one is over. */
  async function probe(slots: number) {
    const longMs = 300
    const longOver = Promise.withResolvers<void>()
    const short = { text: 'yes', account: { total_duration: 20e6, eval_duration: 15e6 } }
    const script = ({ options }: Record<string, unknown>): FakeTurn => {
      if ((options as { num_predict: number }).num_predict === 1)
        return slots > 1
          ? short
          : { ...short, headersAfter: longOver.promise, account: { total_duration: longMs * 1e6 } }
      void Bun.sleep(longMs + 400).then(() => longOver.resolve())
      return { text: 'one two three', tokenAfter: longMs / 3 }
    }
    await using kit = await setup({ script })
    return await kit.model.probeAtOnce?.()
  }

  it('are found where Ollama has a slot for each', async () => {
    expect(await probe(2)).toMatchObject({ state: 'ready', reason: 'two were answered at once' })
  })

  it('are warned of where it answers one after the other', async () => {
    expect(await probe(1)).toMatchObject({
      state: 'ready',
      reason: expect.stringMatching(/^warning: Ollama at .* answers one request after the other/),
      mend: expect.stringContaining('OLLAMA_NUM_PARALLEL'),
    })
  })

  it('are left open when the model said too little to tell', async () => {
    await using kit = await setup({ script: { text: [] } })
    expect((await kit.model.probeAtOnce?.())?.reason).toMatch(/^not found out/)
  })

  it('are told as away when Ollama is', async () => {
    const kit = await setup()
    await kit.server.stop()
    expect(await kit.model.probeAtOnce?.()).toMatchObject({
      state: 'away',
      reason: expect.stringContaining('connection refused'),
    })
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
