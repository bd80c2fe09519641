/** The other side of every leg of `media.ts`, in a process of its own: one socket that speaks to all and hears all. */

import { createCodecs } from '../../src/telephony/codecs/codec.ts'
import { FORMATS } from '../../src/telephony/codecs/formats.ts'
import { openOpus } from '../../src/telephony/codecs/opus.ts'
import type { CodecName, SrtpKeys } from '../../src/telephony/media/media.ts'
import { writeHeader } from '../../src/telephony/rtp/packet.ts'
import { SRTP_OVERHEAD_BYTES, SrtpSender } from '../../src/telephony/rtp/srtp.ts'

export interface SpeakerOrder {
  ports: readonly number[]
  codec: CodecName
  keys: SrtpKeys | null
}

export interface Speaker {
  /** Where it speaks from and hears. */
  port: Promise<number>
  speak(order: SpeakerOrder): void
  stop(): void
}

/** Starts it; it ends with `stop`. */
export function openSpeaker(): Speaker {
  const told = Promise.withResolvers<number>()
  const child = Bun.spawn([process.execPath, import.meta.filename], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => told.resolve(message as number),
  })
  return {
    port: told.promise,
    speak: (order) => child.send(order),
    stop: () => child.kill(),
  }
}

/** Every leg has its turn once in 20 ms; the turns are spread over them. */
const SLOTS = 20
const FRAME_MS = 20

async function main(): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  process.on('message', (order: SpeakerOrder) => speak(socket, order))
  process.send?.(socket.port)
}

function speak(socket: Bun.udp.Socket<'buffer'>, { ports, codec, keys }: SpeakerOrder): void {
  const legs = ports.map((port) => ({ port, packet: new Uint8Array(400) }))
  const payload = soundOf(codec)
  const { clockHz, offeredPayloadType } = FORMATS[codec]
  const senders = legs.map(() => keys && new SrtpSender(keys.suite, keys.sendKey))
  const begun = performance.now()
  let slot = 0
  const beat = (): void => {
    for (; begun + slot * (FRAME_MS / SLOTS) <= performance.now(); slot++) {
      const frame = Math.floor(slot / SLOTS)
      const batch: (Uint8Array | number | string)[] = []
      for (let n = slot % SLOTS; n < legs.length; n += SLOTS) {
        const leg = legs[n]
        if (!leg) continue
        const { packet, port } = leg
        writeHeader(packet, {
          payloadType: offeredPayloadType,
          marker: false,
          sequence: frame & 0xffff,
          timestamp: ((frame * FRAME_MS * clockHz) / 1000) >>> 0,
          ssrc: n + 1,
        })
        packet.set(payload, 12)
        const length = senders[n]?.protect(packet, 12 + payload.length) ?? 12 + payload.length
        batch.push(packet.subarray(0, length), port, '127.0.0.1')
      }
      if (batch.length > 0) socket.sendMany(batch)
    }
    setTimeout(beat, 1)
  }
  beat()
}

/** 20 ms of sound. */
function soundOf(codec: CodecName): Uint8Array {
  const opus = codec === 'opus' ? openOpus(process.env.DATA_DIR ?? '/tmp/landline-bench') : null
  const made = createCodecs(opus).get(codec)
  const samples = Int16Array.from(
    { length: (FORMATS[codec].rateHz * FRAME_MS) / 1000 },
    (_, n) => 6000 * Math.sin(n / 6),
  )
  const to = new Uint8Array(400 - SRTP_OVERHEAD_BYTES)
  return to.slice(0, made?.encoder().encode(samples, to, 0) ?? 0)
}

if (import.meta.main) void main()
