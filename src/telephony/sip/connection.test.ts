import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { testIds } from '../../../test/kit/open-test-storage.ts'
import { SimClock } from '../../../test/kit/sim-clock.ts'
import { Connection } from './connection.ts'

const PING = '\r\n\r\n'

class FakeSocket extends EventEmitter {
  readonly written: string[] = []
  writableLength = 0
  destroyed = false
  setNoDelay(): void {}
  setKeepAlive(): void {}
  pause(): void {}
  resume(): void {}
  write(bytes: Buffer): void {
    this.written.push(bytes.toString('latin1'))
  }
  destroy(): void {
    this.destroyed = true
  }
}

function setup(o: { tokens?: number } = {}) {
  let tokens = o.tokens ?? Number.POSITIVE_INFINITY
  const clock = new SimClock()
  const socket = new FakeSocket()
  const closed: (string | null)[] = []
  const connection = new Connection({
    clock,
    ids: testIds(clock),
    socket: socket as unknown as Socket,
    openedByUs: false,
    remote: { host: '127.0.0.1', port: 5060, protocol: 'TCP' },
    events: {
      onMessage: () => {},
      onBroken: () => {},
      onClosed: (reason) => closed.push(reason),
      mayRead: () => tokens-- > 0,
    },
  })
  const receive = (text: string): void => void socket.emit('data', Buffer.from(text, 'latin1'))
  return { clock, socket, closed, connection, receive }
}

test('who asks whether we are there and never reads the answers is closed, and nothing is thrown', () => {
  const { socket, closed, receive } = setup()
  socket.writableLength = 2_000_000

  receive(PING.repeat(3))

  expect(closed).toEqual(['the other side does not read'])
  expect(socket.destroyed).toBe(true)
})

test('keep-alives are answered no faster than messages are read', async () => {
  const { clock, socket, receive } = setup({ tokens: 5 })

  receive(PING.repeat(1_000))
  expect(socket.written).toEqual(Array(5).fill('\r\n'))

  await clock.advance(1_000)
  expect(socket.written).toHaveLength(5)
})
