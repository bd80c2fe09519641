import { afterEach, describe, expect, it } from 'vitest'
import { type CliSetup, cleanUpCli, setupCli } from '../../test/kit/cli.ts'
import { sha256 } from '../core/ids.ts'

afterEach(cleanUpCli)

const ID = '0195b2a0-0000-7000-8000-000000000001'

interface Asked {
  url: string
  method: string
  key: string | null
  lastEventId: string | null
  body: unknown
}

/** A server in `fetch`: `answers` by `METHOD path`, each used in turn, the last one again and again. */
function serve(setup: CliSetup, answers: Record<string, (() => Response)[]>): Asked[] {
  const asked: Asked[] = []
  setup.terminal.fetch = (async (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers)
    asked.push({
      url,
      method: init.method ?? 'GET',
      key: headers.get('X-API-Key'),
      lastEventId: headers.get('Last-Event-ID'),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    })
    const list = answers[`${init.method} ${new URL(url).pathname}`]
    const answer = list && (list.length > 1 ? list.shift() : list[0])
    if (!answer) throw new TypeError('connection refused')
    return answer()
  }) as typeof fetch
  return asked
}

const created = (): Response => Response.json({ id: ID, status: 'initiated' }, { status: 201 })
const healthy = { 'GET /healthz': [() => new Response('ok')] }

