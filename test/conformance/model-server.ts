import { describe, expect, it } from 'vitest'
import type { Delta, LanguageModel, Message } from '../../src/conversation/ports.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { type Log, silentLog } from '../../src/core/log.ts'
import type { FakeServer, FakeTurn, Script } from '../kit/fake-model-turn.ts'
import { SimClock } from '../kit/sim-clock.ts'
import { until } from '../kit/until.ts'
import { exerciseLanguageModel, PRESS, textOf } from './language-model.ts'

/** An engine whose model answers over HTTP, and a server to try it with. */
export interface ModelServerEngine {
  startServer(o: { script: Script }): Promise<FakeServer>
  createModel(o: { clock: Clock; log: Log; url: string; model: string }): LanguageModel
  /** How its errors begin, `at URL` following. */
  calls: string
  /** What the base URL may end with. */
  endings: readonly string[]
}

export const MESSAGES: readonly Message[] = [
  { role: 'system', content: 'Order a pizza.' },
  { role: 'user', content: 'Hello?' },
]
/** A call that presses a key. */
const TALK: readonly Message[] = [
  { role: 'system', content: 'Order a pizza.' },
  { role: 'user', content: 'For sales, press one.' },
  {
    role: 'assistant',
    content: 'One moment.',
    toolCalls: [{ name: 'press_digits', arguments: { digits: '1' } }],
  },
  { role: 'tool', content: 'The keys were pressed.', toolName: 'press_digits' },
  { role: 'assistant', content: 'Done.' },
  { role: 'user', content: 'Hello?' },
  { role: 'assistant', content: 'Hi.' },
]
const never = new Promise(() => {})

