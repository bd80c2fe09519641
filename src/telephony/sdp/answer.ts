/** What the other side says of its sound, read with tolerance and within bounds. Never throws. */
import ipaddr from 'ipaddr.js'
import { type MediaDescription, parse } from 'sdp-transform'
import { choosePtime, FORMATS } from '../codecs/formats.ts'
import type { Agreement, CodecName, Direction } from '../media/media.ts'
import { chooseKey, hasCrypto, type SdesKey, type SrtpPolicy } from './keys.ts'

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
  telephoneEventClockHz: number
  /** Seen from us: what their direction leaves us to do. */
  direction: Direction
  /** How much sound they want in one packet. */
  ptimeMs: number
  /** Their key, where sound is encrypted. */
  crypto: SdesKey | null
  rtcp: Agreement['rtcp']
}

export interface Terms {
  /** In order of preference. */
  codecs: readonly CodecName[]
  srtp: SrtpPolicy
  /** Where an answer of theirs is read: the keys that our offer named. Left out for an offer of theirs. */
  offeredKeys?: readonly SdesKey[]
}

type Refused = { refused: string }

/** Their first audio stream that we can take (an encrypted one before a plain one), or why there is none. */
export function readSound(sdp: string, terms: Terms): RemoteSound | Refused {
  if (sdp.trim() === '') return { refused: 'no session description' }
  if (sdp.length > MAX_LENGTH) return { refused: 'the session description is too long' }
  try {
    return readParsed(parse(inOrder(sdp)), terms)
  } catch {
    return { refused: 'the session description cannot be read' }
  }
}

/** Line ends, white space and numbers as RFC 8866 has them: who writes others means the same. */
function inOrder(sdp: string): string {
  return sdp
    .replace(/[\t ]+/g, ' ')
    .replace(/ ?\r?\n/g, '\r\n')
    .replace(/^(m=\w+ \d+)\/\d+ /gm, '$1 ')
    .replace(/^(c=IN IP[46] [^\s/]+)\/\S*/gm, '$1')
}

type Parsed = ReturnType<typeof parse>

function readParsed(session: Parsed, terms: Terms): RemoteSound | Refused {
  const streams = Array.isArray(session.media) ? session.media : []
  if (streams.length > MAX_STREAMS)
    return { refused: 'the session description has too many streams' }
  const choice = chooseStream(streams, terms)
  if ('refused' in choice) return choice
  const { stream, taken, crypto } = choice
  const format = chooseCodec(stream, terms.codecs)
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
    ...telephoneEventOf(stream, format.codec),
    direction: host === null ? 'inactive' : mirror(theirs),
    ptimeMs: choosePtime(format.codec, stream),
    crypto,
    rtcp: rtcpOf(stream, { host, muxed: terms.offeredKeys === undefined }),
  }
}

function chooseStream(
  streams: readonly MediaDescription[],
  terms: Terms,
): { stream: MediaDescription; taken: number; crypto: SdesKey | null } | Refused {
  let plain: { stream: MediaDescription; taken: number; crypto: null } | undefined
  let encrypted = false
  for (const [taken, stream] of streams.entries()) {
    if (!isAudio(stream)) continue
    const crypto = terms.srtp === 'off' ? undefined : chooseKey(stream, terms.offeredKeys)
    if (crypto) return { stream, taken, crypto }
    // What answers us with a key that we cannot use will encrypt all the same.
    const unusable = terms.srtp !== 'off' && terms.offeredKeys !== undefined && hasCrypto(stream)
    if (stream.protocol === 'RTP/SAVP' || unusable) encrypted = true
    else plain ??= { stream, taken, crypto: null }
  }
  if (plain && terms.srtp !== 'required') return plain
  if (plain) return { refused: 'the trunk asks for encrypted sound (SRTP), and it is not' }
  return { refused: encrypted ? 'encrypted sound that we cannot read' : 'no audio over RTP/AVP' }
}

function isAudio(stream: MediaDescription): boolean {
  return (
    stream.type === 'audio' &&
    (stream.protocol === 'RTP/AVP' || stream.protocol === 'RTP/SAVP') &&
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
      mapped ? isOf(name, mapped) : FORMATS[name].staticPayloadType === payloadType,
    )
    if (codec) return { codec, payloadType }
  }
  return undefined
}

function isOf(name: CodecName, mapped: MediaDescription['rtp'][number]): boolean {
  const { clockHz } = FORMATS[name]
  return mapped.codec.toUpperCase() === name.toUpperCase() && (mapped.rate ?? clockHz) === clockHz
}

/** RFC 4733 §2.1: it counts in the clock of the sound; beside Opus many have it at 8 kHz all the same. */
function telephoneEventOf(
  stream: MediaDescription,
  codec: CodecName,
): { telephoneEventPayloadType: number | null; telephoneEventClockHz: number } {
  const offered = String(stream.payloads ?? '').split(/\s+/)
  const events = (stream.rtp ?? []).filter(
    (format) =>
      String(format.codec).toLowerCase() === 'telephone-event' &&
      isPayloadType(format.payload) &&
      offered.includes(String(format.payload)),
  )
  const clocks = new Set([FORMATS[codec].clockHz, 8_000])
  for (const clockHz of clocks) {
    const event = events.find((format) => (format.rate ?? 8_000) === clockHz)
    if (event) return { telephoneEventPayloadType: event.payload, telephoneEventClockHz: clockHz }
  }
  return { telephoneEventPayloadType: null, telephoneEventClockHz: 8_000 }
}

/** RFC 5761 §5.1: muxed where they offer it (we do not). RFC 3605: on a port of its own, else the next one. */
function rtcpOf(
  stream: MediaDescription,
  o: { host: string | null; muxed: boolean },
): RemoteSound['rtcp'] {
  if (stream.rtcpMux !== undefined && o.muxed) return 'mux'
  const { port, address } = stream.rtcp ?? { port: stream.port + 1 }
  // Another address than that of the sound is nobody we agreed to send to.
  if (address !== undefined && readAddress(address) !== o.host) return null
  return Number.isInteger(port) && port > 0 && port < 65_536 ? { port } : null
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
