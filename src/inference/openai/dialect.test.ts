import { describe, expect, it } from 'vitest'
import { textOf } from '../../../test/conformance/language-model.ts'
import { MESSAGES } from '../../../test/conformance/model-server.ts'
import type { FakeTurn } from '../../../test/kit/fake-model-turn.ts'
import { startFakeOpenAi } from '../../../test/kit/fake-openai.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { createOpenAiChatModel } from './chat-model.ts'

type Request = Record<string, unknown>

/** A server that answers 400 with what `refuse` says, and replies where it says nothing. */
async function setup(refuse: (request: Request) => string | undefined, status = 400) {
  const script = (request: Request): FakeTurn => {
    const errorText = refuse(request)
    return errorText === undefined ? { text: 'Hi.' } : { status, errorText }
  }
  const server = await startFakeOpenAi({ script })
  const model = createOpenAiChatModel({
    clock: systemClock,
    log: silentLog,
    url: server.url,
    model: 'fake',
  })
  const { signal } = new AbortController()
  const ask = async (schema?: Request): Promise<string> =>
    textOf(
      await Array.fromAsync(
        model.reply({
          messages: MESSAGES,
          tools: [],
          maxTokens: 50,
          signal,
          ...(schema ? { schema } : {}),
        }),
      ),
    )
  return { server, ask, [Symbol.asyncDispose]: () => server.stop() }
}

const has = (field: string) => (request: Request) =>
  field in request ? `Unrecognized request argument supplied: ${field}` : undefined

describe('the dialect of a server', () => {
  it('is learnt from one refusal, and kept', async () => {
    await using kit = await setup(has('chat_template_kwargs'))
    expect(await kit.ask()).toBe('Hi.')
    expect(await kit.ask()).toBe('Hi.')
    expect(kit.server.requests).toHaveLength(3)
    expect(kit.server.requests.at(-1)).toMatchObject({ reasoning_effort: 'none' })
    expect(kit.server.requests.at(-1)).not.toHaveProperty('chat_template_kwargs')
  })

  it('asks a model that always thinks to think little, then not at all about it', async () => {
    await using little = await setup(({ reasoning_effort }) =>
      reasoning_effort === 'none' ? "reasoning_effort must be one of 'low', 'high'" : undefined,
    )
    await little.ask()
    expect(little.server.requests.at(-1)).toMatchObject({ reasoning_effort: 'low' })
    await using nothing = await setup(has('reasoning_effort'))
    await nothing.ask()
    expect(nothing.server.requests.at(-1)).not.toHaveProperty('reasoning_effort')
  })

  it('leaves out all that is not common when the server does not say what it minds', async () => {
    await using kit = await setup((request) =>
      'chat_template_kwargs' in request || 'reasoning_effort' in request
        ? 'bad request'
        : undefined,
    )
    expect(await kit.ask()).toBe('Hi.')
    expect(kit.server.requests).toHaveLength(2)
  })

  it('calls the limit max_completion_tokens where max_tokens is refused', async () => {
    await using kit = await setup((request) =>
      'max_tokens' in request
        ? "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        : undefined,
    )
    expect(await kit.ask()).toBe('Hi.')
    expect(kit.server.requests.at(-1)).toMatchObject({ max_completion_tokens: 50 })
  })

  it('takes a refused schema as refused for this request alone', async () => {
    await using kit = await setup(({ response_format }) =>
      (response_format as { type?: string } | undefined)?.type === 'json_schema'
        ? 'Invalid schema for response_format'
        : undefined,
    )
    await kit.ask({ type: 'object' })
    await kit.ask({ type: 'object' })
    expect(kit.server.requests.map(({ response_format }) => response_format)).toEqual([
      { type: 'json_schema', json_schema: { name: 'result', schema: { type: 'object' } } },
      { type: 'json_object' },
      { type: 'json_schema', json_schema: { name: 'result', schema: { type: 'object' } } },
      { type: 'json_object' },
    ])
  })

  it('forgets what it tried when nothing helped, and tells what the server said', async () => {
    let broken = true
    await using kit = await setup(() => (broken ? 'prompt is too long' : undefined))
    await expect(kit.ask()).rejects.toThrow('answered 400: prompt is too long')
    expect(kit.server.requests).toHaveLength(2)
    broken = false
    await kit.ask()
    expect(kit.server.requests.at(-1)).toMatchObject({ reasoning_effort: 'none' })
  })

  it('asks a server that is broken or has no room only once', async () => {
    for (const status of [429, 500, 503]) {
      await using kit = await setup(() => 'no', status)
      await expect(kit.ask()).rejects.toThrow(`answered ${status}: no`)
      expect(kit.server.requests).toHaveLength(1)
    }
  })
})
