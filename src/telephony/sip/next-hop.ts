/** Where a request inside a dialog goes (RFC 3261 §8.1.2, §12.2.1.1), as seen from one trunk. */
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import type { Ids } from '../../core/ids.ts'
import type { TrunkOptions } from '../trunk-options.ts'
import type { Dns } from './dns.ts'
import { isPrivateAddress } from './gate.ts'
import { locate } from './locate.ts'
import { type Endpoint, isSameEndpoint, type Protocol, protocolOf, unbracket } from './transport.ts'

interface Hop {
  host: string
  port: number | null
  /** Null: the URI does not say. */
  protocol: Protocol | null
}

interface Deps {
  clock: Clock
  ids: Ids
  dns: Dns
  boundTo: string
  options: TrunkOptions
  /** Where the trunk is: what cannot be told or reached otherwise goes there. */
  destination: Endpoint
}

/** By the first Route, else the target. Never rejects. */
export async function nextHop(
  message: { routes: readonly string[]; target: string },
  deps: Deps,
): Promise<Endpoint> {
  const { destination } = deps
  const hop = readHop(message.routes[0] ?? message.target)
  if (!hop || isOwnName(hop.host, deps.options)) return destination
  const own = protocolOf(destination)
  // Over a connection what does not name another way goes by that; and never from TLS to something open.
  if (own !== 'UDP' && (hop.protocol === null || (own === 'TLS' && hop.protocol !== 'TLS')))
    return destination
  const protocol = hop.protocol ?? 'UDP'
  const wanted = { ...hop, protocol, trunk: deps.options.name }
  // A PBX behind NAT writes its inner address: what answered us is reachable, that is not.
  if (isPrivateAddress(hop.host) && !isPrivateAddress(destination.host)) return destination
  const found = await locate(wanted, deps).catch(() => [])
  return found.find((target) => isSameEndpoint(target, destination))
    ? destination
    : (found[0] ?? destination)
}

function readHop(value: string): Hop | undefined {
  const uri = /<([^>]*)>/.exec(value)?.[1] ?? value
  const match = /^(sips?):(?:[^@]*@)?(\[[^\]]+\]|[^:;?>\s]+)(?::(\d{1,5}))?([^?]*)/i.exec(uri)
  if (!match) return undefined
  const transport = /;\s*transport\s*=\s*(udp|tcp|tls)\s*(?:;|$)/i.exec(match[4] ?? '')?.[1]
  const named = transport?.toUpperCase() as Protocol | undefined
  const secure = match[1]?.toLowerCase() === 'sips'
  return {
    host: unbracket(match[2] ?? ''),
    port: match[3] === undefined ? null : Number(match[3]),
    protocol: secure ? 'TLS' : (named ?? null),
  }
}

function isOwnName(host: string, options: TrunkOptions): boolean {
  const name = host.toLowerCase()
  if (isIP(name)) return false
  return name === options.host.toLowerCase() || name === options.domain?.toLowerCase()
}