/** A stream of these events, in chunks that cut lines and letters in two. */
function stream(events: [event: string, data: unknown][], from = 1): Response {
  const text = events
    .map(
      ([event, data], i) => `id: ${i + from}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    )
    .join(': comment\n\n')
  const bytes = new TextEncoder().encode(text)
  return new Response(
    new ReadableStream({
      start(controller) {
        for (let i = 0; i < bytes.length; i += 7) controller.enqueue(bytes.slice(i, i + 7))
        controller.close()
      },
    }),
  )
}

const turn = (n: number, role: string, text: string, final = true): [string, unknown] => [
  'transcript',
  { turn: n, role, text, final, at: '2026-03-20T18:30:00.000Z' },
]
const end = (status: string, rest: object = {}): [string, unknown] => [
  'end',
  {
    id: ID,
    status,
    endReason: 'human_hangup',
    summary: 'Ordered.',
    cost: 1,
    duration: 45,
    ...rest,
  },
]

describe('call', () => {
  it('posts the call with the given key and exits with 0', async () => {
    const setup = setupCli()
    const asked = serve(setup, { 'POST /api/v1/calls': [created] })
    const options = ['--name', 'Joe', '--first-message', 'Hi', '--from', '+15550001111']
    expect(
      await setup.run(
        'call',
        '+15551234567',
        'Order.',
        ...options,
        '--max-duration',
        '60',
        '--transfer-to',
        '+15557654321',
        '--retry',
        '3',
        '--retry-delay',
        '5m',
        '--key',
        'k',
      ),
    ).toBe(0)
    expect(asked).toEqual([
      {
        url: 'http://127.0.0.1:3000/api/v1/calls',
        method: 'POST',
        key: 'k',
        lastEventId: null,
        body: {
          phoneNumber: '+15551234567',
          instructions: 'Order.',
          name: 'Joe',
          firstMessage: 'Hi',
          fromNumber: '+15550001111',
          maxDuration: 60,
          transferTo: '+15557654321',
          retry: { maxAttempts: 3, delaySeconds: 300 },
        },
      },
    ])
    expect(setup.terminal.outLines).toEqual([`call ${ID}: initiated`])
    expect(setup.loads()).toBe(0)
  })

  it('takes the key of LANDLINE_API_KEY and prints the call as JSON', async () => {
    const setup = setupCli()
    setup.terminal.env = { LANDLINE_API_KEY: 'env-key', LANDLINE_HTTP_HOST: '0.0.0.0' }
    const asked = serve(setup, { 'POST /api/v1/calls': [created] })
    expect(await setup.run('call', '+15551234567', 'Order.', '--json')).toBe(0)
    expect(asked[0]).toMatchObject({ key: 'env-key', url: 'http://127.0.0.1:3000/api/v1/calls' })
    expect(setup.json()).toEqual({ id: ID, status: 'initiated' })
    expect(setup.terminal.errLines).toEqual([])
  })

  it('makes itself a key on this machine and revokes it, also when the call is refused', async () => {
    const setup = setupCli()
    const asked = serve(setup, {
      ...healthy,
      'POST /api/v1/calls': [
        created,
        () => Response.json({ error: 'A call to that number is active.' }, { status: 409 }),
      ],
    })
    expect(await setup.run('call', '+15551234567', 'Order.')).toBe(0)
    expect(await setup.run('call', '+15551234567', 'Order.')).toBe(1)
    expect(setup.terminal.errLines).toEqual(['landline: A call to that number is active.'])
    const rows = setup.appliance.keyRows
    expect(rows).toHaveLength(2)
    expect(rows.every((row) => row.revokedAt !== null)).toBe(true)
    const posts = asked.filter(({ method }) => method === 'POST')
    expect(posts.map(({ key }) => sha256(key ?? ''))).toEqual(rows.map(({ hash }) => hash))
    expect(setup.appliance.open).toBe(0)
  })

  it('makes no key when no server answers, and says how to start one', async () => {
    const setup = setupCli()
    expect(await setup.run('call', '+15551234567', 'Order.')).toBe(1)
    expect(setup.terminal.errLines.join()).toMatch(
      /^landline: no server answers at http:\/\/127\.0\.0\.1:3000 \(.+\): start it with `landline serve`, or name it with --url$/,
    )
    expect(setup.appliance.keyRows).toEqual([])
  })

  it('wants a key for another machine, a url where the port is free, and a url that is one', async () => {
    const usage = async (env: Record<string, string>, ...args: string[]): Promise<string> => {
      const setup = setupCli()
      setup.terminal.env = env
      expect(await setup.run('call', '+15551234567', 'x', ...args)).toBe(2)
      return setup.terminal.errLines.join('\n')
    }
    expect(await usage({}, '--url', 'http://10.0.0.1:3000')).toMatch('give its key with --key')
    expect(await usage({ LANDLINE_HTTP_PORT: '0' })).toMatch('give --url as it logged it')
    expect(await usage({}, '--url', 'localhost:3000')).toMatch('must begin with http')
  })

  it('wants to know how often it is to call, and how far apart', async () => {
    const usage = async (...args: string[]): Promise<string> => {
      const setup = setupCli()
      const asked = serve(setup, {})
      expect(await setup.run('call', '+15551234567', 'x', '--key', 'k', ...args)).toBe(2)
      expect(asked).toEqual([])
      return setup.terminal.errLines.join('\n')
    }
    for (const attempts of ['0', '6', '2.5', 'x', ''])
      expect(await usage('--retry', attempts)).toMatch('--retry must be 1 to 5 attempts')
    for (const delay of ['300', '5', '1500ms', 'soon', '10s', '59s', '25h', '2d'])
      expect(await usage('--retry', '2', '--retry-delay', delay)).toMatch('--retry-delay must be')
    expect(await usage('--retry-delay', '5m')).toMatch('--retry-delay needs --retry')
  })

  it('leaves the delay to the server where none is given', async () => {
    const setup = setupCli()
    const asked = serve(setup, { 'POST /api/v1/calls': [created] })
    expect(await setup.run('call', '+15551234567', 'x', '--key', 'k', '--retry', '2')).toBe(0)
    expect(asked[0]?.body).toMatchObject({ retry: { maxAttempts: 2 } })
    expect(asked[0]?.body).not.toHaveProperty('retry.delaySeconds')
  })
})

describe('a call without balance', () => {
  it('says how to add to it', async () => {
    const setup = setupCli()
    const error = 'Insufficient balance. Please top up to make calls.'
    serve(setup, {
      'POST /api/v1/calls': [
        () => Response.json({ error, code: 'insufficient_balance' }, { status: 402 }),
      ],
    })
    expect(await setup.run('call', '+15551234567', 'Order.', '--key', 'k')).toBe(1)
    expect(setup.terminal.errLines).toEqual([
      `landline: ${error} Add to it with \`landline credits add CENTS\`.`,
    ])
  })
})

