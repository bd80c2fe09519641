/** What the other side says of its sound, read with tolerance and within bounds. Never throws. */
import ipaddr from 'ipaddr.js'
import { type MediaDescription, parse } from 'sdp-transform'
import type { CodecName, Direction } from '../media/media.ts'
import { STATIC_PAYLOAD_TYPE } from './offer.ts'

const MAX_LENGTH = 4_096
const MAX_STREAMS = 16

export interface RemoteSound {
  /** All streams of the description; `taken` is the index of the one we read. */
  streams: readonly MediaDescription[]
  taken: number
  /** Null: it names no address for now (`0.0.0.0`), which was how one held before RFC 3264 (§8.4). */
  host: string | null
  port: number
  codec: CodecName
  payloadType: number
  telephoneEventPayloadType: number | null
  /** Seen from us: what their direction leaves us to do. */
  direction: Direction
}

/** Their first audio stream that we can take, or one sentence why there is none. */
export function readSound(
  sdp: string,
  codecs: readonly CodecName[],
): RemoteSound | { refused: string } {
  if (sdp.trim() === '') return { refused: 'no session description' }
  if (sdp.length > MAX_LENGTH) return { refused: 'the session description is too long' }
  try {
    return readParsed(parse(sdp.replace(/\r?\n/g, '\r\n')), codecs)
  } catch {
    return { refused: 'the session description cannot be read' }
  }
}

type Parsed = ReturnType<typeof parse>

function readParsed(
  session: Parsed,
  codecs: readonly CodecName[],
): RemoteSound | { refused: string } {
  const streams = Array.isArray(session.media) ? session.media : []
  if (streams.length > MAX_STREAMS)
    return { refused: 'the session description has too many streams' }
  const taken = streams.findIndex(isPlainAudio)
  const stream = streams[taken]
  if (!stream) return { refused: 'no audio over RTP/AVP' }
  const format = chooseCodec(stream, codecs)
  if (!format) return { refused: 'no codec in common' }
  const address = stream.connection?.ip ?? session.connection?.ip
  const host = readAddress(address)
  if (host === undefined) return { refused: 'no address that sound could be sent to' }
  const theirs = stream.direction ?? session.direction ?? 'sendrecv'
  return {
    streams,
    taken,
    host,
    port: stream.port,
    ...format,
    telephoneEventPayloadType: telephoneEventOf(stream),
    direction: host === null ? 'inactive' : mirror(theirs),
  }
}

function isPlainAudio(stream: MediaDescription): boolean {
  return (
    stream.type === 'audio' &&
    stream.protocol === 'RTP/AVP' &&
    Number.isInteger(stream.port) &&
    stream.port > 0 &&
    stream.port < 65_536
  )
}

/** The first format of their list that is one of ours: the list is in their order of preference (RFC 3264 §6.1). */
function chooseCodec(
  stream: MediaDescription,
  codecs: readonly CodecName[],
): { codec: CodecName; payloadType: number } | undefined {
  for (const word of String(stream.payloads ?? '').split(/\s+/)) {
    const payloadType = Number(word)
    if (word === '' || !isPayloadType(payloadType)) continue
    const mapped = stream.rtp?.find((format) => format.payload === payloadType)
    const codec = codecs.find((name) =>
      mapped
        ? mapped.codec.toUpperCase() === name && (mapped.rate ?? 8_000) === 8_000
        : STATIC_PAYLOAD_TYPE[name] === payloadType,
    )
    if (codec) return { codec, payloadType }
  }
  return undefined
}

function telephoneEventOf(stream: MediaDescription): number | null {
  const offered = String(stream.payloads ?? '').split(/\s+/)
  const event = stream.rtp?.find(
    (format) =>
      String(format.codec).toLowerCase() === 'telephone-event' &&
      (format.rate ?? 8_000) === 8_000 &&
      isPayloadType(format.payload) &&
      offered.includes(String(format.payload)),
  )
  return event?.payload ?? null
}

function isPayloadType(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 127
}

/** Undefined: nothing that sound may be sent to; null: `0.0.0.0`. */
function readAddress(text: string | undefined): string | null | undefined {
  if (text === undefined || !ipaddr.isValid(text)) return undefined
  const address = ipaddr.process(text)
  const range = address.range()
  if (range === 'unspecified') return null
  if (range === 'multicast' || range === 'broadcast') return undefined
  return address.toString()
}

function mirror(direction: string): Direction {
  if (direction === 'sendonly') return 'recvonly'
  if (direction === 'recvonly') return 'sendonly'
  return direction === 'inactive' ? 'inactive' : 'sendrecv'
}
