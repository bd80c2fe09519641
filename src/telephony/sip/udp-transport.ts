/** SIP over UDP: one socket, a gate before anything is read, retransmission, and a quick word when a peer is not there. */
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import { listenReason } from '../../core/listen-reason.ts'
import type { Log } from '../../core/log.ts'
import { sendDatagram } from '../send-datagram.ts'
import { normalAddress, type SourceList, type SourceRate } from './gate.ts'
import type { MessageTap } from './message-tap.ts'
import { Retransmitter } from './retransmit.ts'
import { isRefused } from './route.ts'
import type { Endpoint, Packet, TransportEvents, TransportStats } from './transport.ts'
import { readWire } from './wire-message.ts'

/** No SIP message of ours or of a trunk's comes near it; what is larger is never read. */
const MAX_DATAGRAM = 8_192

type Socket = Bun.udp.Socket<'buffer'>

interface Deps {
  clock: Clock
  log: Log
  sources: SourceList
  rate: SourceRate
  stats: TransportStats
  tap: MessageTap
  host: string
}

/** Not bound before `start`. */
export class UdpTransport {
  private readonly deps: Deps
  private readonly stats: TransportStats
  private readonly retransmitter = new Retransmitter()
  private readonly sockets = new Map<number, Socket>()
  private main: Socket | undefined
  private events: TransportEvents | undefined
  private timer: { at: number; forget: () => void } | undefined
  /** Where INVITEs and REGISTERs without an answer went, by branch, so that a refusal can be told to whom it belongs. */
  private readonly unanswered = new Map<string, Endpoint>()
  private asking: 'no' | 'yes' | 'once more' = 'no'

  constructor(deps: Deps) {
    this.deps = deps
    this.stats = deps.stats
  }

  get localPort(): number {
    return this.main?.port ?? 0
  }

  get open(): boolean {
    return this.main !== undefined && !this.main.closed
  }

  /** Throws with the address in the message when the port cannot be had. */
  async start(events: TransportEvents, port: number): Promise<void> {
    const { host } = this.deps
    this.events = events
    try {
      this.main = await this.bind(port)
    } catch (error) {
      throw new Error(`listening for SIP on udp ${host}:${port}: ${listenReason(error, 'sip')}`, {
        cause: error,
      })
    }
    this.sockets.set(this.main.port, this.main)
  }

  stop(): void {
    this.timer?.forget()
    this.timer = undefined
    this.retransmitter.clear()
    this.unanswered.clear()
    for (const socket of this.sockets.values()) socket.close()
    this.sockets.clear()
    this.main = undefined
  }

  /** Sends at once and, where RFC 3261 §17 asks for it, again. Throws when the socket is closed or refuses it. */
  send(packet: Packet): void {
    const message = readWire(packet.text)
    this.write(packet)
    if (!message) return
    this.retransmitter.sent(message, packet, this.deps.clock.steady())
    const urgent = message.method === 'INVITE' || message.method === 'REGISTER'
    if (message.kind === 'request' && urgent && message.via?.branch)
      this.unanswered.set(message.via.branch, packet.to)
    this.arm()
  }

  sendOnce(packet: Packet): void {
    this.write(packet)
  }

  forget(branch: string): void {
    this.retransmitter.forget(branch)
    this.unanswered.delete(branch)
  }

  /** One more port, for as long as an earlier process's transaction needs it; null when that fails. */
  async borrowPort(port: number): Promise<{ release(): void } | null> {
    if (this.sockets.has(port)) return { release() {} }
    const socket = await this.bind(port).catch(() => null)
    if (!socket) return null
    this.sockets.set(port, socket)
    return {
      release: () => {
        this.sockets.delete(port)
        socket.close()
      },
    }
  }

  /** Async also in how it fails: Bun throws at once when the address is taken. */
  private async bind(port: number): Promise<Socket> {
    return Bun.udpSocket({
      hostname: this.deps.host,
      port,
      binaryType: 'buffer',
      socket: {
        data: (_socket, data, fromPort, address) =>
          this.receive(data, { host: address, port: fromPort }),
        // Bun hands over one argument, the error; without this handler an ICMP refusal goes to stderr.
        error: (...told: unknown[]) => this.failed(told.at(-1)),
      },
    })
  }

