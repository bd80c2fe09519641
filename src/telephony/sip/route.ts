/** Where a host name leads, from which of our addresses, and whether anybody is there. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Endpoint } from './transport.ts'

const DNS_PATIENCE_MS = 5_000
/** An ICMP refusal comes back within a round trip. */
const REFUSAL_PATIENCE_MS = 250

export type Lookup = (host: string) => Promise<{ address: string; family: number }[]>

const systemLookup: Lookup = (host) => lookup(host, { all: true })

/** The addresses of a host, of the family that a socket bound to `boundTo` can send to. Throws when there is none. */
export async function resolveHost(
  host: string,
  o: { clock: Clock; boundTo: string; lookup?: Lookup },
): Promise<string[]> {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare)) return [bare]
  const found = await withPatience(o.clock, (o.lookup ?? systemLookup)(bare), host)
  const family = isIP(o.boundTo) === 6 ? 6 : 4
  const addresses = found.filter((entry) => entry.family === family).map((entry) => entry.address)
  if (addresses.length === 0) throw new Error(`looking up ${host}: no IPv${family} address`)
  return addresses
}

function withPatience<T>(clock: Clock, work: Promise<T>, host: string): Promise<T> {
  return new Promise((done, fail) => {
    const forget = clock.after(DNS_PATIENCE_MS, () =>
      fail(new Error(`looking up ${host}: no answer within ${DNS_PATIENCE_MS / 1_000} s`)),
    )
    work
      .then(done, (error) => fail(new Error(`looking up ${host}: ${reasonOf(error)}`)))
      .finally(forget)
  })
}

/** Our own address on the way to `to`: what a connected socket is given by the kernel. Nothing is sent. */
export async function sourceAddressFor(to: Endpoint, boundTo: string): Promise<string> {
  if (isIP(boundTo) && boundTo !== '0.0.0.0' && boundTo !== '::') return boundTo
  const socket = await Bun.udpSocket({
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
