import { describe, expect, it } from 'vitest'
import { exerciseLanguageModel, PRESS, textOf } from '../../../test/conformance/language-model.ts'
import type { FakeTurn, Script } from '../../../test/kit/fake-model-turn.ts'
import { startFakeOllama } from '../../../test/kit/fake-ollama.ts'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { until } from '../../../test/kit/until.ts'
import type { Delta, Message } from '../../conversation/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { createOllamaModel } from './ollama-model.ts'

const messages: readonly Message[] = [
  { role: 'system', content: 'Order a pizza.' },
  { role: 'user', content: 'Hello?' },
]

async function setup(
  o: { script?: Script; models?: string[]; model?: string; ending?: string } = {},
) {
  const warnings: string[] = []
  const server = await startFakeOllama(o)
  const model = createOllamaModel({
    clock: systemClock,
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    url: `${server.url}${o.ending ?? ''}`,
    model: o.model ?? 'fake',
  })
  const ask = (signal = new AbortController().signal, maxTokens = 50): AsyncIterable<Delta> =>
    model.reply({ messages, tools: [PRESS], maxTokens, signal })
  return { server, model, ask, warnings, [Symbol.asyncDispose]: () => server.stop() }
}

/** The error of a reply to `turn`, and what was said before it. */
async function failureOf(turn: FakeTurn) {
  await using kit = await setup({ script: turn })
  const said: Delta[] = []
  try {
    for await (const delta of kit.ask()) said.push(delta)
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(kit.server.url, 'URL') : ''
    return { message, said: textOf(said) }
  }
  return { message: 'none', said: textOf(said) }
}

