import type { Delta, LanguageModel, Message, Tool } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { fitMessages } from '../llm/fit-messages.ts'
import { ReplyGuard } from '../llm/reply-guard.ts'
import { toChatMessages, toChatTools } from './chat-messages.ts'
import { ChatStream } from './chat-stream.ts'
import { type Dialect, dialectFields, FIRST_DIALECT, nextDialect, remembered } from './dialect.ts'
import { createNonsenseCounter, isStream, modelLines } from './model-stream.ts'
import { probeServer, type Server, send, toServer } from './server.ts'
import { messageIn, readBounded, toServerError } from './server-error.ts'

/**
 * A language model behind any server with `/v1/chat/completions` (vLLM, llama-server, LM Studio, …), streamed.
 * A tool call comes after the text. Timeouts are the caller's signal. Throws when `url` is no address.
 */
export function createOpenAiChatModel(o: {
  clock: Clock
  log: Log
  url: string
  model: string
  apiKey?: string | undefined
  /** Tokens that a request may have, the reply included; no limit of ours unless given. */
  contextTokens?: number | undefined
}): LanguageModel {
  const talk: Talk = {
    server: toServer('model server', o.url, o.apiKey),
    model: o.model,
    log: o.log,
    contextTokens: o.contextTokens ?? Number.POSITIVE_INFINITY,
    dialect: FIRST_DIALECT,
  }
  const { server } = talk
  return {
    reply: (request) => streamReply(talk, request),
    async warmUp(request) {
      for await (const _ of streamReply(talk, { ...request, maxTokens: 1 })) return
    },
    probe: () =>
      probeServer({
        clock: o.clock,
        server,
        name: 'language model',
        model: o.model,
        section: 'llm',
      }),
  }
}

/** One server and how it is spoken to. */
interface Talk {
  server: Server
  model: string
  log: Log
  contextTokens: number
  /** As far as it is known; the first request of all finds out most of it. */
  dialect: Dialect
}

interface ChatRequest {
  messages: readonly Message[]
  tools: readonly Tool[]
  maxTokens: number
  schema?: Readonly<Record<string, unknown>>
  signal: AbortSignal
}

async function* streamReply(talk: Talk, request: ChatRequest): AsyncIterable<Delta> {
  const { server, log } = talk
  const { signal, tools, maxTokens } = request
  if (signal.aborted) throw abortError()
  // Ends the request when the consumer stops early or the reply is cut, so that the server stops too.
  const turn = new AbortController()
  try {
    const guard = new ReplyGuard({ tools, maxTokens, log })
    const response = await ask(talk, request, AbortSignal.any([signal, turn.signal]))
    if (!isStream(response))
      throw new Error(
        `it answered without a stream: ${messageIn(await readBounded(response, 4096))}`,
      )
    yield* readReply(response, guard, { signal, log })
  } catch (error) {
    throw toServerError(server.name, error, signal)
  } finally {
    turn.abort()
  }
}

/** Asks in the richest dialect that the server takes; one that is refused and then understood is remembered. */
async function ask(talk: Talk, request: ChatRequest, signal: AbortSignal): Promise<Response> {
  for (let dialect = talk.dialect; ; ) {
    try {
      const json = { ...toBody(talk, request), ...dialectFields(dialect, request) }
      const response = await send(talk.server, '/v1/chat/completions', { signal, json })
      talk.dialect = remembered(dialect)
      return response
    } catch (error) {
      const next = nextDialect(dialect, error, request)
      if (next === null) throw error
      talk.log.info('model server asked in another way', { reason: reasonOf(error) })
      dialect = next
    }
  }
}

function toBody(talk: Talk, { messages, tools, maxTokens }: ChatRequest): Record<string, unknown> {
  const { model, contextTokens } = talk
  return {
    model,
    messages: toChatMessages(fitMessages(messages, { contextTokens, tools, maxTokens })),
    stream: true,
    ...(tools.length === 0 ? {} : { tools: toChatTools(tools) }),
  }
}

async function* readReply(
  response: Response,
  guard: ReplyGuard,
  { signal, log }: { signal: AbortSignal; log: Log },
): AsyncIterable<Delta> {
  const stream = new ChatStream()
  const countNonsense = createNonsenseCounter(log)
  let finished = false
  for await (const line of modelLines(response.body)) {
    for (const event of stream.read(line)) {
      if (event.type === 'text') yield* guard.text(event.text)
      if (event.type === 'error') throw new Error(event.reason)
      if (event.type === 'finish') finished = true
      if (event.type === 'malformed') countNonsense()
    }
    if (signal.aborted) throw abortError()
    if (finished || guard.full) break
  }
  if (!finished && !guard.full) throw new Error('it broke off its answer')
  yield* guard.flush()
  for (const call of stream.toolCalls) yield* guard.tool(call.name, call.arguments)
}
