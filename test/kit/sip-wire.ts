/** What a scripted UAS talks over: a UDP socket, or a TCP or TLS server that cuts messages by Content-Length. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'

export interface Address {
  host: string
  port: number
}

export interface Wire {
  readonly protocol: 'UDP' | 'TCP' | 'TLS'
  readonly host: string
  readonly port: number
  readonly serverNames: string[]
  onText: (text: string, from: Address) => void
  send(bytes: Uint8Array, to: Address): void
  connections(): number
  stray(): string
  disconnect(): void
  close(): void
}

export async function openDatagramWire(port: number, host: string): Promise<Wire> {
  let wire: Wire | undefined
  let stray = ''
  const socket = await Bun.udpSocket({
    hostname: host,
    port,
    binaryType: 'buffer',
    socket: {
      data: (_socket, data, fromPort, from) => {
        const text = data.toString('latin1')
        if (text.trim() === '') stray += text
        else wire?.onText(text, { host: from, port: fromPort })
      },
      error() {},
    },
  })
  wire = {
    protocol: 'UDP',
    host,
    port: socket.port,
    serverNames: [],
    onText: () => {},
    send(bytes, to) {
      try {
        socket.send(bytes, to.port, to.host)
      } catch {
        // An earlier datagram's refusal is told to the next send, which is then skipped.
        socket.send(bytes, to.port, to.host)
      }
    },
    connections: () => 0,
    stray: () => stray,
    disconnect() {},
    close: () => socket.close(),
  }
  return wire
}

export async function openStreamWire(o: {
  port?: number
  host?: string
  tls?: { key: string; cert: string }
}): Promise<Wire> {
  const host = o.host ?? '127.0.0.1'
  const sockets = new Map<number, Socket>()
  let stray = ''
  const accept = (socket: Socket): void => {
    const from = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    sockets.set(from.port, socket)
    let pending = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(from.port))
    socket.on('data', (bytes: Buffer) => {
      pending += bytes.toString('latin1')
      for (;;) {
        const lines = /^(?:\r\n)+/.exec(pending)?.[0] ?? ''
        stray += lines
        pending = pending.slice(lines.length)
        const end = pending.indexOf('\r\n\r\n')
        if (end < 0) return
        const length = Number(/\r\nContent-Length: *(\d+)/i.exec(pending.slice(0, end))?.[1] ?? 0)
        if (pending.length < end + 4 + length) return
        const text = pending.slice(0, end + 4 + length)
        pending = pending.slice(text.length)
        wire.onText(text, from)
      }
    })
  }
  const server: Server = o.tls
    ? createTlsServer({ ...o.tls }, (socket: TLSSocket) => {
        wire.serverNames.push(String(socket.servername))
        accept(socket)
      })
    : createServer(accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen({ port: o.port ?? 0, host }, () => done())
  })
  const address = server.address()
  const wire: Wire = {
    protocol: o.tls ? 'TLS' : 'TCP',
    host,
    port: typeof address === 'object' && address ? address.port : 0,
    serverNames: [],
    onText: () => {},
    send: (bytes, to) => void sockets.get(to.port)?.write(bytes),
    connections: () => sockets.size,
    stray: () => stray,
    disconnect() {
      for (const socket of sockets.values()) socket.destroy()
      sockets.clear()
    },
    close() {
      server.close()
      wire.disconnect()
    },
  }
  return wire
}
