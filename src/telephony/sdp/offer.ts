/** What we say of our sound: offers and answers (RFC 8866, RFC 3264). */
import { type MediaDescription, type SessionDescription, write } from 'sdp-transform'
import type { CodecName, Direction } from '../media/media.ts'

/** RFC 3551 §6: static payload types. */
export const STATIC_PAYLOAD_TYPE: Record<CodecName, number> = { PCMU: 0, PCMA: 8 }
/** The dynamic type that everybody uses for telephone-event (RFC 4733). */
export const OUR_TELEPHONE_EVENT = 101

export interface LocalSound {
  /** An IP address: where we want sound sent to. */
  address: string
  port: number
  /** The same over all descriptions of a call; `version` grows by one with each (RFC 3264 §8). */
  sessionId: number
  version: number
}

/** Our offer: the codecs in order of preference, and keys by RFC 4733. */
export function renderOffer(
  local: LocalSound,
  o: { codecs: readonly CodecName[]; telephoneEvent: boolean; direction?: Direction },
): string {
  const formats = o.codecs.map((codec) => ({ payload: STATIC_PAYLOAD_TYPE[codec], codec }))
  return render(local, [
    ourMedia(local.port, {
      formats,
      telephoneEvent: o.telephoneEvent ? OUR_TELEPHONE_EVENT : null,
      direction: o.direction ?? 'sendrecv',
    }),
  ])
}

/** Our answer: the one audio stream that we take, every other stream of the offer refused (RFC 3264 §6). */
export function renderAnswer(
  local: LocalSound,
  o: {
    offered: readonly MediaDescription[]
    taken: number
    codec: CodecName
    payloadType: number
    telephoneEvent: number | null
    direction: Direction
  },
): string {
  const media = o.offered.map((offered, index) =>
    index === o.taken
      ? ourMedia(local.port, {
          formats: [{ payload: o.payloadType, codec: o.codec }],
          telephoneEvent: o.telephoneEvent,
          direction: o.direction,
        })
      : refusal(offered),
  )
  return render(local, media)
}

function refusal(offered: MediaDescription): MediaDescription {
  return {
    type: offered.type,
    port: 0,
    protocol: offered.protocol,
    payloads: offered.payloads ?? '0',
    rtp: [],
    fmtp: [],
  }
}

function ourMedia(
  port: number,
  o: {
    formats: readonly { payload: number; codec: CodecName }[]
    telephoneEvent: number | null
    direction: Direction
  },
): MediaDescription {
  const rtp = o.formats.map(({ payload, codec }) => ({
    payload,
    codec: codec as string,
    rate: 8_000,
  }))
  const fmtp: MediaDescription['fmtp'] = []
  if (o.telephoneEvent !== null) {
    rtp.push({ payload: o.telephoneEvent, codec: 'telephone-event', rate: 8_000 })
    fmtp.push({ payload: o.telephoneEvent, config: '0-16' })
  }
  return {
    type: 'audio',
    port,
    protocol: 'RTP/AVP',
    payloads: rtp.map((format) => format.payload).join(' '),
    rtp,
    fmtp,
    ptime: 20,
    direction: o.direction,
  }
}

function render(local: LocalSound, media: MediaDescription[]): string {
  const ipVer = local.address.includes(':') ? 6 : 4
  const session: SessionDescription = {
    version: 0,
    origin: {
      username: '-',
      sessionId: local.sessionId,
      sessionVersion: local.version,
      netType: 'IN',
      ipVer,
      address: local.address,
    },
    name: '-',
    connection: { version: ipVer, ip: local.address },
    timing: { start: 0, stop: 0 },
    media,
  }
  return write(session)
}
