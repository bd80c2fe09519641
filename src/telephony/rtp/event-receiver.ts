import { KEYS } from './dtmf.ts'
import { read16, timestampDistance } from './packet.ts'

/** What telephone-events are read from: a packet of the agreed payload type. */
export interface EventPacket {
  timestamp: number
  ssrc: number
  marker: boolean
  payload: Uint8Array
}

interface LastEvent {
  timestamp: number
  event: number
  duration: number
}

/** Gateways send keys under an SSRC of their own; so many are told apart. */
const MAX_STREAMS = 4
/** RFC 4733 §2.5.1.3: a longer event goes on in another one, which begins where this duration ends. */
const LONGEST_DURATION = 0xffff

/**
 * Keys pressed as telephone-events (RFC 4733). A key is told with the first packet of its event that comes, so it does
 * not matter which others are lost, repeated or late; all packets of an event carry the same timestamp.
 */
export class EventReceiver {
  private readonly last = new Map<number, LastEvent>()

  /** The key, once for each event; undefined for repeats, for other events than keys, and for garbage. */
  push(packet: EventPacket): string | undefined {
    const { payload, timestamp, ssrc } = packet
    if (payload.length < 4) return undefined
    const event = payload[0] as number
    const key = KEYS[event]
    if (key === undefined) return undefined
    const duration = read16(payload, 2)
    const last = this.last.get(ssrc)
    if (last && !this.isLater(last, { timestamp, event })) {
      if (last.timestamp === timestamp) last.duration = Math.max(last.duration, duration)
      return undefined
    }
    const goesOn = last !== undefined && last.event === event && continues(last, packet)
    this.remember(ssrc, { timestamp, event, duration })
    return goesOn ? undefined : key
  }

  private isLater(last: LastEvent, now: { timestamp: number; event: number }): boolean {
    return timestampDistance(last.timestamp, now.timestamp) > 0
  }

  private remember(ssrc: number, event: LastEvent): void {
    if (!this.last.has(ssrc) && this.last.size >= MAX_STREAMS)
      this.last.delete(this.last.keys().next().value ?? ssrc)
    this.last.set(ssrc, event)
  }
}

function continues(last: LastEvent, now: EventPacket): boolean {
  const apart = timestampDistance(last.timestamp, now.timestamp)
  return !now.marker && last.duration === LONGEST_DURATION && apart === LONGEST_DURATION
}