exerciseLanguageModel('ollama', async ({ says, calls }) => {
  const server = await startFakeOllama({ script: { text: says, tools: calls ? [calls] : [] } })
  const model = createOllamaModel({
    clock: systemClock,
    log: silentLog,
    url: server.url,
    model: 'fake',
  })
  return { model, stop: () => server.stop() }
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
      messages: [
        { role: 'system', content: 'Order a pizza.' },
        { role: 'user', content: 'Hello?' },
      ],
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
    const signal = new AbortController().signal
    await Array.fromAsync(kit.model.reply({ messages: talk, tools: [], maxTokens: 9, signal }))
    expect(kit.server.requests[0]?.messages).toEqual([
      { role: 'assistant', content: '', tool_calls: [{ function: call }] },
      { role: 'tool', content: 'pressed', tool_name: 'press_digits' },
    ])
  })

  it.each(['/', '/v1', '/v1/', '/api', '/api/'])(
    'takes a base URL that ends with %s',
    async (ending) => {
      await using kit = await setup({ ending, script: { text: 'Hi there.' } })
      expect(textOf(await Array.fromAsync(kit.ask()))).toBe('Hi there.')
    },
  )

  it('warms up with the context size of the turns, so that nothing is loaded twice', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await kit.model.warmUp({ messages, tools: [], signal: new AbortController().signal })
    expect(kit.server.requests[0]).toMatchObject({
      keep_alive: -1,
      options: { num_ctx: 8192, num_predict: 1 },
    })
  })

  it('aborts while Ollama still loads the model, and Ollama sees it', async () => {
    await using kit = await setup({ script: { headersAfter: new Promise(() => {}) } })
    const stop = new AbortController()
    const reply = Array.fromAsync(kit.ask(stop.signal))
    await until(() => kit.server.requests.length === 1)
    stop.abort()
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
    await until(() => kit.server.abandoned === 1)
  })

  it('aborts while the first token is slow', async () => {
    await using kit = await setup({
      script: { text: 'Hi.', firstTokenAfter: new Promise(() => {}) },
    })
    const stop = new AbortController()
    const reply = Array.fromAsync(kit.ask(stop.signal))
    await until(() => kit.server.requests.length === 1)
    stop.abort()
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('cuts an endless reply, and tells Ollama to stop', async () => {
    await using kit = await setup({ script: { text: 'and so on ', endless: true } })
    const said = textOf(await Array.fromAsync(kit.ask(undefined, 25)))
    expect(said.length).toBe(25 * 8)
    expect(kit.warnings).toContain('reply cut: too long')
    await until(() => kit.server.abandoned === 1)
  })

  it('tells Ollama to stop when the listener leaves early', async () => {
    await using kit = await setup({ script: { text: 'and so on ', endless: true } })
    for await (const _ of kit.ask()) break
    await until(() => kit.server.abandoned === 1)
  })

  it('ignores garbled arguments, half arguments and unknown tools, and logs each', async () => {
    const tools = [
      { name: 'press_digits', arguments: '{"digits": "1' },
      { name: 'press_digits', arguments: '[1]' },
      { name: 'launch_rocket', arguments: {} },
      { name: 'press_digits', arguments: '{"digits": "2"}' },
    ]
    await using kit = await setup({ script: { text: 'Well.', tools } })
    const deltas = await Array.fromAsync(kit.ask())
    expect(deltas.filter(({ type }) => type === 'tool')).toEqual([
      { type: 'tool', name: 'press_digits', arguments: { digits: '2' } },
    ])
    expect(kit.warnings).toEqual(Array(3).fill('tool call ignored'))
  })

  it('steps over a line that is no JSON', async () => {
    await using kit = await setup({ script: { text: 'one two three', malformedAfter: 1 } })
    expect(textOf(await Array.fromAsync(kit.ask()))).toBe('one two three')
    expect(kit.warnings).toHaveLength(2)
  })

  it('tells an error in the middle of a reply, after what came before it', async () => {
    expect(
      await failureOf({ text: 'one two three', errorAfter: 2, errorText: 'out of memory' }),
    ).toEqual({
      message: 'Ollama at URL failed: out of memory',
      said: 'one two',
    })
  })

  it('tells a reply that ends without saying so', async () => {
    const { message } = await failureOf({ text: 'one two three', endAfter: 2 })
    expect(message).toBe('Ollama at URL failed: it broke off its answer')
  })

  it('tells a connection that is cut in the middle of a reply', async () => {
    const { message } = await failureOf({ text: 'one two three', disconnectAfter: 2 })
    expect(message).toMatch(/^Ollama at URL (does not answer: it closed|failed: )/)
  })

  it('tells what a refusal says', async () => {
    const { message } = await failureOf({ status: 503, errorText: 'server busy' })
    expect(message).toBe('Ollama at URL answered 503: server busy')
  })

  it('tells how to get a model that Ollama does not have', async () => {
    const { message } = await failureOf({ status: 404, errorText: 'model "fake" not found' })
    expect(message).toBe('Ollama at URL has no model fake: run "ollama pull fake"')
  })

  it('tells in one sentence that nobody answers', async () => {
    const kit = await setup()
    await kit.server.stop()
    await expect(Array.fromAsync(kit.ask())).rejects.toThrow(
      `Ollama at ${kit.server.url} does not answer: connection refused`,
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

  it('is missing when no model is chosen', async () => {
    await using kit = await setup({ model: '' })
    expect(await kit.model.probe()).toMatchObject({ state: 'missing', mend: 'set llm.model' })
  })

  it('finds a model by its name and tag', async () => {
    await using kit = await setup({ models: ['llama3.1:8b'], model: 'llama3.1:8b' })
    expect(await kit.model.probe()).toMatchObject({ state: 'ready' })
  })

  it('gives up on a server that accepts and stays silent', async () => {
    const clock = new SimClock()
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    const url = `http://127.0.0.1:${silent.port}`
    const probe = createOllamaModel({ clock, log: silentLog, url, model: 'fake' }).probe()
    await clock.advance(3000)
    expect(await probe).toMatchObject({
      state: 'away',
      reason: `Ollama at ${url} failed: no answer within 3 s`,
    })
    silent.stop(true)
  })
})