  private write(packet: Packet): void {
    const socket = packet.fromPort === undefined ? this.main : this.sockets.get(packet.fromPort)
    if (!socket || socket.closed) throw new Error('the SIP socket is closed')
    this.stats.sent++
    this.deps.tap.passed('sent', packet.text, packet.to)
    const bytes = Buffer.from(packet.text, 'latin1')
    sendDatagram(socket, bytes, packet.to, (error) => this.failed(error))
  }

  private receive(data: Buffer, from: Endpoint): void {
    if (!this.deps.sources.allows(from.host)) {
      this.stats.foreign++
      return
    }
    if (data.length > MAX_DATAGRAM) {
      this.stats.oversized++
      return
    }
    const source = { host: normalAddress(from.host), port: from.port }
    if (!this.deps.rate.take(source.host)) {
      this.stats.overRate++
      return
    }
    // RFC 5626 §3.5.1: a keep-alive of bare line ends, or nothing at all.
    if (data.length <= 4 && data.toString('latin1').trim() === '') return
    this.stats.received++
    try {
      this.read(data.toString('latin1'), source)
    } catch (error) {
      this.stats.malformed++
      this.deps.log.debug('a SIP message could not be handled', { reason: reasonOf(error) })
    }
  }

  private read(text: string, source: Endpoint): void {
    const message = readWire(text)
    if (!message) {
      this.stats.malformed++
      return
    }
    this.deps.tap.passed('received', text, source)
    const ack = this.retransmitter.received(message, this.deps.clock.steady())
    if (message.kind === 'response' && message.via?.branch)
      this.unanswered.delete(message.via.branch)
    if (ack) {
      this.stats.retransmitted++
      this.write(ack)
    } else this.events?.onMessage(message, source)
  }

  /** Wakes for the next retransmission, unless an earlier wake is set. */
  private arm(): void {
    const at = this.retransmitter.nextAt()
    if (at === null || (this.timer && this.timer.at <= at)) return
    this.timer?.forget()
    const wait = at - this.deps.clock.steady()
    this.timer = { at, forget: this.deps.clock.after(wait, () => this.retransmit()) }
  }

  private retransmit(): void {
    this.timer = undefined
    for (const packet of this.retransmitter.due(this.deps.clock.steady())) {
      this.stats.retransmitted++
      try {
        this.write(packet)
      } catch (error) {
        this.deps.log.debug('a SIP message could not be sent again', { reason: reasonOf(error) })
      }
    }
    this.arm()
  }

  private failed(error: unknown): void {
    this.deps.log.debug('the SIP socket reported an error', { reason: reasonOf(error) })
    if (this.asking === 'no') void this.askWhoRefused()
    else this.asking = 'once more'
  }

  /** The error of an unconnected socket does not say which peer refused: each that owes an answer is asked. */
  private async askWhoRefused(): Promise<void> {
    do {
      this.asking = 'yes'
      const peers = new Map<string, Endpoint>()
      for (const to of this.unanswered.values()) peers.set(`${to.host} ${to.port}`, to)
      for (const to of peers.values()) if (await isRefused(this.deps.clock, to)) this.refusedBy(to)
    } while (this.wasAskedAgain())
    this.asking = 'no'
  }

  private wasAskedAgain(): boolean {
    return this.asking === 'once more'
  }

  private refusedBy(to: Endpoint): void {
    for (const [branch, waiting] of this.unanswered)
      if (waiting.host === to.host && waiting.port === to.port) this.forget(branch)
    try {
      this.events?.onRefused(to, `nothing listens for SIP at ${to.host} port ${to.port}`)
    } catch (error) {
      this.deps.log.warn('a refusal could not be handled', { reason: reasonOf(error) })
    }
  }
}
