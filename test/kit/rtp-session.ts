/** One `RtpSession` without sockets, and the packets of the other side, for tests. */
import { Ring } from '../../src/core/ring.ts'
import { createCodecs } from '../../src/telephony/codecs/codec.ts'
import type { Agreement, CodecName, SrtpKeys } from '../../src/telephony/media/media.ts'
import { writeHeader } from '../../src/telephony/rtp/packet.ts'
import { RtpSession, type RtpSessionOptions } from '../../src/telephony/rtp/session.ts'
import { SRTP_OVERHEAD_BYTES, SrtpSender } from '../../src/telephony/rtp/srtp.ts'
import { tone } from './tones.ts'

export const HUMAN = { host: '198.51.100.7', port: 4000 }

export const agreed: Agreement = {
  remote: HUMAN,
  signallingHost: '198.51.100.1',
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: 101,
  telephoneEventClockHz: 8000,
  listenForTones: false,
  ptimeMs: 20,
  srtp: null,
  rtcp: null,
  direction: 'sendrecv',
}

export const codecs = createCodecs(null)

export function sessionOptions(o: Partial<RtpSessionOptions> = {}): RtpSessionOptions {
  return {
    ears: Ring.create(8000, 30),
    codecs,
    ssrc: 1,
    sequence: 0,
    timestamp: 0,
    cname: 'name',
    silenceTimeoutMs: 5000,
    send: () => true,
    sendControl: () => undefined,
    started: () => undefined,
    ended: () => undefined,
    digit: () => undefined,
    silent: () => undefined,
    ...o,
  }
}

interface Sent {
  to: string
  bytes: Uint8Array
}

/** A session that agreed at 0 on `change` of the usual. */
export function openSession(change: Partial<Agreement> = {}, o: { rateHz?: number } = {}) {
  const ears = Ring.create(o.rateHz ?? 8000, 30)
  const sent: Sent[] = []
  const control: Sent[] = []
  const told: string[] = []
  const session = new RtpSession(
    sessionOptions({
      ears,
      send: (bytes, port, host) => sent.push({ to: `${host}:${port}`, bytes: bytes.slice() }) > 0,
      sendControl: (bytes, port, host) =>
        control.push({ to: `${host}:${port}`, bytes: bytes.slice() }),
      started: (clip) => told.push(`started ${clip}`),
      ended: (clip, samples, whole) => told.push(`ended ${clip} ${samples} ${whole}`),
      digit: (key) => told.push(`key ${key}`),
      silent: () => told.push('silent'),
    }),
  )
  session.agree({ ...agreed, ...change }, 0)
  /** Ticks up to `to`, calling `each` once a frame before it. */
  const run = (from: number, to: number, each: (now: number, n: number) => void = () => {}) => {
    for (let now = from, n = 0; now < to; now += 20, n++) {
      each(now, n)
      session.tick(now)
    }
  }
  /** The last second of what was heard, less the last 100 ms. */
  const lately = () => ears.read(ears.written - ears.rateHz, ears.written - ears.rateHz / 10)
  const all = () => ears.read(0, ears.written)
  return { session, ears, sent, control, told, run, all, lately }
}

/** The other side: packets of a tone, one after the other, encrypted where `srtp` is given. */
export function talker(
  o: {
    codec?: CodecName
    type?: number
    hz?: number
    ms?: number
    ssrc?: number
    srtp?: SrtpKeys
  } = {},
) {
  const codec = codecs.get(o.codec ?? 'PCMU')
  if (!codec) throw new Error(`no ${o.codec}`)
  const { rateHz, clockHz } = codec
  const encoder = codec.encoder()
  const protector = o.srtp && new SrtpSender(o.srtp.suite, o.srtp.sendKey)
  const { ms = 20, hz = 500, ssrc = 77 } = o
  let n = 0
  return function next(): Uint8Array {
    const samples = (ms * rateHz) / 1000
    const packet = new Uint8Array(12 + samples + SRTP_OVERHEAD_BYTES)
    writeHeader(packet, {
      payloadType: o.type ?? codec.staticPayloadType ?? 0,
      marker: n === 0,
      sequence: n & 0xffff,
      timestamp: (n * ms * clockHz) / 1000,
      ssrc,
    })
    const piece = tone(hz, samples, { from: n * samples, rateHz })
    const length = 12 + encoder.encode(piece, packet, 12)
    n++
    return packet.slice(0, protector ? protector.protect(packet, length) : length)
  }
}
