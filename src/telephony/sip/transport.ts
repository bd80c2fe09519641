/** What carries SIP messages; UDP is one, a stream transport would be another beside it. */
import type { WireMessage } from './wire-message.ts'

/** An IP address (never a name) and a port. */
export interface Endpoint {
  host: string
  port: number
}

/** Something that leaves: latin1 text, where to, and from which of our ports when not the usual one. */
export interface Packet {
  text: string
  to: Endpoint
  fromPort?: number
}

export interface TransportEvents {
  /** A message that passed the gate and could be read. May throw: it is caught and counted. */
  onMessage(message: WireMessage, source: Endpoint): void
  /** What was sent to `to` was refused there. */
  onRefused(to: Endpoint): void
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
}

export interface SipTransport {
  readonly protocol: 'UDP'
  readonly localPort: number
  readonly open: boolean
  readonly stats: TransportStats
  /** Binds; throws with the address in the message when that fails. */
  start(events: TransportEvents): Promise<void>
  stop(): Promise<void>
  /** Sends and, where RFC 3261 §17 asks for it, sends again. Throws when the socket is closed or refuses it. */
  send(packet: Packet): void
  /** Sends once: a reply that its request's retransmission would draw again. */
  sendOnce(packet: Packet): void
  /** Stops sending again what carries this branch. */
  forget(branch: string): void
  /** Opens one more port, for as long as an earlier process's transaction needs it; null when that fails. */
  borrowPort(port: number): Promise<{ release(): void } | null>
}
