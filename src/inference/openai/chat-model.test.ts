import { describe, expect, it } from 'vitest'
import { exerciseLanguageModel, PRESS, textOf } from '../../../test/conformance/language-model.ts'
import type { FakeTurn, Script } from '../../../test/kit/fake-model-turn.ts'
import { startFakeOpenAi } from '../../../test/kit/fake-openai.ts'
import { until } from '../../../test/kit/until.ts'
import type { Delta, Message } from '../../conversation/ports.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { createOpenAiChatModel } from './chat-model.ts'

const messages: readonly Message[] = [
  { role: 'system', content: 'Order a pizza.' },
  { role: 'user', content: 'Hello?' },
]

interface Options {
  script?: Script
  models?: string[] | null
  model?: string
  ending?: string
  serverKey?: string
  apiKey?: string
}

async function setup(o: Options = {}) {
  const warnings: string[] = []
  const { serverKey, ...rest } = o
  const server = await startFakeOpenAi({
    ...(rest.script ? { script: rest.script } : {}),
    ...(rest.models === undefined ? {} : { models: rest.models }),
    ...(serverKey ? { apiKey: serverKey } : {}),
  })
  const model = createOpenAiChatModel({
    clock: systemClock,
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    url: `${server.url}${o.ending ?? ''}`,
    model: o.model ?? 'fake',
    apiKey: o.apiKey,
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

exerciseLanguageModel('openai', async ({ says, calls }) => {
  const server = await startFakeOpenAi({ script: { text: says, tools: calls ? [calls] : [] } })
  const model = createOpenAiChatModel({
    clock: systemClock,
    log: silentLog,
    url: server.url,
    model: 'fake',
  })
  return { model, stop: () => server.stop() }
})

describe('the OpenAI engine', () => {
  it('asks for a streamed reply, with tools and a limit', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(kit.ask())
    expect(kit.server.requests[0]).toEqual({
      model: 'fake',
      messages,
      max_tokens: 50,
      stream: true,
      tools: [{ type: 'function', function: PRESS }],
    })
  })

  it('names no tools when there are none: some servers refuse an empty list', async () => {
    await using kit = await setup({ script: { text: 'Hi.' } })
    const signal = new AbortController().signal
    await Array.fromAsync(kit.model.reply({ messages, tools: [], maxTokens: 9, signal }))
    expect(kit.server.requests[0]).not.toHaveProperty('tools')
  })

  it.each(['/', '/v1', '/v1/'])('takes a base URL that ends with %s', async (ending) => {
    await using kit = await setup({ ending, script: { text: 'Hi there.' } })
    expect(textOf(await Array.fromAsync(kit.ask()))).toBe('Hi there.')
  })

  it('sends its key, and none when it has none', async () => {
    await using keyed = await setup({ serverKey: 'sk-1', apiKey: 'sk-1', script: { text: 'Hi.' } })
    expect(textOf(await Array.fromAsync(keyed.ask()))).toBe('Hi.')
    await using open = await setup({ script: { text: 'Hi.' } })
    await Array.fromAsync(open.ask())
    expect(open.server.headers[0]?.authorization).toBeUndefined()
  })

  it('aborts before the headers, and the server sees it', async () => {
    await using kit = await setup({ script: { headersAfter: new Promise(() => {}) } })
    const stop = new AbortController()
    const reply = Array.fromAsync(kit.ask(stop.signal))
    await until(() => kit.server.requests.length === 1)
    stop.abort('canceled')
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
    await until(() => kit.server.abandoned === 1)
  })

  it('cuts an endless reply, and tells the server to stop', async () => {
    await using kit = await setup({ script: { text: 'and so on ', endless: true } })
    const said = textOf(await Array.fromAsync(kit.ask(undefined, 25)))
    expect(said.length).toBe(25 * 8)
    await until(() => kit.server.abandoned === 1)
  })

  it('ignores half arguments and unknown tools, and logs each', async () => {
    const tools = [
      { name: 'press_digits', arguments: '{"digits": "1' },
      { name: 'launch_rocket', arguments: {} },
      { name: 'press_digits', arguments: { digits: '2' } },
    ]
    await using kit = await setup({ script: { text: 'Well.', tools } })
    const deltas = await Array.fromAsync(kit.ask())
    expect(deltas.filter(({ type }) => type === 'tool')).toEqual([
      { type: 'tool', name: 'press_digits', arguments: { digits: '2' } },
    ])
    expect(kit.warnings).toEqual(Array(2).fill('tool call ignored'))
  })

  it('steps over a line that is no JSON', async () => {
    await using kit = await setup({ script: { text: 'one two three', malformedAfter: 1 } })
    expect(textOf(await Array.fromAsync(kit.ask()))).toBe('one two three')
    expect(kit.warnings).toEqual(['line of the model server ignored'])
  })

  it('tells an error in the middle of a reply, after what came before it', async () => {
    const turn = { text: 'one two three', errorAfter: 2, errorText: 'out of memory' }
    expect(await failureOf(turn)).toEqual({
      message: 'model server at URL failed: out of memory',
      said: 'one two',
    })
  })

  it('tells a reply that ends without saying so', async () => {
    const { message } = await failureOf({ text: 'one two three', endAfter: 2 })
    expect(message).toBe('model server at URL failed: it broke off its answer')
  })

  it('tells a connection that is cut in the middle of a reply', async () => {
    const { message } = await failureOf({ text: 'one two three', disconnectAfter: 2 })
    expect(message).toMatch(/^model server at URL (does not answer: it closed|failed: )/)
  })

  it('tells what a refusal says', async () => {
    const { message } = await failureOf({ status: 500, errorText: 'no memory' })
    expect(message).toBe('model server at URL answered 500: no memory')
  })

  it('tells in one sentence that nobody answers', async () => {
    const kit = await setup()
    await kit.server.stop()
    await expect(Array.fromAsync(kit.ask())).rejects.toThrow(
      `model server at ${kit.server.url} does not answer: connection refused`,
    )
  })
})

describe('the probe of the OpenAI engine', () => {
  it('is away when nobody answers', async () => {
    const kit = await setup()
    await kit.server.stop()
    expect(await kit.model.probe()).toMatchObject({
      state: 'away',
      reason: `the model server at ${kit.server.url} does not answer: connection refused`,
    })
  })

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

  it('is missing when no model is chosen', async () => {
    await using kit = await setup({ model: '' })
    expect(await kit.model.probe()).toMatchObject({ state: 'missing', mend: 'set llm.model' })
  })
})
