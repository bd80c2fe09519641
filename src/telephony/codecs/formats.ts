/** What SDP and RTP have to know of each codec (RFC 3551 §6, RFC 7587). */
import type { CodecName } from '../media/media.ts'

export interface Format {
  /** Samples a second of the sound that it carries. */
  rateHz: number
  /** Ticks a second of its RTP timestamps; what SDP names. */
  clockHz: number
  /** SDP's number of channels; 1 is left out. */
  channels: 1 | 2
  /** The payload type that always means it; null: it needs an `a=rtpmap`. */
  staticPayloadType: number | null
  /** The payload type that we offer it under. */
  offeredPayloadType: number
  /** How much sound one packet may hold, in ms. */
  ptimesMs: readonly number[]
}

const ANY_PTIME = [10, 20, 30, 40, 60]

export const FORMATS: Readonly<Record<CodecName, Format>> = {
  PCMU: telephone(0, 8_000),
  PCMA: telephone(8, 8_000),
  // RFC 3551 §4.5.2: 16 kHz sound, and by an old mistake a clock of 8 kHz.
  G722: telephone(9, 16_000),
  // RFC 7587 §4: always written as opus/48000/2. 30 ms is no frame length of it.
  opus: {
    rateHz: 16_000,
    clockHz: 48_000,
    channels: 2,
    staticPayloadType: null,
    offeredPayloadType: 111,
    ptimesMs: [10, 20, 40, 60],
  },
}

/** The payload types that we offer telephone-event under (RFC 4733), by its clock in Hz. */
export const OFFERED_EVENTS: Readonly<Record<number, number>> = { 8000: 101, 48000: 110 }

function telephone(payloadType: number, rateHz: number): Format {
  return {
    rateHz,
    clockHz: 8_000,
    channels: 1,
    staticPayloadType: payloadType,
    offeredPayloadType: payloadType,
    ptimesMs: ANY_PTIME,
  }
}

/** The rates of the sound of some codecs, each once, in their order. */
export function ratesOf(codecs: readonly CodecName[]): number[] {
  return [...new Set(codecs.map((codec) => FORMATS[codec].rateHz))]
}

const USUAL_PTIME_MS = 20

/** The packet length for what they ask (`a=ptime`, `a=maxptime`; ms): the longest of the codec's that is no longer. */
export function choosePtime(
  codec: CodecName,
  asked: { ptime?: number | undefined; maxptime?: number | undefined },
): number {
  const [shortest = USUAL_PTIME_MS] = FORMATS[codec].ptimesMs
  const wanted = Math.min(positive(asked.ptime) ?? USUAL_PTIME_MS, positive(asked.maxptime) ?? 60)
  return FORMATS[codec].ptimesMs.findLast((ms) => ms <= wanted) ?? shortest
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined
}
