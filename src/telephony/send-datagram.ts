/** The part of a `Bun.udpSocket` that sends. */
interface Sender {
  send(data: Uint8Array, port: number, host: string): boolean
}

/**
 * Sends one datagram. The kernel hands the refusal of an earlier datagram, to whomever, to the next send, which it then
 * skips: that one is sent again, after `onRefusal` was told. Throws what is no such left-over; false when the socket
 * takes no more at the moment.
 */
export function sendDatagram(
  socket: Sender,
  data: Uint8Array,
  to: { port: number; host: string },
  onRefusal: (error: unknown) => void,
): boolean {
  try {
    return socket.send(data, to.port, to.host)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ECONNREFUSED') throw error
    onRefusal(error)
    return socket.send(data, to.port, to.host)
  }
}
