/** A network between us and a peer on loopback that loses, repeats and reorders datagrams, the same on every run. */
import { randomSource } from './seeded.ts'

export interface Harm {
  /** Shares of all datagrams, either way, from 0 to 1. */
  lose?: number
  repeat?: number
  /** Held back for 40 ms. */
  reorder?: number
  seed: number
}

export interface Relay {
  /** Where we send to instead of to the peer. */
  port: number
  counts: { passed: number; lost: number; repeated: number; reordered: number }
  close(): void
}

/** Passes datagrams on to `port` and back to whoever sent last. */
export async function openRelay(port: number, harm: Harm): Promise<Relay> {
  const random = randomSource(harm.seed)
  const counts = { passed: 0, lost: 0, repeated: 0, reordered: 0 }
  let caller = 0
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    port: 0,
    binaryType: 'buffer',
    socket: {
      data(_socket, data, from) {
        if (from !== port) caller = from
        const to = from === port ? caller : port
        const bytes = Buffer.from(data)
        if (random() < (harm.lose ?? 0)) counts.lost++
        else if (random() < (harm.reorder ?? 0)) {
          counts.reordered++
          setTimeout(() => pass(bytes, to), 40)
        } else pass(bytes, to)
      },
      error() {},
    },
  })
  function pass(bytes: Uint8Array, to: number): void {
    const copies = random() < (harm.repeat ?? 0) ? 2 : 1
    counts.passed++
    counts.repeated += copies - 1
    for (let n = 0; n < copies; n++)
      try {
        socket.send(bytes, to, '127.0.0.1')
      } catch {
        // The refusal of an earlier datagram is told to the next: it is lost like others.
      }
  }
  return { port: socket.port, counts, close: () => socket.close() }
}
