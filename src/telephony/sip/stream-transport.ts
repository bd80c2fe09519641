/**
 * SIP over TCP and TLS: connections kept and used again (RFC 3261 §18), and a listener for peers that open their own.
 * A stream loses nothing, so nothing is sent again.
 */
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import { Connection } from './connection.ts'
import { normalAddress, type SourceList, type SourceRate } from './gate.ts'
import type { MessageTap } from './message-tap.ts'
import { renderReply } from './reply.ts'
import { openSocket, type TlsSettings } from './stream-socket.ts'
import {
  type Endpoint,
  protocolOf,
  type Source,
  type TransportEvents,
  type TransportStats,
} from './transport.ts'
import { readWire, type WireMessage } from './wire-message.ts'

/** Opened by others; and as many opened by us. */
const MAX_CONNECTIONS = 64
const CONNECT_PATIENCE_MS = 5_000
/** A peer that sends nothing readable is not worth its place. */
const MAX_UNREADABLE = 10

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  sources: SourceList
  rate: SourceRate
  stats: TransportStats
  tap: MessageTap
  host: string
  /** By the name of the trunk. */
  tls: ReadonlyMap<string, TlsSettings>
  /** For the tags of replies made without state. */
  secret: string
}

export class StreamTransport {
  private readonly deps: Deps
  private server: Server | null = null
  private events: TransportEvents | undefined
  private stopped = true
  private readonly ours = new Map<string, Connection>()
  private readonly opening = new Map<string, Promise<Connection>>()
  private readonly theirs = new Map<number, Connection>()
  private lastId = 0

  constructor(deps: Deps) {
    this.deps = deps
  }

  begin(events: TransportEvents): void {
    this.events = events
    this.stopped = false
  }

