/**
 * What passed a call's wire: for each packet of sound its time, its direction and how loud it was, in shared memory. The
 * media worker takes the times at its sockets and is the only writer; who measures the other side reads.
 *
 * Layout: a count, then `capacity` times (64-bit, ms), then `capacity` loudnesses (16-bit; of what was sent: -1 - loudness).
 */
import { rms } from '../../core/pcm.ts'
import { decodeG711, type G711, pcma, pcmu } from '../codecs/g711.ts'
import { emptyPacket, parsePacket } from '../rtp/packet.ts'

const HEADER_BYTES = 8
/** A quarter of an hour of both directions. What comes after is not written down. */
const CAPACITY = 90_000
/** RFC 3551 §6. */
const LAWS = new Map<number, G711>([
  [0, pcmu],
  [8, pcma],
])

export interface WirePacket {
  /** ms on the writer's clock. */
  at: number
  sent: boolean
  /** Root mean square of its samples, 0 to 32767. */
  loudness: number
}

export class WireLog {
  readonly buffer: SharedArrayBuffer
  private readonly counted: Int32Array
  private readonly times: Float64Array
  private readonly loudnesses: Int16Array
  private readonly packet = emptyPacket()

  /** Opens shared memory that `WireLog.create` made, on any thread. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    const capacity = (buffer.byteLength - HEADER_BYTES) / 10
    this.counted = new Int32Array(buffer, 0, 1)
    this.times = new Float64Array(buffer, HEADER_BYTES, capacity)
    this.loudnesses = new Int16Array(buffer, HEADER_BYTES + capacity * 8, capacity)
  }

  static create(capacity = CAPACITY): WireLog {
    return new WireLog(new SharedArrayBuffer(HEADER_BYTES + capacity * 10))
  }

  /** How many packets are written down. */
  get count(): number {
    return Atomics.load(this.counted, 0)
  }

  /** The packets [from, to), in the order in which they passed. */
  packets(from = 0, to = this.count): WirePacket[] {
    return Array.from({ length: Math.max(0, Math.min(to, this.count) - from) }, (_, i) => {
      const loudness = this.loudnesses[from + i] as number
      const sent = loudness < 0
      return { at: this.times[from + i] as number, sent, loudness: sent ? -1 - loudness : loudness }
    })
  }

  /** Writes a datagram down when it is G.711: nothing else is measured. */
  passed(datagram: Uint8Array, o: { at: number; sent: boolean }): void {
    const packet = parsePacket(datagram, this.packet)
    const law = packet && LAWS.get(packet.payloadType)
    if (law) this.add({ ...o, loudness: rms(decodeG711(law, packet.payload)) })
  }

  /** One writer only. */
  add({ at, sent, loudness }: WirePacket): void {
    const index = this.count
    if (index >= this.times.length) return
    const whole = Math.min(32_767, Math.round(loudness))
    this.times[index] = at
    this.loudnesses[index] = sent ? -1 - whole : whole
    Atomics.store(this.counted, 0, index + 1)
  }
}
