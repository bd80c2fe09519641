import type { Log } from '../../core/log.ts'
import { createNonsenseCounter, isStream, modelLines } from '../openai/model-stream.ts'
import { toRefusal } from '../openai/server-error.ts'

/**
 * The fetch that the Ollama client is given: it ends by `signal` at any moment, refusals are errors with the
 * server's words, and a stream of lines passes only whole JSON objects, so that the client never meets others.
 */
export function createOllamaFetch(o: {
  server: string
  signal: AbortSignal
  log: Log
}): typeof fetch {
  const guarded = async (
    input: Parameters<typeof fetch>[0],
    init?: RequestInit,
  ): Promise<Response> => {
    const signals = init?.signal ? [init.signal, o.signal] : [o.signal]
    const response = await fetch(input, {
      ...init,
      signal: AbortSignal.any(signals),
      // A redirected POST would arrive as a GET: it is refused instead.
      redirect: 'manual',
    })
    if (!response.ok) throw await toRefusal(o.server, response)
    if (!isStream(response) || !response.body) return response
    return new Response(toStream(cleanLines(response.body, o.log)), { headers: response.headers })
  }
  return Object.assign(guarded, { preconnect: fetch.preconnect })
}

async function* cleanLines(body: AsyncIterable<Uint8Array>, log: Log): AsyncGenerator<string> {
  const countNonsense = createNonsenseCounter(log)
  for await (const line of modelLines(body)) {
    const part = parseObject(line)
    if (part) yield `${line}\n`
    else countNonsense()
    if (part && 'error' in part) return
    if (part && 'done' in part && part.done === true) return
  }
  throw new Error('it broke off its answer')
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function toStream(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await lines.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await lines.return(undefined)
    },
  })
}
