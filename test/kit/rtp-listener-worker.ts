/** Receives datagrams on a thread of its own and tells its port, then on `report` the gaps since `begin` in ms. */
import { parentPort } from 'node:worker_threads'

let gaps: number[] = []
let last = 0

parentPort?.on('message', (message: 'begin' | 'report') => {
  if (message === 'report') parentPort?.postMessage(gaps)
  gaps = []
  last = 0
})

Bun.udpSocket({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    data() {
      const now = performance.now()
      if (last > 0) gaps.push(now - last)
      last = now
    },
  },
}).then((socket) => parentPort?.postMessage(socket.port))
