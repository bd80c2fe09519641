/** The other end of a call's sound, for tests over real sockets. */
import { decodeG711, encodeG711, pcma, pcmu } from '../../src/telephony/codecs/g711.ts'
import { parsePacket, type RtpPacket, writeHeader } from '../../src/telephony/rtp/packet.ts'

export interface Peer {
  readonly port: number
  /** What came, with a copy of its payload and the time (performance.now) it came at. */
  readonly packets: (RtpPacket & { at: number })[]
  /** Where its own stream is. */
  readonly sent: { sequence: number; timestamp: number; ssrc: number }
  /** The sound that came, one packet after the other. */
  sound(codec: 'PCMU' | 'PCMA'): Int16Array
  /** Says `samples` in packets of 20 ms until they end or the returned function is called. */
  talk(
    to: number,
    samples: Int16Array,
    o?: { codec?: 'PCMU' | 'PCMA'; like?: Peer['sent'] },
  ): () => void
  raw(to: number, datagram: Uint8Array): void
  close(): void
}

export async function openPeer(): Promise<Peer> {
  const packets: Peer['packets'] = []
  let sent: Peer['sent'] = { sequence: 65_500, timestamp: 0xffff_f000, ssrc: 0x1234_5678 }
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(_, datagram) {
        const packet = parsePacket(Uint8Array.from(datagram))
        if (packet) packets.push({ ...packet, at: performance.now() })
      },
      error() {},
    },
  })
  function say(to: number, samples: Int16Array, codec: 'PCMU' | 'PCMA'): void {
    const packet = new Uint8Array(12 + samples.length)
    writeHeader(packet, { ...sent, marker: false, payloadType: codec === 'PCMU' ? 0 : 8 })
    encodeG711(codec === 'PCMU' ? pcmu : pcma, samples, packet, 12)
    socket.send(packet, to, '127.0.0.1')
    sent = {
      ...sent,
      sequence: (sent.sequence + 1) & 0xffff,
      timestamp: (sent.timestamp + samples.length) >>> 0,
    }
  }
  return {
    port: socket.port,
    packets,
    get sent() {
      return sent
    },
    sound(codec) {
      const law = codec === 'PCMU' ? pcmu : pcma
      const type = codec === 'PCMU' ? 0 : 8
      const sound = packets.filter(({ payloadType }) => payloadType === type)
      return Int16Array.from(sound.flatMap(({ payload }) => [...decodeG711(law, payload)]))
    },
    talk(to, samples, { codec = 'PCMU', like } = {}) {
      if (like) sent = { ...like }
      const begun = performance.now()
      let at = 0
      const beat = (): void => {
        say(to, samples.subarray(at, at + 160), codec)
        at += 160
        if (at < samples.length) arm()
      }
      let timer: ReturnType<typeof setTimeout>
      const arm = (): void => {
        timers.delete(timer)
        timer = setTimeout(beat, Math.max(0, begun + at / 8 - performance.now()))
        timers.add(timer)
      }
      arm()
      return () => clearTimeout(timer)
    },
    raw: (to, datagram) => void socket.send(datagram, to, '127.0.0.1'),
    close() {
      for (const timer of timers) clearTimeout(timer)
      if (!socket.closed) socket.close()
    },
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

/** Waits until something holds, at most 10 s. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited 10 s for: ${holds}`)
    await sleep(1)
  }
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
