/** What carries SIP messages: datagrams and streams behind one interface. */
import { isIP } from 'node:net'
import type { MessageTap } from './message-tap.ts'
import type { WireMessage } from './wire-message.ts'

/** As a Via names it (RFC 3261 §20.42). */
export type Protocol = 'UDP' | 'TCP' | 'TLS'

/** An IP address (never a name), a port, and how one gets there. Can be stored: it holds nothing of this process. */
export interface Endpoint {
  host: string
  port: number
  /** Absent: UDP. */
  protocol?: Protocol
  /** For TLS: the trunk whose certificate settings hold, and the name that the certificate has to carry. */
  tls?: { trunk: string; name: string }
}

/** Where a message came from. */
export interface Source extends Endpoint {
  /** The connection, when the other side opened it: what answers goes back over it (RFC 3261 §18.2.2). */
  connection?: number
}

/** Something that leaves: latin1 text, where to, and from which of our UDP ports when not the usual one. */
export interface Packet {
  text: string
  to: Source
  fromPort?: number
}

export interface TransportEvents {
  /** A message that passed the gate and could be read. May throw: it is caught and counted. */
  onMessage(message: WireMessage, source: Source): void
  /** What was sent to `to` was refused there, or the connection it was sent over broke; `reason` is for people. */
  onRefused(to: Endpoint, reason: string): void
}

export interface TransportStats {
  received: number
  sent: number
  retransmitted: number
  /** Dropped before anything was read. */
  foreign: number
  oversized: number
  overRate: number
  /** Dropped because they could not be read, or broke what read them. */
  malformed: number
  /** TCP and TLS connections: open now, opened by either side so far, and lost without our doing. */
  connections: number
  connected: number
  disconnected: number
}

export function emptyStats(): TransportStats {
  return {
    received: 0,
    sent: 0,
    retransmitted: 0,
    foreign: 0,
    oversized: 0,
    overRate: 0,
    malformed: 0,
    connections: 0,
    connected: 0,
    disconnected: 0,
  }
}

export interface SipTransport {
  /** The port that we listen on, the same for UDP and TCP; 0 when not started. */
  readonly localPort: number
  readonly open: boolean
  /** Whether peers can open TCP connections to `localPort`. */
  readonly listensTcp: boolean
  readonly stats: TransportStats
  /** Sees every message that passes the gate, and every one that leaves. */
  readonly tap: MessageTap
  /** Binds; throws with the address in the message when that fails. */
  start(events: TransportEvents): Promise<void>
  stop(): Promise<void>
  /**
   * Sends and, where RFC 3261 §17 asks for it, sends again. A datagram leaves before this returns; a stream is
   * connected first where it is not. Rejects when the socket is closed or refuses it, or nobody can be connected to.
   */
  send(packet: Packet): Promise<void>
  /** Sends once and never fails: a reply that its request's retransmission would draw again, a keep-alive. */
  sendOnce(packet: Packet): void
  /** Makes sure that there is a connection; at once for UDP. Rejects, after `patienceMs` at the latest. */
  connect(to: Endpoint, patienceMs?: number): Promise<void>
  /** Our port at the connection to `to`; null while there is none, and for UDP. */
  connectedFrom(to: Endpoint): number | null
  /** Stops sending again what carries this branch. */
  forget(branch: string): void
  /** Opens one more UDP port, for as long as an earlier process's transaction needs it; null when that fails. */
  borrowPort(port: number): Promise<{ release(): void } | null>
}

export function protocolOf(endpoint: Endpoint): Protocol {
  return endpoint.protocol ?? 'UDP'
}

export function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port && protocolOf(a) === protocolOf(b)
}

/** A host as a URI and a Via write it: IPv6 in brackets (RFC 3261 §19.1.1). */
export function bracket(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

export function unbracket(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
