/**
 * What RFC 3261 §17 asks of a transaction over an unreliable transport, and sip.js leaves to its transport:
 * timer A (INVITE), E (other requests), G (final responses to INVITE) and the ACK for a repeated final response.
 * Holds no timer and touches no socket: `now` (a steady time in ms) comes in, packets come out.
 */
import type { Packet } from './transport.ts'
import type { WireMessage } from './wire-message.ts'

/** RFC 3261 §17.1.1.1 and §17.1.2.2, in ms. */
const T1 = 500
const T2 = 4_000
/** Timers B, F and H: nothing is sent again after 64 × T1. Timer D lasts as long. */
const LIFETIME = 64 * T1

interface Pending {
  packet: Packet
  intervalMs: number
  /** Timer A doubles without a bound, E and G up to T2. */
  longestMs: number
  nextAt: number
  until: number
}

interface KnownAck {
  /** Null until sip.js made it. */
  packet: Packet | null
  until: number
}

type Sent = Pick<WireMessage, 'kind' | 'method' | 'status' | 'via'>

export class Retransmitter {
  private readonly pending = new Map<string, Pending>()
  private readonly acks = new Map<string, KnownAck>()

  /** Notes what was just sent, and when to send it again. */
  sent(message: Sent, packet: Packet, now: number): void {
    const branch = message.via?.branch
    if (branch === undefined) return
    if (message.kind === 'response') {
      if (message.method === 'INVITE' && message.status >= 300)
        this.begin(responseKey(branch), packet, T2, now)
      return
    }
    if (message.method === 'ACK') {
      const known = this.acks.get(branch)
      if (known) known.packet = packet
      return
    }
    const longest = message.method === 'INVITE' ? Number.POSITIVE_INFINITY : T2
    this.begin(requestKey(branch, message.method), packet, longest, now)
  }

  /**
   * Notes what came in. Returns the ACK to send again when it is a final response that was already acknowledged:
   * such a response needs no further handling (RFC 3261 §17.1.1.2, state Completed).
   */
  received(message: Sent, now: number): Packet | null {
    const branch = message.via?.branch
    if (branch === undefined) return null
    if (message.kind === 'request') {
      if (message.method === 'ACK') this.pending.delete(responseKey(branch))
      return null
    }
    const key = requestKey(branch, message.method)
    const pending = this.pending.get(key)
    // §17.1.2.2: after a provisional response other requests than INVITE go on, at T2.
    if (pending && message.status < 200 && message.method !== 'INVITE') pending.intervalMs = T2
    else this.pending.delete(key)
    if (message.method !== 'INVITE' || message.status < 300) return null
    const known = this.acks.get(branch)
    if (known) return known.packet
    this.dropExpiredAcks(now)
    this.acks.set(branch, { packet: null, until: now + LIFETIME })
    return null
  }

  /** What has to be sent again by now. */
  due(now: number): Packet[] {
    const packets: Packet[] = []
    for (const [key, pending] of this.pending) {
      if (now >= pending.until) this.pending.delete(key)
      else if (now >= pending.nextAt) {
        packets.push(pending.packet)
        pending.intervalMs = Math.min(pending.intervalMs * 2, pending.longestMs)
        pending.nextAt = now + pending.intervalMs
      }
    }
    return packets
  }

  /** When `due` has something to do next; null when nothing is waiting. */
  nextAt(): number | null {
    let next = Number.POSITIVE_INFINITY
    for (const pending of this.pending.values())
      next = Math.min(next, pending.nextAt, pending.until)
    return next === Number.POSITIVE_INFINITY ? null : next
  }

  /** Stops sending again whatever carries this branch. */
  forget(branch: string): void {
    for (const key of this.pending.keys())
      if (key.slice(key.indexOf(' ') + 1) === branch) this.pending.delete(key)
  }

  clear(): void {
    this.pending.clear()
    this.acks.clear()
  }

  private begin(key: string, packet: Packet, longestMs: number, now: number): void {
    this.pending.set(key, {
      packet,
      intervalMs: T1,
      longestMs,
      nextAt: now + T1,
      until: now + LIFETIME,
    })
  }

  private dropExpiredAcks(now: number): void {
    // A Map keeps the order of insertion: the first that lives ends the search.
    for (const [branch, known] of this.acks) {
      if (known.until > now) return
      this.acks.delete(branch)
    }
  }
}

function requestKey(branch: string, method: string): string {
  return `${method} ${branch}`
}

function responseKey(branch: string): string {
  return `response ${branch}`
}
