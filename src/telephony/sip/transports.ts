/** UDP, TCP and TLS as one transport: what an endpoint's protocol says decides. */
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import { listenReason } from '../../core/listen-reason.ts'
import type { Log } from '../../core/log.ts'
import { type SourceList, SourceRate } from './gate.ts'
import { MessageTap } from './message-tap.ts'
import type { TlsSettings } from './stream-socket.ts'
import { StreamTransport } from './stream-transport.ts'
import {
  type Endpoint,
  emptyStats,
  type Packet,
  protocolOf,
  type SipTransport,
  type TransportEvents,
} from './transport.ts'
import { UdpTransport } from './udp-transport.ts'

/** One call costs a trunk about a dozen messages; beyond this rate they are a flood. */
const DEFAULT_RATE = { perSecond: 100, burst: 200 }
/** So often another port is asked for, when the one that UDP was given is taken for TCP. */
const MAX_TRIES = 16

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  sources: SourceList
  host: string
  /** 0 takes one that is free for UDP and TCP. */
  port: number
  /** Messages a second and source that are read. */
  rate?: { perSecond: number; burst: number }
  /** By the name of the trunk. */
  tls: ReadonlyMap<string, TlsSettings>
  /** Whether it is an error that the port cannot be had for TCP. */
  needsTcp: boolean
}

class Transports implements SipTransport {
  readonly stats = emptyStats()
  readonly tap = new MessageTap()
  private readonly deps: Deps
  private readonly udp: UdpTransport
  private readonly streams: StreamTransport

  constructor(deps: Deps) {
    this.deps = deps
    const { clock, ids, log, sources, host, tls } = deps
    const shared = { clock, log, sources, host, stats: this.stats, tap: this.tap }
    const rate = new SourceRate(clock, deps.rate ?? DEFAULT_RATE)
    this.udp = new UdpTransport({ ...shared, rate })
    this.streams = new StreamTransport({ ...shared, rate, ids, tls, secret: ids.hex(32) })
  }

  get localPort(): number {
    return this.udp.localPort
  }

  get open(): boolean {
    return this.udp.open
  }

  get listensTcp(): boolean {
    return this.streams.listening
  }

  async start(events: TransportEvents): Promise<void> {
    const { port, host, needsTcp, log } = this.deps
    for (let n = 0; ; n++) {
      await this.udp.start(events, port)
      this.streams.begin(events)
      try {
        await this.streams.listen(this.localPort)
        return
      } catch (error) {
        const reason = listenReason(error, 'sip')
        const where = `tcp ${host}:${this.localPort}`
        if (port === 0 && n < MAX_TRIES) this.udp.stop()
        else if (needsTcp) {
          this.udp.stop()
          throw new Error(`listening for SIP on ${where}: ${reason}`, { cause: error })
        } else {
          log.warn('SIP over TCP cannot come in', { where, reason })
          return
        }
      }
    }
  }

  async stop(): Promise<void> {
    this.streams.stop()
    this.udp.stop()
  }

  send(packet: Packet): Promise<void> {
    if (protocolOf(packet.to) !== 'UDP') return this.streams.send(packet.text, packet.to)
    try {
      this.udp.send(packet)
      return Promise.resolve()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sendOnce(packet: Packet): void {
    try {
      if (protocolOf(packet.to) === 'UDP') this.udp.sendOnce(packet)
      else this.streams.send(packet.text, packet.to).catch((error) => this.unsent(error))
    } catch (error) {
      this.unsent(error)
    }
  }

  async connect(to: Endpoint, patienceMs?: number): Promise<void> {
    if (protocolOf(to) !== 'UDP') await this.streams.connect(to, patienceMs)
  }

  connectedFrom(to: Endpoint): number | null {
    return protocolOf(to) === 'UDP' ? null : this.streams.connectedFrom(to)
  }

  forget(branch: string): void {
    this.udp.forget(branch)
  }

  borrowPort(port: number): Promise<{ release(): void } | null> {
    return this.udp.borrowPort(port)
  }

  private unsent(error: unknown): void {
    this.deps.log.debug('a SIP message could not be sent', { reason: reasonOf(error) })
  }
}

/** Nothing is bound before `start`. */
export function createTransport(deps: Deps): SipTransport {
  return new Transports(deps)
}