describe('call --watch', () => {
  const watch = (setup: CliSetup, ...rest: string[]): Promise<number> =>
    setup.run('call', '+15551234567', 'Order.', '--watch', '--key', 'k', ...rest)
  const events = `GET /api/v1/calls/${ID}/events`

  it('prints final turns as they come, then summary, cost and duration', async () => {
    const setup = setupCli()
    serve(setup, {
      'POST /api/v1/calls': [created],
      [events]: [
        () =>
          stream([
            ['status', { status: 'ringing' }],
            turn(0, 'agent', 'Hi, I’d like a pizza.'),
            turn(1, 'human', 'Su', false),
            turn(1, 'human', 'Sure.\u001b[2J\nsummary: forged'),
            ['tool', { name: 'end_call', arguments: {} }],
            end('completed'),
          ]),
      ],
    })
    expect(await watch(setup)).toBe(0)
    expect(setup.terminal.outLines).toEqual([
      `call ${ID}: initiated`,
      'agent: Hi, I’d like a pizza.',
      'human: Sure. [2J summary: forged',
      'summary: Ordered.',
      'cost: 1 cent',
      'duration: 45 s',
    ])
  })

  it('exits with 1 when nobody answered, and tells the status', async () => {
    const setup = setupCli()
    serve(setup, {
      'POST /api/v1/calls': [created],
      [events]: [
        () => stream([end('busy', { summary: null, endReason: null, cost: 0, duration: 0 })]),
      ],
    })
    expect(await watch(setup)).toBe(1)
    expect(setup.terminal.outLines.slice(1)).toEqual([
      'status: busy',
      'cost: 0 cents',
      'duration: 0 s',
    ])
  })

  it('tells of each attempt that comes, and why none was answered', async () => {
    const setup = setupCli()
    const callAt = '2026-03-20T18:35:01.000Z'
    const reason = '486 Busy Here'
    const again = { status: 'scheduled', endReason: null, attempt: 2, callAt, reason }
    const last = { type: 'status', status: 'busy', endReason: null, reason: '486 \u001b[2JBusy' }
    const events_ = [{ type: 'status', ...again }, last]
    serve(setup, {
      'POST /api/v1/calls': [created],
      [events]: [
        () =>
          stream([
            ['status', { status: 'ringing', endReason: null }],
            ['status', again],
            end('busy', { summary: null, endReason: null, cost: 0, duration: 0, events: events_ }),
          ]),
      ],
    })
    expect(await watch(setup)).toBe(1)
    expect(setup.terminal.outLines.slice(1)).toEqual([
      'not answered (486 Busy Here): attempt 2 follows at 2026-03-20T18:35:01.000Z',
      'status: busy',
      'reason: 486  [2JBusy',
      'cost: 0 cents',
      'duration: 0 s',
    ])
  })

  it('takes up a broken stream where it broke', async () => {
    const setup = setupCli()
    setup.terminal.sleep = async () => undefined
    const asked = serve(setup, {
      'POST /api/v1/calls': [created],
      [events]: [
        () => stream([turn(0, 'agent', 'One.'), turn(1, 'human', 'Two.')]),
        () => stream([turn(2, 'agent', 'Three.'), end('completed')], 3),
      ],
    })
    expect(await watch(setup)).toBe(0)
    expect(asked.slice(1).map(({ lastEventId }) => lastEventId)).toEqual([null, '2'])
    expect(setup.terminal.outLines.slice(1, 4)).toEqual([
      'agent: One.',
      'human: Two.',
      'agent: Three.',
    ])
  })

  it('gives up on a server that is gone or says no', async () => {
    const gone = setupCli()
    gone.terminal.sleep = async () => undefined
    serve(gone, { 'POST /api/v1/calls': [created] })
    expect(await watch(gone)).toBe(1)
    expect(gone.terminal.errLines.join()).toMatch('no server answers')

    const refused = setupCli()
    const asked = serve(refused, {
      'POST /api/v1/calls': [created],
      [events]: [() => Response.json({ error: 'Unknown key.' }, { status: 401 })],
    })
    expect(await watch(refused)).toBe(1)
    expect(refused.terminal.errLines).toEqual(['landline: Unknown key.'])
    expect(asked).toHaveLength(2)
  })

  it('leaves the call running on Ctrl-C and says so', async () => {
    const setup = setupCli()
    serve(setup, { 'POST /api/v1/calls': [created] })
    const post = setup.terminal.fetch
    setup.terminal.fetch = ((url: string, init: RequestInit) => {
      if (init.method === 'POST') return post(url, init)
      return new Promise((_, fail) => {
        init.signal?.addEventListener('abort', () => fail(new Error('aborted')))
        setup.terminal.signal()
      })
    }) as typeof fetch
    expect(await watch(setup)).toBe(0)
    expect(setup.terminal.errLines.join()).toMatch('The call goes on.')
    expect(setup.terminal.errLines.join()).toMatch(`/api/v1/calls/${ID}/cancel`)
  })

  it('prints each event as a JSON line when asked for JSON', async () => {
    const setup = setupCli()
    serve(setup, {
      'POST /api/v1/calls': [created],
      [events]: [() => stream([turn(0, 'agent', 'One.'), end('completed')])],
    })
    expect(await watch(setup, '--json')).toBe(0)
    expect(setup.terminal.outLines.map((line) => JSON.parse(line).event)).toEqual([
      undefined,
      'transcript',
      'end',
    ])
  })
})

