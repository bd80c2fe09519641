/** Where the servers of a SIP domain are, in the order to try them (RFC 3263, RFC 2782). */
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import type { Ids } from '../../core/ids.ts'
import { addressesOf, type Dns, naptrOf, type SrvRecord, srvOf } from './dns.ts'
import { bracket, type Endpoint, type Protocol, unbracket } from './transport.ts'

/** More targets than this nobody waits for. */
const MAX_TARGETS = 16
const MAX_SRV = 8

export interface Wanted {
  /** A name or an address. */
  host: string
  /** Given: no SRV record is asked for (RFC 3263 §4.2). */
  port: number | null
  /** Null: what the domain publishes, of UDP and TCP; UDP where it publishes nothing. */
  protocol: Protocol | null
  /** Whose TLS settings hold. */
  trunk: string
}

interface Deps {
  clock: Clock
  ids: Ids
  dns: Dns
  /** The address that we send from: it decides which family can be reached. */
  boundTo: string
}

/** The targets, best first; never empty. Rejects when a name does not resolve. */
export async function locate(wanted: Wanted, deps: Deps): Promise<Endpoint[]> {
  const host = unbracket(wanted.host)
  const direct = { name: host, port: wanted.port, protocol: wanted.protocol ?? 'UDP' } as const
  const services = wanted.port === null && mayHaveServices(host)
  const servers = services ? await serversOf(host, wanted.protocol, deps) : []
  const targets: Endpoint[] = []
  let failure: unknown
  for (const server of servers.length > 0 ? servers : [direct]) {
    const found = await endpointsOf(server, { host, trunk: wanted.trunk, deps }).catch((error) => {
      failure ??= error
      return []
    })
    targets.push(...found)
  }
  if (targets.length === 0) throw failure
  return targets.slice(0, MAX_TARGETS)
}

interface ServerName {
  name: string
  port: number | null
  protocol: Protocol
}

/** An address has no records, a name without a dot only those of the hosts file. */
function mayHaveServices(host: string): boolean {
  return isIP(host) === 0 && host.replace(/\.$/, '').includes('.') && !/\.local\.?$/i.test(host)
}

/** What SRV and NAPTR records name (RFC 3263 §4.1 and §4.2); empty when the host publishes none. */
async function serversOf(
  host: string,
  protocol: Protocol | null,
  deps: Deps,
): Promise<ServerName[]> {
  const plain: [Protocol, string][] =
    protocol === null
      ? [
          ['UDP', `_sip._udp.${host}`],
          ['TCP', `_sip._tcp.${host}`],
        ]
      : [[protocol, serviceName(protocol, host)]]
  // Asked at once: a name server that is slow to say no costs its patience a single time.
  const [pointers, ...records] = await Promise.all([
    protocol === null ? pointersOf(host, deps) : [],
    ...plain.map(async ([kind, name]) => ({ kind, found: await srvOf(name, deps) })),
  ])
  for (const pointer of pointers) {
    const found = await srvOf(pointer.name, deps)
    if (found.length > 0) return inOrder(found, pointer.protocol, deps.ids)
  }
  const published = records.find(({ found }) => found.length > 0)
  return published ? inOrder(published.found, published.kind, deps.ids) : []
}

function serviceName(protocol: Protocol, host: string): string {
  if (protocol === 'TLS') return `_sips._tcp.${host}`
  return `_sip._${protocol.toLowerCase()}.${host}`
}

/** TLS is only used where it is configured: what it asks of the sound is the owner's decision. */
const NAPTR_SERVICES: Record<string, Protocol> = { 'sip+d2u': 'UDP', 'sip+d2t': 'TCP' }

async function pointersOf(
  host: string,
  deps: Deps,
): Promise<{ name: string; protocol: Protocol }[]> {
  const records = await naptrOf(host, deps)
  return records
    .slice(0, MAX_TARGETS)
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ service, flags, replacement }) => {
      const protocol = NAPTR_SERVICES[service.toLowerCase()]
      const usable = protocol && flags.toLowerCase() === 's' && replacement !== ''
      return usable ? [{ name: replacement, protocol }] : []
    })
}

