import { type ChatResponse, Ollama, type Tool as OllamaTool } from 'ollama'
import type { Delta, LanguageModel, Message, Tool } from '../../conversation/ports.ts'
import { abortError } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Probe } from '../../core/probe.ts'
import { parseServerBase } from '../openai/base-url.ts'
import { field, ServerRefusal, toServerError } from '../openai/server-error.ts'
import { within } from '../time-limit.ts'
import { fitMessages } from './fit-messages.ts'
import { probeAtOnce } from './ollama-at-once.ts'
import { createOllamaFetch } from './ollama-fetch.ts'
import { ReplyGuard } from './reply-guard.ts'

const PROBE_MS = 3000
/** What Ollama keeps loaded for good: a model that is loaded anew makes the human wait. */
const FOR_GOOD = -1
/** Room for the longest instructions and a call of ten minutes; what is said beyond it pushes out the oldest. */
const CONTEXT_TOKENS = 8192
/** With these a server, or its grammar for JSON, says that it does not take a schema. */
const SCHEMA_REFUSALS = [400, 422, 500, 501]
const never = new AbortController().signal

interface OllamaOptions {
  clock: Clock
  log: Log
  /** The server's base; a trailing `/`, `/v1` or `/api` means the same. */
  url: string
  /** As `ollama list` shows it, e.g. `llama3.1:8b`; empty when none is chosen. */
  model: string
  apiKey?: string | undefined
  /** Tokens of context that Ollama allocates (`num_ctx`); the same in every request, since another loads the model anew. */
  contextTokens?: number | undefined
  /** How long Ollama keeps the model loaded after a request, in its own form; -1: for good. */
  keepAlive?: string | number
}

interface ChatRequest {
  messages: readonly Message[]
  tools: readonly Tool[]
  maxTokens: number
  schema?: Readonly<Record<string, unknown>>
  signal: AbortSignal
}

/**
 * A language model of an Ollama server, over its own protocol, streamed. Models that think aloud are told not to.
 * Timeouts are the caller's signal. Throws when `url` is no address.
 */
export function createOllamaModel(o: OllamaOptions): LanguageModel {
  const base = parseServerBase(o.url, { endings: ['/v1', '/api'], apiKey: o.apiKey })
  const server = `Ollama at ${base.url}`
  /** One client a turn: its fetch ends by the turn's signal, even while Ollama still loads the model. */
  const clientFor = (signal: AbortSignal): Ollama =>
    new Ollama({
      host: base.url,
      headers: base.headers,
      fetch: createOllamaFetch({ server, signal, log: o.log }),
    })

  async function* chat(request: ChatRequest): AsyncIterable<Delta> {
    const { signal, tools, maxTokens } = request
    if (signal.aborted) throw abortError()
    const turn = new AbortController()
    try {
      const guard = new ReplyGuard({ tools, maxTokens, log: o.log })
      const client = clientFor(AbortSignal.any([signal, turn.signal]))
      const stream = await startChat(client, request, o)
      for await (const part of stream) {
        yield* toDeltas(part, guard)
        if (signal.aborted) throw abortError()
        if (guard.full) break
      }
      yield* guard.flush()
    } catch (error) {
      throw explain(toServerError(server, error, signal), server, o.model)
    } finally {
      // Tells Ollama to stop when the consumer left early or the reply was cut.
      turn.abort()
    }
  }

  return {
    reply: chat,
    async warmUp(o) {
      for await (const _ of chat({ ...o, maxTokens: 1 })) return
    },
    probe: () => probeOllama({ ...o, server, clientFor }),
    probeAtOnce: () =>
      probeAtOnce({
        clock: o.clock,
        server,
        ask: ({ text, maxTokens, signal }) =>
          clientFor(signal).chat({
            ...toChat(
              { messages: [{ role: 'user', content: text }], tools: [], maxTokens, signal },
              o,
            ),
            stream: true,
          }),
      }),
  }
}

/** Asks for JSON without the schema where Ollama does not take it. */
async function startChat(client: Ollama, request: ChatRequest, o: OllamaOptions) {
  const chat = { ...toChat(request, o), stream: true } as const
  if (!request.schema) return client.chat(chat)
  try {
    return await client.chat({ ...chat, format: request.schema })
  } catch (error) {
    if (!(error instanceof ServerRefusal) || !SCHEMA_REFUSALS.includes(error.status)) throw error
    o.log.warn('schema not taken by the model server', { reason: error.said })
    return client.chat({ ...chat, format: 'json' })
  }
}

function toChat(request: ChatRequest, o: OllamaOptions) {
  const contextTokens = o.contextTokens ?? CONTEXT_TOKENS
  return {
    model: o.model,
    messages: fitMessages(request.messages, { ...request, contextTokens }).map(toOllamaMessage),
    tools: request.tools.map(toOllamaTool),
    think: false,
    keep_alive: o.keepAlive ?? FOR_GOOD,
    options: { num_ctx: contextTokens, num_predict: request.maxTokens },
  }
}

function toOllamaMessage({ role, content, toolCalls, toolName }: Message) {
  return {
    role,
    content,
    ...(toolCalls ? { tool_calls: toolCalls.map((call) => ({ function: call })) } : {}),
    ...(toolName ? { tool_name: toolName } : {}),
  }
}

function toOllamaTool({ name, description, parameters }: Tool): OllamaTool {
  return { type: 'function', function: { name, description, parameters } }
}

/** Nothing of a part's shape is taken for granted. */
function toDeltas(part: ChatResponse, guard: ReplyGuard): Delta[] {
  const message = field(part, 'message')
  const text = field(message, 'content')
  const calls = field(message, 'tool_calls')
  const deltas = typeof text === 'string' ? guard.text(text) : []
  if (!Array.isArray(calls)) return deltas
  const tools = calls.map((call: unknown) => field(call, 'function'))
  return [
    ...deltas,
    ...tools.flatMap((call) => guard.tool(field(call, 'name'), field(call, 'arguments'))),
  ]
}

function explain(error: Error, server: string, model: string): Error {
  if (!(error instanceof ServerRefusal) || error.status !== 404) return error
  return new Error(`${server} has no model ${model}: run "ollama pull ${model}"`, { cause: error })
}

async function probeOllama(
  o: OllamaOptions & { server: string; clientFor(signal: AbortSignal): Ollama },
): Promise<Probe> {
  const name = 'language model'
  if (o.model === '')
    return { name, state: 'missing', reason: 'no model is chosen', mend: 'set llm.model' }
  try {
    const { version, models } = await within(o.clock, PROBE_MS, async (signal) => {
      const client = o.clientFor(signal)
      const told = await client.version()
      return { version: field(told, 'version'), models: field(await client.list(), 'models') }
    })
    const names = (Array.isArray(models) ? models : []).map((model) => field(model, 'name'))
    const wanted = o.model.includes(':') ? o.model : `${o.model}:latest`
    if (names.includes(wanted) || names.includes(o.model))
      return { name, state: 'ready', reason: `${o.model} on ${o.server}, version ${version}` }
    const reason = `${o.server} has no model ${o.model}`
    return { name, state: 'missing', reason, mend: `ollama pull ${o.model}` }
  } catch (error) {
    const reason = toServerError(o.server, error, never).message
    return { name, state: 'away', reason, mend: 'run "ollama serve", or set llm.url' }
  }
}