describe('call --trace', () => {
  const trace = `GET /api/v1/calls/${ID}/trace`
  const message = {
    ...{ at: '2026-03-20T18:30:00.000Z', direction: 'sent', trunk: 'main', transport: 'UDP' },
    ...{ remote: '192.0.2.1:5060', summary: 'INVITE', text: 'INVITE', repeated: 0 },
  }
  const answer = { data: [{ attempt: 1, messages: [message], omitted: 0, media: null }] }

  it('prints the ladder after the call, and exits as --watch does', async () => {
    const setup = setupCli()
    serve(setup, {
      'POST /api/v1/calls': [created],
      [`GET /api/v1/calls/${ID}/events`]: [() => stream([end('busy', { summary: null })])],
      [trace]: [() => Response.json(answer)],
    })
    expect(await setup.run('call', '--trace', '+15551234567', 'Order.', '--key', 'k')).toBe(1)
    expect(setup.terminal.outLines.slice(-3)).toEqual([
      'attempt 1',
      expect.stringMatching(/^ +0\.000 s {2}--> {2}INVITE +main udp 192\.0\.2\.1:5060$/),
      '  no sound was agreed on',
    ])
  })

  it('prints that of an earlier call by its id, and calls nobody', async () => {
    const setup = setupCli()
    const asked = serve(setup, { [trace]: [() => Response.json(answer)] })
    expect(await setup.run('call', '--trace', ID, '--key', 'k')).toBe(0)
    expect(asked.map(({ method }) => method)).toEqual(['GET'])
    expect(setup.terminal.outLines[0]).toBe('attempt 1')
    expect(await setup.run('call', '--trace', ID, '--key', 'k', '--json')).toBe(0)
    expect(JSON.parse(setup.terminal.outLines.at(-1) ?? '')).toEqual(answer)
  })

  it('tells what the server says of an unknown call', async () => {
    const setup = setupCli()
    serve(setup, {
      [trace]: [() => Response.json({ error: 'There is no such call.' }, { status: 404 })],
    })
    expect(await setup.run('call', '--trace', ID, '--key', 'k')).toBe(1)
    expect(setup.terminal.errLines).toEqual(['landline: There is no such call.'])
  })

  it('is needed for a call without instructions, and wants an id then', async () => {
    const setup = setupCli()
    expect(await setup.run('call', '+15551234567')).toBe(2)
    expect(setup.terminal.errLines.join()).toMatch("missing required argument 'instructions'")
    expect(await setup.run('call', '--trace', '+15551234567')).toBe(2)
    expect(setup.terminal.errLines.join()).toMatch('needs the id of a call')
  })

  it('is described by --help', async () => {
    const setup = setupCli()
    expect(await setup.run('call', '--help')).toBe(0)
    expect(setup.terminal.outLines.join('\n')).toMatch(/landline call --trace 0195b3a0-/)
  })
})
