/** The control of `rtp`: a packet every 20 ms by a timer without drift on a thread of its own, and nothing else. */
import { parentPort } from 'node:worker_threads'

const FRAME_MS = 20
const packet = new Uint8Array(172)
let timer: ReturnType<typeof setTimeout> | undefined

parentPort?.on('message', (port: number | null) => {
  clearTimeout(timer)
  if (port !== null) void pace(port)
})

async function pace(port: number): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: '127.0.0.1', port: 0, socket: { error() {} } })
  const begun = performance.now()
  let count = 0
  const beat = (): void => {
    socket.send(packet, port, '127.0.0.1')
    count++
    timer = setTimeout(beat, Math.max(0, begun + count * FRAME_MS - performance.now()))
  }
  beat()
}