  /** Rejects when the port is taken. */
  listen(port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: false }, (socket) => this.accept(socket))
    return new Promise((done, fail) => {
      server.once('error', fail)
      server.listen({ port, host: this.deps.host, exclusive: true }, () => {
        server.off('error', fail)
        server.on('error', (error) =>
          this.deps.log.warn('the SIP listener reported an error', { reason: reasonOf(error) }),
        )
        this.server = server
        done()
      })
    })
  }

  stop(): void {
    this.stopped = true
    this.server?.close()
    this.server = null
    for (const connection of [...this.ours.values(), ...this.theirs.values()]) connection.finish()
    this.ours.clear()
    this.theirs.clear()
  }

  get listening(): boolean {
    return this.server !== null
  }

  /** Sends over the connection there is, else over a new one. */
  async send(text: string, to: Source): Promise<void> {
    const open = this.find(to)
    if (open) this.write(open, text)
    else this.write(await this.connect(to), text)
  }

  /** The connection to `to`, opened where there is none. Rejects with a reason for people. */
  connect(to: Source, patienceMs = CONNECT_PATIENCE_MS): Promise<Connection> {
    const open = this.find(to)
    if (open) return Promise.resolve(open)
    const key = keyOf(to)
    const begun = this.opening.get(key)
    if (begun) return begun
    const opening = this.open(to, patienceMs).finally(() => this.opening.delete(key))
    this.opening.set(key, opening)
    return opening
  }

  connectedFrom(to: Endpoint): number | null {
    return this.ours.get(keyOf(to))?.localPort ?? null
  }

  private find(to: Source): Connection | undefined {
    const accepted = to.connection === undefined ? undefined : this.theirs.get(to.connection)
    return accepted ?? this.ours.get(keyOf(to))
  }

  private write(connection: Connection, text: string): void {
    connection.send(text)
    this.deps.stats.sent++
    this.deps.tap.passed('sent', text, connection.remote)
  }

  private async open(to: Source, patienceMs: number): Promise<Connection> {
    if (this.stopped) throw new Error('the SIP transport is stopped')
    const settings = to.tls && this.deps.tls.get(to.tls.trunk)
    const { clock, host } = this.deps
    const from = host
    const socket = await openSocket(to, {
      clock,
      from,
      patienceMs,
      ...(settings ? { settings } : {}),
    })
    if (this.stopped) {
      socket.destroy()
      throw new Error('the SIP transport is stopped')
    }
    this.makeRoom()
    const key = keyOf(to)
    const { connection: _gone, ...remote } = to
    const connection = this.adopt(socket, { openedByUs: true, remote }, () => {
      if (this.ours.get(key) === connection) this.ours.delete(key)
    })
    this.ours.set(key, connection)
    return connection
  }

  /** Of our own connections the one that was quiet for longest goes. */
  private makeRoom(): void {
    if (this.ours.size < MAX_CONNECTIONS) return
    const [quietest] = [...this.ours.values()].sort((a, b) => a.usedAt - b.usedAt)
    quietest?.close()
  }

  private accept(socket: Socket): void {
    const host = normalAddress(socket.remoteAddress ?? '')
    const { stats, sources } = this.deps
    if (!sources.allows(host)) stats.foreign++
    if (this.stopped || !sources.allows(host) || this.theirs.size >= MAX_CONNECTIONS) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const id = ++this.lastId
    const remote: Source = { host, port: socket.remotePort ?? 0, protocol: 'TCP', connection: id }
    const connection = this.adopt(socket, { openedByUs: false, remote }, () =>
      this.theirs.delete(id),
    )
    this.theirs.set(id, connection)
  }

  private adopt(
    socket: Socket,
    o: { openedByUs: boolean; remote: Source },
    onGone: () => void,
  ): Connection {
    const { clock, ids, stats, rate } = this.deps
    let unreadable = 0
    stats.connections++
    stats.connected++
    const connection = new Connection({
      clock,
      ids,
      socket,
      ...o,
      events: {
        mayRead: () => rate.take(o.remote.host),
        onMessage: (text) => {
          const message = readWire(text)
          if (message) {
            this.deps.tap.passed('received', text, o.remote)
            this.hand(message, o.remote)
          } else {
            stats.malformed++
            if (++unreadable >= MAX_UNREADABLE) connection.close()
          }
        },
        onBroken: (piece) => this.refuse(connection, piece),
        onClosed: (reason) => {
          stats.connections--
          onGone()
          this.closed(o, reason)
        },
      },
    })
    return connection
  }

  private hand(message: WireMessage, source: Source): void {
    const { stats, log } = this.deps
    stats.received++
    try {
      this.events?.onMessage(message, source)
    } catch (error) {
      stats.malformed++
      log.debug('a SIP message could not be handled', { reason: reasonOf(error) })
    }
  }

  /** Says why where that can be told, and closes: what follows cannot be read (RFC 3261 §18.3). */
  private refuse(connection: Connection, piece: { head: string; status: 400 | 513 }): void {
    const { stats, secret } = this.deps
    if (piece.status === 513) stats.oversized++
    else stats.malformed++
    const message = readWire(piece.head)
    const complete = message?.via && message.callId && message.cseq && message.fromTag
    if (message?.kind === 'request' && message.method !== 'ACK' && complete) {
      const reason = piece.status === 400 ? 'Bad Content-Length' : 'Message Too Large'
      const reply = { status: piece.status, reason }
      const text = renderReply(message, reply, { secret, source: connection.remote })
      try {
        this.write(connection, text)
      } catch (error) {
        this.deps.log.debug('a refusal could not be sent', { reason: reasonOf(error) })
      }
    }
    connection.finish()
  }

  private closed(o: { openedByUs: boolean; remote: Source }, reason: string | null): void {
    if (reason === null) return
    const { stats, log } = this.deps
    const { host, port } = o.remote
    const protocol = protocolOf(o.remote)
    log.debug('a SIP connection was lost', { host, port, protocol, reason })
    if (!o.openedByUs || this.stopped) return
    stats.disconnected++
    this.events?.onRefused(o.remote, `the connection to ${host} port ${port} was lost: ${reason}`)
  }
}

/** One connection for each way to be sure of whom one talks to. */
function keyOf(to: Endpoint): string {
  return [protocolOf(to), to.host, to.port, to.tls?.trunk ?? '', to.tls?.name ?? ''].join(' ')
}
