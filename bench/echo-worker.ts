/** Sends every datagram back where it came from. */
import { parentPort } from 'node:worker_threads'

Bun.udpSocket({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    data(socket, datagram, port, host) {
      socket.send(datagram, port, host)
    },
    error() {},
  },
}).then((socket) => parentPort?.postMessage(socket.port))
