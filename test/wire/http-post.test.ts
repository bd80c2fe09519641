import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { createHttpPost } from '../../src/outbound/http-post.ts'
import { makeCertificate } from '../../src/simulator/certificate.ts'
import { createAddressPolicy } from '../../src/webhooks/address-policy.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function poster(o: { allowed?: string[]; ca?: string; hosts?: Record<string, string[]> } = {}) {
  const resolved: string[] = []
  const post = createHttpPost({
    clock: systemClock,
    policy: createAddressPolicy(o.allowed ?? ['127.0.0.0/8', 'hooks.test']),
    async resolve(host) {
      resolved.push(host)
      const found = o.hosts?.[host]
      if (!found) throw new Error(`ENOTFOUND ${host}`)
      return found
    },
    userAgent: 'Landline/test',
    ...(o.ca === undefined ? {} : { ca: o.ca }),
  })
  const send = (url: string, timeoutMs = 2000) =>
    post({ url, headers: { 'X-Test': '1' }, body: '{"a":1}', timeoutMs })
  return { send, resolved }
}

function receiver(answer: (request: Request) => Response | Promise<Response>) {
  const seen: { headers: Headers; body: string; url: string }[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      seen.push({ headers: request.headers, body: await request.text(), url: request.url })
      return answer(request)
    },
  })
  closers.push(() => server.stop(true))
  return { port: server.port as number, seen }
}

function rawReceiver(onConnection: (socket: Socket) => void): Promise<number> {
  return new Promise((done) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined)
      onConnection(socket)
    })
    server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port))
    closers.push(() => server.close())
  })
}

describe('a webhook’s POST', () => {
  it('sends body and headers to the address that was judged, under the name of the URL', async () => {
    const { port, seen } = receiver(() => new Response('fine', { status: 202 }))
    const { send, resolved } = poster({ hosts: { 'hooks.test': ['127.0.0.1'] } })
    const result = await send(`http://hooks.test:${port}/in?x=1`)
    expect(result).toMatchObject({ status: 202, error: null, responseExcerpt: 'fine' })
    expect(resolved).toEqual(['hooks.test'])
    expect(seen[0]?.body).toBe('{"a":1}')
    expect(seen[0]?.headers.get('host')).toBe(`hooks.test:${port}`)
    expect(seen[0]?.headers.get('content-length')).toBe('7')
    expect(seen[0]?.headers.get('user-agent')).toBe('Landline/test')
    expect(seen[0]?.url).toContain('/in?x=1')
  })

  it('connects nowhere when one of the addresses may not be reached', async () => {
    const { port, seen } = receiver(() => new Response())
    const { send } = poster({ allowed: [], hosts: { 'mixed.test': ['127.0.0.1', '8.8.8.8'] } })
    const result = await send(`https://mixed.test:${port}/`)
    expect(result.status).toBeNull()
    expect(result.error).toContain('loopback')
    expect(seen).toHaveLength(0)
  })

  it('takes a redirect as the answer and does not follow it', async () => {
    const elsewhere = receiver(() => new Response('wrong'))
    const target = `http://127.0.0.1:${elsewhere.port}/`
    const { port } = receiver(
      () => new Response(null, { status: 307, headers: { location: target } }),
    )
    const result = await poster().send(`http://127.0.0.1:${port}/`)
    expect(result.status).toBe(307)
    expect(result.error).toContain('307')
    expect(elsewhere.seen).toHaveLength(0)
  })

  it('verifies the certificate against the name of the URL and the given CA', async () => {
    const { cert, key } = await makeCertificate()
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      tls: { cert, key },
      fetch: () => new Response(null, { status: 204 }),
    })
    closers.push(() => server.stop(true))
    const hosts = { localhost: ['127.0.0.1'], 'hooks.test': ['127.0.0.1'] }
    const allowed = ['127.0.0.1']
    const trusting = poster({ allowed, hosts, ca: cert })
    expect((await trusting.send(`https://localhost:${server.port}/`)).status).toBe(204)
    expect((await trusting.send(`https://127.0.0.1:${server.port}/`)).status).toBe(204)
    expect((await trusting.send(`https://hooks.test:${server.port}/`)).status).toBeNull()
    const strict = poster({ allowed, hosts })
    expect((await strict.send(`https://localhost:${server.port}/`)).status).toBeNull()
  })

  it('gives up when headers do not come in time, however they drip', async () => {
    const port = await rawReceiver((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => socket.write('X'), 50)
      socket.on('close', () => clearInterval(drip))
    })
    const result = await poster().send(`http://127.0.0.1:${port}/`, 300)
    expect(result.status).toBeNull()
    expect(result.error).toContain('no answer in time')
    expect(result.durationMs).toBeLessThan(2000)
  })

  it('takes 2xx headers as the answer when the body drips or never ends', async () => {
    const dripping = await rawReceiver((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin')
    })
    const slow = await poster().send(`http://127.0.0.1:${dripping}/`, 300)
    expect(slow).toMatchObject({ status: 200, error: null, responseExcerpt: 'begin' })
    const endless = await rawReceiver((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const pour = setInterval(() => socket.write('x'.repeat(32_768)), 1)
      socket.on('close', () => clearInterval(pour))
    })
    const flood = await poster().send(`http://127.0.0.1:${endless}/`, 5000)
    expect(flood.status).toBe(200)
    expect(flood.durationMs).toBeLessThan(3000)
  })

  it('tells a refused connection, a reset and a name without address as failures', async () => {
    const reset = await rawReceiver((socket) => socket.destroy())
    expect((await poster().send('http://127.0.0.1:1/')).status).toBeNull()
    expect((await poster().send(`http://127.0.0.1:${reset}/`)).status).toBeNull()
    const unknown = await poster().send('https://nowhere.test/')
    expect(unknown.error).toContain('ENOTFOUND')
  })

  it('reads Retry-After and leaves a compressed body alone', async () => {
    const zipped = Bun.gzipSync(Buffer.alloc(1_000_000))
    const { port } = receiver(
      () =>
        new Response(zipped, {
          status: 503,
          headers: { 'retry-after': '120', 'content-encoding': 'gzip' },
        }),
    )
    const result = await poster().send(`http://127.0.0.1:${port}/`)
    expect(result).toMatchObject({ status: 503, retryAfterMs: 120_000 })
    expect(result.responseExcerpt?.length ?? 0).toBeLessThanOrEqual(500)
  })
})
