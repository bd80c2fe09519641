import { connect, type Socket } from 'node:net'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { createHttp, type Http, type HttpOptions } from '../../src/http/server.ts'
import { FakeServices, GOOD_KEY } from '../kit/fake-services.ts'

const CALL = '{"phoneNumber":"+15551234567","instructions":"Order a pizza."}'
const KEY = `X-API-Key: ${GOOD_KEY}\r\n`
const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'Content-Type: application/json\r\n'

const open: Http[] = []
afterEach(async () => {
  for (const http of open.splice(0)) await http.stop()
})

async function setup(o: Partial<HttpOptions> = {}) {
  const services = new FakeServices()
  const http = createHttp({ services, host: '127.0.0.1', port: 0, rateLimitPerSecond: 1000, ...o })
  await http.start()
  open.push(http)
  const { port } = new URL(http.url())
  const alive = async () => (await fetch(`${http.url()}/healthz`)).status === 200
  return { services, http, port: Number(port), alive, dial: () => dial(Number(port)) }
}

interface Line {
  socket: Socket
  text(): string
  send(data: string): Promise<void>
  /** Waits until what came contains `part`. */
  until(part: string): Promise<string>
  closed: Promise<void>
}

/** A bare TCP connection. */
async function dial(port: number): Promise<Line> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let onData = (): void => undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    onData()
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((done) => socket.once('close', () => done()))
  await new Promise<void>((done) => socket.once('connect', () => done()))
  return {
    socket,
    closed,
    text: () => text,
    send: (data) => new Promise((done) => socket.write(data, 'latin1', () => done())),
    until: (part) =>
      new Promise((done, fail) => {
        const look = (): void => {
          if (text.includes(part)) done(text)
        }
        onData = look
        closed.then(() =>
          text.includes(part) ? done(text) : fail(new Error(`closed after ${text}`)),
        )
        look()
      }),
  }
}

/** The bodies of the answers on a connection. */
const bodiesIn = (text: string): unknown[] =>
  [...text.matchAll(/\r\n\r\n(\{.*?\})(?=HTTP|$)/gs)].map(([, body]) => JSON.parse(body ?? ''))

async function eventually(check: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !check(); i++) await new Promise((done) => setTimeout(done, 10))
  expect(check()).toBe(true)
}

