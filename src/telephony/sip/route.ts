/** From which of our addresses a packet leaves, and whether anybody is there. */
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import type { Endpoint } from './transport.ts'

/** An ICMP refusal comes back within a round trip. */
const REFUSAL_PATIENCE_MS = 250

/** Our own address on the way to `to`: what a connected socket is given by the kernel. Nothing is sent. */
export async function sourceAddressFor(to: Endpoint, boundTo: string): Promise<string> {
  if (isIP(boundTo) && boundTo !== '0.0.0.0' && boundTo !== '::') return boundTo
  const socket = await Bun.udpSocket({
    hostname: anyAddress(to.host),
    connect: { hostname: to.host, port: to.port },
    socket: { error() {} },
  })
  const { address } = socket.address
  socket.close()
  return address
}

/** Whether the host answers a keep-alive (RFC 5626 §3.5.1) with an ICMP refusal. */
export async function isRefused(clock: Clock, to: Endpoint): Promise<boolean> {
  let refused = (): void => {}
  const answer = new Promise<boolean>((done) => {
    const forget = clock.after(REFUSAL_PATIENCE_MS, () => done(false))
    refused = () => {
      forget()
      done(true)
    }
  })
  try {
    const socket = await Bun.udpSocket({
      hostname: anyAddress(to.host),
      connect: { hostname: to.host, port: to.port },
      socket: { error: () => refused() },
    })
    try {
      socket.send('\r\n\r\n')
      return await answer
    } finally {
      socket.close()
    }
  } catch {
    return false
  }
}

/** A socket is of one family, and the default is IPv4. */
function anyAddress(host: string): string {
  return isIP(host) === 6 ? '::' : '0.0.0.0'
}
