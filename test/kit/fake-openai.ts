import {
  type FakeServer,
  playTurn,
  type Script,
  sendJson,
  serveFake,
  type Wire,
} from './fake-model-turn.ts'

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

function chunk(delta: Record<string, unknown>, finish: string | null = null): string {
  return event({
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
}

/** `/v1/chat/completions`, streamed: server-sent events, a tool call in three pieces. */
const openAiWire: Wire = {
  contentType: 'text/event-stream',
  piece: (content) => chunk({ content }),
  tool(index, name, given) {
    const text = typeof given === 'string' ? given : JSON.stringify(given)
    const half = Math.ceil(text.length / 2)
    const part = (fields: Record<string, unknown>): string =>
      chunk({ tool_calls: [{ index, ...fields }] })
    return (
      part({ id: `call_${index}`, type: 'function', function: { name, arguments: '' } }) +
      part({ function: { arguments: text.slice(0, half) } }) +
      part({ function: { arguments: text.slice(half) } })
    )
  },
  error: (message) => event({ error: { message } }),
  end: () => `: nearly done\n\n${chunk({}, 'stop')}data: [DONE]\n\n`,
}

export interface FakeOpenAi extends FakeServer {
  /** Forms of the requests for transcriptions, in order. */
  transcriptions: FormData[]
  /** What a transcription answers; a string is sent as it is. */
  transcript: unknown
}

/** A server on a free port with `/v1/models`, `/v1/chat/completions` and `/v1/audio/transcriptions`. */
export async function startFakeOpenAi(
  o: { script?: Script; models?: readonly string[] | null; apiKey?: string } = {},
): Promise<FakeOpenAi> {
  let abandoned = 0
  const server = await serveFake(async (request, response, body) => {
    fake.headers.push(request.headers)
    if (o.apiKey !== undefined && request.headers.authorization !== `Bearer ${o.apiKey}`)
      return sendJson(response, { error: { message: 'wrong key' } }, 401)
    switch (request.url) {
      case '/v1/models': {
        const models = o.models === undefined ? ['fake'] : o.models
        if (models === null) return sendJson(response, { detail: 'Not Found' }, 404)
        return sendJson(response, { object: 'list', data: models.map((id) => ({ id })) })
      }
      case '/v1/chat/completions': {
        const asked = JSON.parse(body.toString()) as Record<string, unknown>
        fake.requests.push(asked)
        const turn = typeof fake.script === 'function' ? fake.script(asked) : fake.script
        if (await playTurn(response, turn, openAiWire)) abandoned++
        return
      }
      case '/v1/audio/transcriptions': {
        const type = request.headers['content-type'] ?? ''
        const form = (await new Response(body, {
          headers: { 'content-type': type },
        }).formData()) as FormData
        fake.transcriptions.push(form)
        const answer = await fake.transcript
        if (typeof answer !== 'string') return sendJson(response, answer)
        response.writeHead(200, { 'content-type': 'text/plain' })
        response.end(answer)
        return
      }
      default:
        return sendJson(response, { error: { message: 'not found' } }, 404)
    }
  })
  const fake: FakeOpenAi = {
    ...server,
    requests: [],
    headers: [],
    transcriptions: [],
    transcript: { text: 'hello' },
    script: o.script ?? {},
    get abandoned() {
      return abandoned
    },
  }
  return fake
}