describe('a body over a real socket', () => {
  it.each([300_000, 10_000_000])(
    'of %i bytes is 413 in JSON, declared or chunked',
    async (size) => {
      const { http, alive, services } = await setup()
      const whole = new Uint8Array(size).fill(0x20)
      const chunked = () =>
        new ReadableStream<Uint8Array>({
          start(controller) {
            for (let at = 0; at < size; at += 50_000)
              controller.enqueue(whole.subarray(at, at + 50_000))
            controller.close()
          },
        })
      for (const body of [whole, chunked()]) {
        const headers = { 'x-api-key': GOOD_KEY, 'content-type': 'application/json' }
        const response = await fetch(`${http.url()}/api/v1/calls`, {
          method: 'POST',
          headers,
          body,
        })
        expect(response.status).toBe(413)
        expect(await response.json()).toMatchObject({ code: 'payload_too_large' })
      }
      expect(services.created).toEqual([])
      expect(await alive()).toBe(true)
    },
  )

  it.each(['1000000000', '9999999999999999'])(
    'of %s declared bytes is 413 in JSON at once',
    async (length) => {
      const { dial, alive } = await setup()
      const line = await dial()
      await line.send(
        `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: ${length}\r\n\r\n{`,
      )
      const text = await line.until('}')
      expect(text).toMatch(/^HTTP\/1\.1 413 /)
      expect(bodiesIn(text)).toMatchObject([{ code: 'payload_too_large' }])
      line.socket.destroy()
      expect(await alive()).toBe(true)
    },
  )

  it.each(['99999999999999999999', '-1', '12x', '0x10'])(
    'with the Content-Length %s is refused by the parser',
    async (length) => {
      const { dial, alive, services } = await setup()
      const line = await dial()
      await line.send(
        `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: ${length}\r\n\r\n${CALL}`,
      )
      await line.closed
      expect(line.text()).toMatch(/^HTTP\/1\.1 400 /)
      expect(services.created).toEqual([])
      expect(await alive()).toBe(true)
    },
  )

  it('that is longer than it says is cut there, and the rest is no request', async () => {
    const { dial, alive, services } = await setup()
    const line = await dial()
    await line.send(
      `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: 2\r\n\r\n{}${CALL}`,
    )
    await line.closed
    expect(line.text()).toMatch(/^HTTP\/1\.1 400 .*phoneNumber is required.*HTTP\/1\.1 400 /s)
    expect(services.created).toEqual([])
    expect(await alive()).toBe(true)
  })

  it('that is shorter than it says is waited for 15 s, then 408', async () => {
    const { dial, services } = await setup()
    const line = await dial()
    await line.send(
      `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: 100\r\n\r\n`,
    )
    await line.send(CALL)
    await eventually(() => services.authenticated > 0)
    await new Promise((done) => setTimeout(done, 50))
    await services.clock.advance(15_000)
    await line.closed
    expect(line.text()).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s)
    expect(services.created).toEqual([])
  })

  it('with both a length and chunks is refused: nothing is smuggled', async () => {
    const { dial, alive, services } = await setup()
    const line = await dial()
    const smuggled = `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: ${CALL.length}\r\n\r\n${CALL}`
    await line.send(
      `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    )
    await line.closed
    expect(line.text()).toMatch(/^HTTP\/1\.1 400 /)
    expect(services.created).toEqual([])
    expect(await alive()).toBe(true)
  })
})

describe('junk on the port', () => {
  it.each([
    ['binary', '\x00\x01\xff\xfe'.repeat(50)],
    ['a SIP request', 'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a header of 100 kB', `GET /healthz HTTP/1.1\r\n${HOST}X-A: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['an unknown method', `FOO /healthz HTTP/1.1\r\n${HOST}\r\n`],
    [
      'a broken chunk',
      `POST /api/v1/calls HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`,
    ],
  ])('%s ends that connection and no other', async (_, data) => {
    const { dial, alive } = await setup()
    const line = await dial()
    await line.send(data)
    line.socket.end()
    await line.closed
    expect(line.text()).not.toMatch(/<html|at .*\.ts:/i)
    expect(await alive()).toBe(true)
  })

  it('behind a good request spoils only itself', async () => {
    const { dial, alive } = await setup()
    const line = await dial()
    const good = `GET /healthz HTTP/1.1\r\n${HOST}\r\n`
    await line.send(`${good}${good}\x00\x01garbage\r\n\r\n`)
    await line.closed
    expect(line.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(line.text()).toMatch(/HTTP\/1\.1 400 /)
    expect(await alive()).toBe(true)
  })
})

describe('requests as the wire has them', () => {
  it('with two keys have none', async () => {
    const { dial } = await setup()
    const line = await dial()
    await line.send(`GET /api/v1/me HTTP/1.1\r\n${HOST}${KEY}${KEY}\r\n`)
    expect(await line.until('}')).toMatch(/^HTTP\/1\.1 401 /)
    line.socket.destroy()
  })

  it.each(['OPTIONS', 'TRACE', 'QUERY', 'CONNECT'])('%s is 405', async (method) => {
    const { dial } = await setup()
    const line = await dial()
    await line.send(`${method} /api/v1/me HTTP/1.1\r\n${HOST}${KEY}\r\n`)
    const text = await line.until('}')
    expect(text).toMatch(/^HTTP\/1\.1 405 .*allow: GET, HEAD/is)
    expect(text).not.toContain(GOOD_KEY)
    line.socket.destroy()
  })

  it('HEAD gives the headers of GET and no body', async () => {
    const { http } = await setup()
    const headers = { 'x-api-key': GOOD_KEY }
    const [get, head] = await Promise.all(
      ['GET', 'HEAD'].map((method) => fetch(`${http.url()}/api/v1/me`, { method, headers })),
    )
    expect(head?.status).toBe(200)
    expect(await head?.text()).toBe('')
    for (const name of ['content-type', 'content-length', 'cache-control'])
      expect(head?.headers.get(name)).toBe(get?.headers.get(name) ?? 'missing')
    expect(head?.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('need no Host in HTTP/1.0, but a good one where there is one', async () => {
    const { dial } = await setup()
    const old = await dial()
    await old.send('GET /healthz HTTP/1.0\r\n\r\n')
    expect(await old.until('}')).toMatch(/^HTTP\/1\.1 200 /)
    old.socket.destroy()
    for (const host of ['a b', 'a/b?', '[::']) {
      const line = await dial()
      await line.send(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      const text = await line.until('}')
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
      expect(bodiesIn(text)).toMatchObject([{ code: 'invalid_request' }])
      line.socket.destroy()
    }
  })

  it('come from an address, by which wrong keys are counted', async () => {
    const { http } = await setup()
    const wrong = { headers: { 'x-api-key': 'sk_live_wrong' } }
    const statuses = []
    for (let i = 0; i < 22; i++)
      statuses.push((await fetch(`${http.url()}/api/v1/me`, wrong)).status)
    expect(statuses).toEqual([...Array(20).fill(401), 429, 429])
    // Another address of the same machine.
    const other = await http.fetch(new Request('http://localhost/api/v1/me', wrong))
    expect(other.status).toBe(401)
  })
})

describe('event streams over a real socket', () => {
  async function watched(o: { watchers: number }) {
    const parts = await setup()
    const headers = { 'x-api-key': GOOD_KEY, 'content-type': 'application/json' }
    const url = `${parts.http.url()}/api/v1/calls`
    const { id } = (await (await fetch(url, { method: 'POST', headers, body: CALL })).json()) as {
      id: string
    }
    const lines = await Promise.all(
      Array.from({ length: o.watchers }, async () => {
        const line = await parts.dial()
        await line.send(`GET /api/v1/calls/${id}/events HTTP/1.1\r\n${HOST}${KEY}\r\n`)
        await line.until('"initiated"')
        return line
      }),
    )
    return { ...parts, id, lines }
  }

  it('are let go of when the client goes', async () => {
    const { lines, services } = await watched({ watchers: 20 })
    expect(services.watchers).toBe(20)
    for (const line of lines.slice(0, 19)) line.socket.destroy()
    await eventually(() => services.watchers === 1)
    lines[19]?.socket.resetAndDestroy()
    await eventually(() => services.watchers === 0)
  })

  it('end after the end, and the connection serves on', async () => {
    const { lines, services, id } = await watched({ watchers: 1 })
    services.tell(id, 'end', { status: 'completed' })
    const [line] = lines
    const text = await line?.until('0\r\n\r\n')
    expect(text).toContain('event: end')
    await line?.send(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`)
    expect(await line?.until('"ok"')).toContain('"ok"')
    line?.socket.destroy()
  })

  it('are ended by stop, which waits for no watcher', async () => {
    const { lines, services, http } = await watched({ watchers: 3 })
    const url = http.url()
    await Promise.all([http.stop(), http.stop()])
    await Promise.all(lines.map((line) => line.closed))
    expect(lines.every((line) => line.text().endsWith('0\r\n\r\n'))).toBe(true)
    expect(services.watchers).toBe(0)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
})

describe('the server', () => {
  it('answers what is under way before it stops', async () => {
    const { http, services } = await setup()
    let asked = false
    let finish = (_text: string): void => undefined
    services.metrics = () =>
      new Promise((done) => {
        asked = true
        finish = done
      })
    const answer = fetch(`${http.url()}/metrics`)
    await eventually(() => asked)
    const stopped = http.stop()
    finish('landline_up 1\n')
    expect(await (await answer).text()).toBe('landline_up 1\n')
    await stopped
  })

  it('starts again after a stop, and does not mind a stop without a start', async () => {
    const { http } = await setup()
    await http.stop()
    expect(() => http.url()).toThrow('does not listen')
    await http.start()
    expect((await fetch(`${http.url()}/healthz`)).status).toBe(200)
    const idle = createHttp({
      services: new FakeServices(),
      host: '127.0.0.1',
      port: 0,
      rateLimitPerSecond: 1,
    })
    await idle.stop()
  })

  it('says where it could not listen', async () => {
    const { port } = await setup()
    const second = createHttp({
      services: new FakeServices(),
      host: '127.0.0.1',
      port,
      rateLimitPerSecond: 1,
    })
    await expect(second.start()).rejects.toThrow(
      `listening on 127.0.0.1 port ${port}: another program uses that port: stop it, or set http.port`,
    )
  })

  it('speaks HTTPS with a certificate', async () => {
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
    const { http } = await setup({ tls: { cert: pems.cert, key: pems.private } })
    expect(http.url()).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const response = await fetch(`${http.url()}/api/v1/calls`, {
      method: 'POST',
      headers: { 'x-api-key': GOOD_KEY, 'content-type': 'application/json', host: 'ab' },
      body: CALL,
      tls: { rejectUnauthorized: false },
    })
    expect(response.status).toBe(201)
  })
})
