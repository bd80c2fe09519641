/** Where a request inside a dialog goes (RFC 3261 §8.1.2, §12.2.1.1), as seen from one trunk. */
import { isIP } from 'node:net'
import type { TrunkOptions } from '../trunk-options.ts'
import { isPrivateAddress } from './gate.ts'
import type { HostNames } from './host-names.ts'
import { directEndpoint, type Wanted } from './locate.ts'
import { type Endpoint, isSameEndpoint, type Protocol, protocolOf, unbracket } from './transport.ts'

interface Hop {
  host: string
  port: number | null
  /** Null: the URI does not say. */
  protocol: Protocol | null
}

/** What a request inside a dialog has of where it goes. */
export interface Inside {
  /** Route header values, in order. */
  routes: readonly string[]
  /** The request-URI. */
  target: string
}

interface Deps {
  names: HostNames
  boundTo: string
  options: TrunkOptions
}

/** By the first Route, else the target. `destination`: where the trunk is; what cannot be told otherwise goes there. */
export async function nextHop(
  message: Inside,
  destination: Endpoint,
  deps: Deps,
): Promise<Endpoint> {
  const hop = hopOf(message, destination, deps)
  if ('at' in hop) return hop.at
  return bestOf(await deps.names.find(hop.wanted), destination) ?? destination
}

/** As `nextHop`, at once: `meanwhile` while that needs a name that is not known yet. It is asked for. */
export function knownHop(
  message: Inside,
  o: { destination: Endpoint; meanwhile: Endpoint },
  deps: Deps,
): Endpoint {
  const hop = hopOf(message, o.destination, deps)
  if ('at' in hop) return hop.at
  return bestOf(deps.names.known(hop.wanted), o.destination) ?? o.meanwhile
}

/** What the trunk is itself, of all that was found: its endpoint knows more than a URI says. */
function bestOf(found: readonly Endpoint[], destination: Endpoint): Endpoint | undefined {
  return found.some((target) => isSameEndpoint(target, destination)) ? destination : found[0]
}

function hopOf(
  message: Inside,
  destination: Endpoint,
  { options, boundTo }: Deps,
): { at: Endpoint } | { wanted: Wanted } {
  const trunk = { at: destination }
  const hop = readHop(message.routes[0] ?? message.target)
  if (!hop || isOwnName(hop.host, options)) return trunk
  const own = protocolOf(destination)
  // Over a connection what does not name another way goes by that; and never from TLS to something open.
  if (own !== 'UDP' && (hop.protocol === null || (own === 'TLS' && hop.protocol !== 'TLS')))
    return trunk
  // A PBX behind NAT writes its inner address: what answered us is reachable, that is not.
  if (isPrivateAddress(hop.host) && !isPrivateAddress(destination.host)) return trunk
  const wanted = { ...hop, protocol: hop.protocol ?? 'UDP', trunk: options.name }
  const direct = directEndpoint(wanted, boundTo)
  if (direct === undefined) return { wanted }
  return { at: bestOf(direct === null ? [] : [direct], destination) ?? destination }
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
