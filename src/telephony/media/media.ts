/** RTP as signalling sees it: one session a call, alive from the offer on. The worker behind it moves the sound. */
import type { Mouth } from '../../calls/ports.ts'
import type { Ring } from '../../core/ring.ts'

export type CodecName = 'PCMU' | 'PCMA'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** What offer and answer agreed on (RFC 3264); given again after each re-INVITE. */
export interface Agreement {
  /** Where the SDP says that sound goes to and comes from: an IP address (nothing is sent to a name), and a port. */
  remote: { host: string; port: number }
  /** The address that signals for the other side: the fallback source when the SDP's address is private. */
  signallingHost: string
  codec: CodecName
  payloadType: number
  /** RFC 4733 telephone-event, where the other side takes it. */
  telephoneEventPayloadType: number | null
  /** Seen from us: what we do. `recvonly` and `inactive` send nothing that is heard, only what keeps NATs open. */
  direction: Direction
}

export interface MediaStats {
  packetsSent: number
  packetsReceived: number
  packetsLost: number
  packetsLate: number
  /** Dropped because they came from elsewhere than the agreed source. */
  packetsForeign: number
  /** RFC 3550 §6.4.1, in ms. */
  jitterMs: number
}

export interface MediaSession {
  /** The UDP port that the offer names; even (RFC 3550 §11). */
  readonly localPort: number
  /** Begins at the first `agree`; keeps the last 60 s. */
  readonly ears: Ring
  readonly mouth: Mouth
  /** Begins (or changes) sound as agreed. From here on sound or silence is sent every 20 ms without a gap. */
  agree(agreement: Agreement): void
  /**
   * Sends keys (0-9 * # A-D, `w` waits half a second) by RFC 4733, or in-band tones where the other side does not take
   * them; clips wait meanwhile. Resolves when the last left, or on close. Rejects when something else is in `digits`.
   */
  sendDigits(digits: string): Promise<void>
  /**
   * Resolves once when no packet came for the watchdog's time after `agree` (only `sendrecv` counts), or when the
   * worker behind it died.
   */
  readonly silent: Promise<void>
  /** The last figures that the worker told. */
  stats(): MediaStats
  /** Stops sound, frees the port; playbacks end. Idempotent. */
  close(): void
}

export interface Media {
  /** Binds a port of the configured range. Throws when none is free. */
  open(): Promise<MediaSession>
}