function inOrder(records: readonly SrvRecord[], protocol: Protocol, ids: Ids): ServerName[] {
  // RFC 2782: a single record with the root as its target says that the service is not offered.
  const offered = records.filter(({ name }) => name !== '.' && name !== '')
  if (offered.length === 0) throw new Error('the domain says by SRV that it offers no SIP')
  return orderSrv(offered, () => ids.fraction())
    .slice(0, MAX_SRV)
    .map(({ name, port }) => ({ name: name.replace(/\.$/, ''), port, protocol }))
}

/** Lower priorities first; within one, drawn by weight without putting back (RFC 2782). `fraction`: in [0, 1). */
export function orderSrv(records: readonly SrvRecord[], fraction: () => number): SrvRecord[] {
  const ordered: SrvRecord[] = []
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b)
  for (const priority of priorities) {
    // Those of weight 0 stand first: they are drawn when nothing else is left.
    const left = records
      .filter((record) => record.priority === priority)
      .sort((a, b) => a.weight - b.weight)
    while (left.length > 0) ordered.push(...left.splice(draw(left, fraction()), 1))
  }
  return ordered
}

function draw(records: readonly SrvRecord[], fraction: number): number {
  const total = records.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return Math.floor(fraction * records.length)
  const at = fraction * total
  let sum = 0
  for (const [index, { weight }] of records.entries()) {
    sum += weight
    if (sum > at) return index
  }
  return records.length - 1
}

async function endpointsOf(
  server: ServerName,
  o: { host: string; trunk: string; deps: Deps },
): Promise<Endpoint[]> {
  const addresses = await reachableAddresses(server.name, o.deps)
  return addresses.map((address) => endpointAt(address, { ...server, ...o }))
}

function endpointAt(
  address: string,
  o: { port: number | null; protocol: Protocol; host: string; trunk: string },
): Endpoint {
  const { protocol } = o
  return {
    host: address,
    port: o.port ?? (protocol === 'TLS' ? 5061 : 5060),
    ...(protocol === 'UDP' ? {} : { protocol }),
    // RFC 5922 §4: the certificate is for the domain that was asked for, not for what DNS made of it.
    ...(protocol === 'TLS' ? { tls: { trunk: o.trunk, name: o.host } } : {}),
  }
}

/** Where a host that is an address is; null when a socket bound to `boundTo` cannot send there. Undefined for a name. */
export function directEndpoint(
  wanted: Wanted & { protocol: Protocol },
  boundTo: string,
): Endpoint | null | undefined {
  const host = unbracket(wanted.host)
  if (isIP(host) === 0) return undefined
  return familiesOf(boundTo).includes(isIP(host)) ? endpointAt(host, { ...wanted, host }) : null
}

/** The addresses of a host that a socket bound to `boundTo` can send to. Rejects when there is none. */
export async function reachableAddresses(
  name: string,
  o: { clock: Clock; dns: Dns; boundTo: string },
): Promise<string[]> {
  const bare = unbracket(name)
  const family = familiesOf(o.boundTo)
  if (isIP(bare) !== 0) {
    if (family.includes(isIP(bare))) return [bare]
    throw new Error(`${bracket(bare)} cannot be reached from sip.host ${o.boundTo}; try "::"`)
  }
  const found = await addressesOf(bare, o)
  // IPv4 first: of the two it is the one that SIP trunks are known to carry sound over.
  const usable = found
    .filter((entry) => family.includes(entry.family))
    .sort((a, b) => a.family - b.family)
  if (usable.length > 0) return usable.map(({ address }) => address)
  throw new Error(`looking up ${bare}: no IPv${family.join(' or IPv')} address`)
}

/** `::` takes both (RFC 3493 §3.7). */
function familiesOf(boundTo: string): number[] {
  if (boundTo === '::') return [4, 6]
  return [isIP(boundTo) === 6 ? 6 : 4]
}