/** What every engine with a server behind it owes the conversation, a language model's duties included. */
export function exerciseModelServer(name: string, engine: ModelServerEngine): void {
  async function setup(o: { script?: Script; model?: string; ending?: string } = {}) {
    const warnings: string[] = []
    const server = await engine.startServer({ script: o.script ?? {} })
    const model = engine.createModel({
      clock: systemClock,
      log: { ...silentLog, warn: (message) => warnings.push(message) },
      url: `${server.url}${o.ending ?? ''}`,
      model: o.model ?? 'fake',
    })
    const ask = (signal = new AbortController().signal, maxTokens = 50): AsyncIterable<Delta> =>
      model.reply({ messages: MESSAGES, tools: [PRESS], maxTokens, signal })
    return { server, model, ask, warnings, [Symbol.asyncDispose]: () => server.stop() }
  }

  /** The error of a reply to `turn`, without its beginning, and what was said before it. */
  async function failureOf(turn: FakeTurn) {
    await using kit = await setup({ script: turn })
    const said: Delta[] = []
    const begin = `${engine.calls} at ${kit.server.url} `
    try {
      for await (const delta of kit.ask()) said.push(delta)
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      expect(message.startsWith(begin)).toBe(true)
      return { message: message.slice(begin.length), said: textOf(said) }
    }
    return { message: 'none', said: textOf(said) }
  }

  exerciseLanguageModel(name, async ({ says, calls }) => {
    const { model, server } = await setup({ script: { text: says, tools: calls ? [calls] : [] } })
    return { model, stop: () => server.stop() }
  })

  describe(`${name} as a model server`, () => {
    it.each(engine.endings)('takes a base URL that ends with %s', async (ending) => {
      await using kit = await setup({ ending, script: { text: 'Hi there.' } })
      expect(textOf(await Array.fromAsync(kit.ask()))).toBe('Hi there.')
    })

    it('aborts before the headers, and the server sees it', async () => {
      await using kit = await setup({ script: { headersAfter: never } })
      const stop = new AbortController()
      const reply = Array.fromAsync(kit.ask(stop.signal))
      await until(() => kit.server.requests.length === 1)
      stop.abort('canceled')
      await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
      await until(() => kit.server.abandoned === 1)
    })

    it('aborts while the first token is slow', async () => {
      await using kit = await setup({ script: { text: 'Hi.', firstTokenAfter: never } })
      const stop = new AbortController()
      const reply = Array.fromAsync(kit.ask(stop.signal))
      await until(() => kit.server.requests.length === 1)
      stop.abort()
      await expect(reply).rejects.toMatchObject({ name: 'AbortError' })
    })

    it('cuts an endless reply, and tells the server to stop', async () => {
      await using kit = await setup({ script: { text: 'and so on ', endless: true } })
      const said = textOf(await Array.fromAsync(kit.ask(undefined, 25)))
      expect(said.length).toBe(25 * 8)
      expect(kit.warnings).toContain('reply cut: too long')
      await until(() => kit.server.abandoned === 1)
    })

    it('tells the server to stop when the listener leaves early', async () => {
      await using kit = await setup({ script: { text: 'and so on ', endless: true } })
      for await (const _ of kit.ask()) break
      await until(() => kit.server.abandoned === 1)
    })

    it('ignores half arguments and unknown tools, and logs each', async () => {
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

    it('sends each turn as what it sent before and more, byte for byte, tools used or not', async () => {
      await using kit = await setup({ script: { text: 'Hi.' } })
      const { signal } = new AbortController()
      await kit.model.warmUp({ messages: TALK.slice(0, 1), tools: [PRESS], signal })
      for (const end of [2, 4, 7])
        await Array.fromAsync(
          kit.model.reply({
            messages: TALK.slice(0, end),
            tools: [PRESS],
            maxTokens: 50,
            signal,
          }),
        )
      const sent = kit.server.requests.map(({ messages }) => JSON.stringify(messages).slice(0, -1))
      expect(sent).toHaveLength(4)
      for (const [i, text] of sent.slice(1).entries()) {
        expect(text.startsWith(`${sent[i]},`)).toBe(true)
        expect(kit.server.requests[i + 1]?.tools).toEqual(kit.server.requests[0]?.tools)
      }
    })

    it('asks for JSON by a schema, and for JSON alone where the server refuses the schema', async () => {
      const schema = { type: 'object', properties: { size: { type: 'string' } } }
      const takes = (request: Record<string, unknown>): FakeTurn =>
        JSON.stringify(request).includes('"size"')
          ? { status: 400, errorText: 'schema not supported' }
          : { text: ['{"size": ', '"large"}'] }
      for (const script of [takes, { text: '{"size": "large"}' }]) {
        await using kit = await setup({ script })
        const { signal } = new AbortController()
        const ask = { messages: MESSAGES, tools: [], maxTokens: 50, schema, signal }
        expect(textOf(await Array.fromAsync(kit.model.reply(ask)))).toBe('{"size": "large"}')
        expect(JSON.stringify(kit.server.requests[0])).toContain(JSON.stringify(schema))
      }
    })

    it('steps over lines that mean nothing, and logs each', async () => {
      await using kit = await setup({ script: { text: 'one two three', malformedAfter: 1 } })
      expect(textOf(await Array.fromAsync(kit.ask()))).toBe('one two three')
      expect(new Set(kit.warnings)).toEqual(new Set(['line of the model server ignored']))
    })

    it('gives up on a server that sends nothing else', async () => {
      const { message } = await failureOf({ text: 'one two', malformedAfter: 1, malformed: 25 })
      expect(message).toBe('failed: its answer is not understood')
    })

    it('tells an error in the middle of a reply, after what came before it', async () => {
      const turn = { text: 'one two three', errorAfter: 2, errorText: 'out of memory' }
      expect(await failureOf(turn)).toEqual({ message: 'failed: out of memory', said: 'one two' })
    })

    it('tells a reply that ends without saying so', async () => {
      const { message } = await failureOf({ text: 'one two three', endAfter: 2 })
      expect(message).toBe('failed: it broke off its answer')
    })

    it('tells a connection that is cut in the middle of a reply', async () => {
      const { message } = await failureOf({ text: 'one two three', disconnectAfter: 2 })
      expect(message).toMatch(/^(does not answer: it closed|failed: )/)
    })

    it('tells what a refusal says', async () => {
      const { message } = await failureOf({ status: 503, errorText: 'server busy' })
      expect(message).toBe('answered 503: server busy')
    })

    it('tells in one sentence that nobody answers, also when probed', async () => {
      const kit = await setup()
      await kit.server.stop()
      const reason = `${engine.calls} at ${kit.server.url} does not answer: connection refused`
      await expect(Array.fromAsync(kit.ask())).rejects.toThrow(reason)
      const probe = await kit.model.probe()
      expect(probe).toMatchObject({ name: 'language model', state: 'away' })
      expect(probe.reason).toContain(reason)
    })

    it('is missing when no model is chosen', async () => {
      await using kit = await setup({ model: '' })
      expect(await kit.model.probe()).toMatchObject({ state: 'missing', mend: 'set llm.model' })
    })

    it('gives up a probe of a server that accepts and stays silent', async () => {
      const clock = new SimClock()
      const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
      const url = `http://127.0.0.1:${silent.port}`
      const model = engine.createModel({ clock, log: silentLog, url, model: 'fake' })
      const probe = model.probe()
      await clock.advance(3000)
      const { state, reason } = await probe
      expect(state).toBe('away')
      expect(reason).toContain(`${engine.calls} at ${url} failed: no answer within 3 s`)
      silent.stop(true)
    })
  })
}
