import {
  type FakeServer,
  playTurn,
  type Script,
  sendJson,
  serveFake,
  type Wire,
} from './fake-model-turn.ts'

const line = (value: unknown): string => `${JSON.stringify(value)}\n`

/** Ollama's `/api/chat`: one JSON object a line. */
const ollamaWire: Wire = {
  contentType: 'application/x-ndjson',
  piece: (content) => line({ model: 'fake', message: { role: 'assistant', content }, done: false }),
  tool: (_index, name, given) =>
    line({
      model: 'fake',
      message: {
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { name, arguments: given } }],
      },
      done: false,
    }),
  error: (error) => line({ error }),
  end: (account) =>
    line({
      ...account,
      model: 'fake',
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
    }),
}

/** A server on a free port that speaks Ollama's protocol: `/api/version`, `/api/tags`, `/api/chat`. */
export async function startFakeOllama(
  o: { script?: Script; models?: readonly string[] } = {},
): Promise<FakeServer> {
  let abandoned = 0
  const server = await serveFake(async (request, response, body) => {
    fake.headers.push(request.headers)
    switch (request.url) {
      case '/api/version':
        return sendJson(response, { version: '0.12.0' })
      case '/api/tags': {
        const models = o.models ?? ['fake:latest']
        return sendJson(response, { models: models.map((name) => ({ name, model: name })) })
      }
      case '/api/chat': {
        const asked = JSON.parse(body.toString()) as Record<string, unknown>
        fake.requests.push(asked)
        const turn = typeof fake.script === 'function' ? fake.script(asked) : fake.script
        if (await playTurn(response, turn, ollamaWire)) abandoned++
        return
      }
      default:
        return sendJson(response, { error: 'not found' }, 404)
    }
  })
  const fake: FakeServer = {
    ...server,
    requests: [],
    headers: [],
    script: o.script ?? {},
    get abandoned() {
      return abandoned
    },
  }
  return fake
}
