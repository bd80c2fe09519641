/** RTP as signalling sees it: one session a call, alive from the offer on. The worker behind it moves the sound. */
import type { MediaFigures } from '../../calls/call-trace.ts'
import type { Mouth } from '../../calls/ports.ts'
import type { Ring } from '../../core/ring.ts'
import type { WireLog } from './wire-log.ts'

/** G722 and opus carry sound at 16 kHz, the others at 8 kHz. */
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'opus'

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** RFC 4568 §6.2: AES-128 in counter mode; HMAC-SHA1 cut to 80 or 32 bits. */
export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32'

/** The keys of both directions: base64 of 16 bytes of master key and 14 of master salt. */
export interface SrtpKeys {
  suite: SrtpSuite
  sendKey: string
  receiveKey: string
}

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
  /** In which its durations count: 8000, or with Opus perhaps 48000. */
  telephoneEventClockHz: number
  /** Whether keys are looked for in the sound: where they may come that way and no other. */
  listenForTones: boolean
  /** Seen from us: what we do. `recvonly` and `inactive` send nothing that is heard, only what keeps NATs open. */
  direction: Direction
  /** How much sound the other side wants in one packet: 10, 20, 30, 40 or 60 ms. What comes may differ. */
  ptimeMs: number
  /** Null: sound goes unencrypted. */
  srtp: SrtpKeys | null
  /** RTCP of the other side: on the port of its sound (RFC 5761), on another of the same address, or nowhere. */
  rtcp: 'mux' | { port: number } | null
}

/** As the trace of a call tells it, of sound that is under way or over. */
export interface MediaStats extends MediaFigures {
  codec: CodecName | null
}

export const NO_STATS: MediaStats = {
  packetsSent: 0,
  packetsReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  packetsLost: 0,
  packetsLate: 0,
  packetsDuplicate: 0,
  packetsForeign: 0,
  packetsUnauthentic: 0,
  concealedMs: 0,
  jitterMs: 0,
  ssrcChanges: 0,
  digitsReceived: 0,
  codec: null,
  ptimeMs: null,
  encrypted: false,
  remote: null,
}

export interface MediaSession {
  /** The UDP port that the offer names; even (RFC 3550 §11). */
  readonly localPort: number
  /** The codecs that can be offered and taken. */
  readonly codecs: ReadonlySet<CodecName>
  /** At the rate of the codec that the first `agree` names, or at 8 kHz when asked for before; keeps the last 60 s. */
  readonly ears: Ring
  readonly mouth: Mouth
  /** What passed its wire, where that was asked for. */
  readonly wire?: WireLog | null
  /** Begins (or changes) sound as agreed. From here on sound or silence is sent every 20 ms without a gap. */
  agree(agreement: Agreement): void
  /**
   * Sends keys (0-9 * # A-D, `w` waits half a second) by RFC 4733, or in-band tones where the other side does not take
   * them; clips wait meanwhile. Resolves when the last left, or on close. Rejects when something else is in `digits`.
   */
  sendDigits(digits: string): Promise<void>
  /**
   * Tells each key (0-9 * # A-D) that the other side presses, once, whether it comes as an event (RFC 4733) or, where
   * events are not agreed on, as a tone in the sound. One listener; the last one given.
   */
  onDigit(listener: (digit: string) => void): void
  /**
   * Tells each time that no packet came for the watchdog's time after `agree` (only `sendrecv` counts), and that the
   * worker behind it died; also when that was before. The last listener counts.
   */
  onSilent(listener: () => void): void
  /** The last figures that the worker told. */
  stats(): MediaStats
  /** Resolves after `close`, when the last figures are in or nothing more will come of them. */
  readonly over: Promise<void>
  /** Stops sound, frees the port; playbacks end. Idempotent. */
  close(): void
}

export interface Media {
  /** Binds a port of the configured range. Throws when none is free. */
  open(): Promise<MediaSession>
}
