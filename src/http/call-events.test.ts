import { describe, expect, it } from 'vitest'
import { setupHttp, toRequest } from '../../test/kit/http-client.ts'
import { settle } from '../../test/kit/sim-clock.ts'
import type { StoredEvent } from '../calls/call-store.ts'
import { createEventStreams } from './call-events.ts'

const CALL = { phoneNumber: '+15551234567', instructions: 'Order a pizza.' }
const ORIGIN = 'http://localhost'

async function setup() {
  const parts = setupHttp()
  const created = await parts.send('POST', '/api/v1/calls', { body: CALL })
  const { id } = created.json as { id: string }
  const path = `/api/v1/calls/${id}/events`
  const watch = async (headers: Record<string, string> = {}) => {
    const response = await parts.http.fetch(toRequest('GET', ORIGIN + path, { headers }))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const decoder = new TextDecoder()
    let text = ''
    let done = false
    const reading = (async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read())
        text += decoder.decode(next.value, { stream: true })
      done = true
    })()
    return {
      response,
      reading,
      leave: () => reader.cancel(),
      text: () => text,
      done: () => done,
      messages: () => messagesOf(text),
    }
  }
  const tell = (type: 'status' | 'transcript' | 'end', data: Record<string, unknown>) =>
    parts.services.tell(id, type, data)
  return { ...parts, id, path, watch, tell }
}

function messagesOf(text: string): { id: number; event: string; data: unknown }[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('id:'))
    .map((block) => {
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? ''
      return { id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) }
    })
}

describe('the event streams of a server', () => {
  it('forget a stream however it ends', async () => {
    const { services } = setupHttp()
    const streams = createEventStreams(services)
    const forever = async function* (): AsyncGenerator<StoredEvent> {
      await new Promise(() => undefined)
    }
    const nothing = async function* (): AsyncGenerator<StoredEvent> {}
    const open = (events: AsyncIterable<StoredEvent>) =>
      streams.respond(events, { watching: new AbortController(), bodyless: false })
    const left = open(forever())
    open(forever())
    expect(streams.open).toBe(2)
    await left.body?.cancel()
    expect(streams.open).toBe(1)
    await open(nothing()).text()
    expect(streams.open).toBe(1)
    streams.closeAll()
    expect(streams.open).toBe(0)
    streams.closeAll()
  })
})

describe('the event stream of a call', () => {
  it('begins with all that was, follows what comes and closes after the end', async () => {
    const { watch, tell, services } = await setup()
    tell('transcript', { turn: 0, role: 'agent', text: 'Hi,\nyou.', final: true })
    const watcher = await watch()
    await settle()
    expect(watcher.response.status).toBe(200)
    expect(watcher.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(watcher.messages()).toMatchObject([
      { id: 1, event: 'status', data: { status: 'initiated' } },
      { id: 2, event: 'transcript', data: { text: 'Hi,\nyou.' } },
    ])
    tell('status', { status: 'completed' })
    await settle()
    expect(watcher.messages()).toHaveLength(3)
    expect(watcher.done()).toBe(false)
    tell('end', { id: 'x', status: 'completed' })
    await watcher.reading
    expect(watcher.messages().at(-1)).toMatchObject({ id: 4, event: 'end' })
    expect(services.watchers).toBe(0)
  })

  it('goes on after Last-Event-ID', async () => {
    const { watch, tell } = await setup()
    tell('status', { status: 'ringing' })
    tell('end', { status: 'failed' })
    const watcher = await watch({ 'Last-Event-ID': '2' })
    await watcher.reading
    expect(watcher.messages().map(({ id }) => id)).toEqual([3])
    const whole = await watch({ 'Last-Event-ID': '' })
    await whole.reading
    expect(whole.messages().map(({ id }) => id)).toEqual([1, 2, 3])
  })

  it.each(['3', '4', '99'])(
    'is 204 after the end (Last-Event-ID %s), so that an EventSource does not come again',
    async (seen) => {
      const { send, path, tell, services } = await setup()
      tell('status', { status: 'ringing' })
      tell('end', { status: 'failed' })
      const answer = await send('GET', path, { headers: { 'last-event-id': seen } })
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(services.watchers).toBe(0)
    },
  )

  it.each(['x', '-1', '1.5', '1e3', '9'.repeat(20)])('refuses the Last-Event-ID %s', async (id) => {
    const { send, path } = await setup()
    expect((await send('GET', path, { headers: { 'last-event-id': id } })).status).toBe(400)
  })

  it('says something every 15 s, so that nobody takes it for dead', async () => {
    const { watch, services } = await setup()
    const watcher = await watch()
    await settle()
    expect(watcher.text().startsWith(':\n\n')).toBe(true)
    await services.clock.advance(14_999)
    expect(watcher.text().match(/^:$/gm)).toHaveLength(1)
    await services.clock.advance(1)
    expect(watcher.text().match(/^:$/gm)).toHaveLength(2)
    await services.clock.advance(30_000)
    expect(watcher.text().match(/^:$/gm)).toHaveLength(4)
    expect(watcher.messages()).toHaveLength(1)
    await watcher.leave()
  })

  it('lets go of everything when the client leaves', async () => {
    const { watch, services } = await setup()
    const watcher = await watch()
    await settle()
    expect(services.watchers).toBe(1)
    await watcher.leave()
    await settle()
    expect(services.watchers).toBe(0)
    const fired = services.clock.fired
    await services.clock.advance(120_000)
    expect(services.clock.fired).toBe(fired)
  })

  it('holds nothing back for a client that does not read', async () => {
    const { http, path, tell, services } = await setup()
    const response = await http.fetch(toRequest('GET', ORIGIN + path))
    await settle()
    for (let i = 0; i < 1000; i++) tell('status', { i })
    await services.clock.advance(600_000)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    for (let i = 0; i < 1005 && !text.includes('"i":999'); i++)
      text += new TextDecoder().decode((await reader.read()).value)
    expect(messagesOf(text)).toHaveLength(1001)
    expect(text.match(/^:$/gm)?.length).toBeLessThan(3)
    await reader.cancel()
  })

  it('serves many watchers alike', async () => {
    const { watch, tell, services } = await setup()
    const watchers = await Promise.all(Array.from({ length: 50 }, () => watch()))
    await settle()
    expect(services.watchers).toBe(50)
    tell('end', { status: 'completed' })
    await Promise.all(watchers.map((watcher) => watcher.reading))
    expect(watchers.every((watcher) => watcher.messages().length === 2)).toBe(true)
    expect(services.watchers).toBe(0)
  })

  it('answers HEAD without opening a stream', async () => {
    const { send, path, services } = await setup()
    const answer = await send('HEAD', path)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(answer.text).toBe('')
    await settle()
    expect(services.watchers).toBe(0)
  })

  it('closes, and is logged, when the source breaks', async () => {
    const { watch, services } = await setup()
    services.calls.events = async () =>
      (async function* () {
        yield { seq: 1, type: 'status' as const, data: {} }
        throw new Error('disk gone')
      })()
    const watcher = await watch()
    await watcher.reading
    expect(watcher.messages()).toHaveLength(1)
    expect(services.logged).toMatchObject([{ level: 'warn', fields: { reason: 'disk gone' } }])
  })
})
