/** What we say of our sound: offers and answers (RFC 8866, RFC 3264). */
import { type MediaDescription, type SessionDescription, write } from 'sdp-transform'
import type { Ids } from '../../core/ids.ts'
import { FORMATS, OFFERED_EVENTS } from '../codecs/formats.ts'
import type { CodecName, Direction } from '../media/media.ts'
import type { RemoteSound } from './answer.ts'
import { makeKeys, type SdesKey, type SrtpPolicy } from './keys.ts'

/** RFC 4733 §3.2: the keys of a telephone, and a flash. */
const EVENTS = '0-16'
/** RFC 7587 §6.1: more than 16 kHz is of no use to us. */
const OPUS_PARAMETERS = 'maxplaybackrate=16000;sprop-maxcapturerate=16000'
const OFFERED_PTIME_MS = 20

export interface LocalSound {
  /** An IP address: where we want sound sent to. */
  address: string
  port: number
  /** The same over all descriptions of a call; `version` grows by one with each (RFC 3264 §8). */
  sessionId: number
  version: number
  srtp: SrtpPolicy
  /** One for each suite; the same over all descriptions of a call. */
  keys: readonly SdesKey[]
}

/** What we say of ourselves in a call that begins. */
export function localSound(ids: Ids, o: Pick<LocalSound, 'address' | 'port' | 'srtp'>): LocalSound {
  const sessionId = Math.floor(ids.fraction() * 2 ** 31)
  return { ...o, sessionId, version: 1, keys: makeKeys(ids, o.srtp) }
}

/**
 * Our offer: the codecs in order of preference, and keys by RFC 4733. Encrypted sound is offered as RTP/SAVP where it
 * is required; where it is optional as RTP/AVP with `a=crypto` beside, which who does not know it passes over.
 */
export function renderOffer(
  local: LocalSound,
  o: { codecs: readonly CodecName[]; telephoneEvent: boolean; direction?: Direction },
): string {
  const clocks = new Set(o.codecs.map((codec) => FORMATS[codec].clockHz).sort((a, b) => a - b))
  return render(local, [
    ourMedia(local.port, {
      protocol: local.srtp === 'required' ? 'RTP/SAVP' : 'RTP/AVP',
      formats: o.codecs.map((codec) => ({ payload: FORMATS[codec].offeredPayloadType, codec })),
      telephoneEvents: o.telephoneEvent
        ? [...clocks].map((clockHz) => ({ payload: OFFERED_EVENTS[clockHz] ?? 101, clockHz }))
        : [],
      direction: o.direction ?? 'sendrecv',
      ptimeMs: OFFERED_PTIME_MS,
      keys: local.keys,
      mux: false,
    }),
  ])
}

/** Our answer to their offer: the one audio stream that we take, every other stream refused (RFC 3264 §6). */
export function renderAnswer(
  local: LocalSound,
  offer: RemoteSound,
  o: { telephoneEvent: boolean },
): string {
  const event = o.telephoneEvent ? offer.telephoneEventPayloadType : null
  const media = offer.streams.map((offered, index) =>
    index === offer.taken
      ? ourMedia(local.port, {
          protocol: offered.protocol,
          formats: [{ payload: offer.payloadType, codec: offer.codec }],
          telephoneEvents:
            event === null ? [] : [{ payload: event, clockHz: offer.telephoneEventClockHz }],
          direction: offer.direction,
          ptimeMs: offer.ptimeMs,
          keys: answeredKeys(local, offer),
          mux: offer.rtcp === 'mux',
        })
      : refusal(offered),
  )
  return render(local, media)
}

/** RFC 4568 §5.1.2: the line that was taken, under its tag, with the key that we send with. */
function answeredKeys({ keys }: LocalSound, { crypto }: RemoteSound): SdesKey[] {
  const ours = crypto && keys.find(({ suite }) => suite === crypto.suite)
  return ours ? [{ ...ours, tag: crypto.tag }] : []
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
    protocol: string
    formats: readonly { payload: number; codec: CodecName }[]
    telephoneEvents: readonly { payload: number; clockHz: number }[]
    direction: Direction
    ptimeMs: number
    keys: readonly SdesKey[]
    mux: boolean
  },
): MediaDescription {
  const rtp: MediaDescription['rtp'] = o.formats.map(({ payload, codec }) => {
    const { clockHz, channels } = FORMATS[codec]
    return { payload, codec, rate: clockHz, ...(channels > 1 ? { encoding: channels } : {}) }
  })
  const fmtp: MediaDescription['fmtp'] = o.formats
    .filter(({ codec }) => codec === 'opus')
    .map(({ payload }) => ({ payload, config: OPUS_PARAMETERS }))
  for (const { payload, clockHz } of o.telephoneEvents) {
    rtp.push({ payload, codec: 'telephone-event', rate: clockHz })
    fmtp.push({ payload, config: EVENTS })
  }
  return {
    type: 'audio',
    port,
    protocol: o.protocol,
    payloads: rtp.map((format) => format.payload).join(' '),
    rtp,
    fmtp,
    ptime: o.ptimeMs,
    direction: o.direction,
    ...(o.keys.length > 0 ? { crypto: o.keys.map(cryptoLine) } : {}),
    ...(o.mux ? { rtcpMux: 'rtcp-mux' } : {}),
  }
}

function cryptoLine({ tag, suite, key }: SdesKey): NonNullable<MediaDescription['crypto']>[number] {
  return { id: tag, suite, config: `inline:${key}` }
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
