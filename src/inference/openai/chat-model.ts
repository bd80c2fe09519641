import type { Delta, LanguageModel, Message, Tool } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { ReplyGuard } from '../llm/reply-guard.ts'
import { toChatMessages, toChatTools } from './chat-messages.ts'
import { ChatStream } from './chat-stream.ts'
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
}): LanguageModel {
  const server = toServer('model server', o.url, o.apiKey)
  return {
    reply: (request) => streamReply(server, { ...request, model: o.model, log: o.log }),
    async warmUp(request) {
      const warm = { ...request, maxTokens: 1, model: o.model, log: o.log }
      for await (const _ of streamReply(server, warm)) return
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

interface ChatRequest {
  messages: readonly Message[]
  tools: readonly Tool[]
  maxTokens: number
  signal: AbortSignal
  model: string
  log: Log
}

async function* streamReply(server: Server, request: ChatRequest): AsyncIterable<Delta> {
  const { signal, tools, maxTokens, log } = request
  if (signal.aborted) throw abortError()
  // Ends the request when the consumer stops early or the reply is cut, so that the server stops too.
  const turn = new AbortController()
  try {
    const guard = new ReplyGuard({ tools, maxTokens, log })
    const response = await send(server, '/v1/chat/completions', {
      signal: AbortSignal.any([signal, turn.signal]),
      json: toBody(request),
    })
    if (!isStream(response))
      throw new Error(
        `it answered without a stream: ${messageIn(await readBounded(response, 4096))}`,
      )
    yield* readReply(response, guard, request)
  } catch (error) {
    throw toServerError(server.name, error, signal)
  } finally {
    turn.abort()
  }
}

function toBody({ model, messages, tools, maxTokens }: ChatRequest): Record<string, unknown> {
  return {
    model,
    messages: toChatMessages(messages),
    max_tokens: maxTokens,
    stream: true,
    ...(tools.length === 0 ? {} : { tools: toChatTools(tools) }),
  }
}

async function* readReply(
  response: Response,
  guard: ReplyGuard,
  { signal, log }: ChatRequest,
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
