/** Where one trunk is, by its names, and where requests inside its dialogs go. */
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { TrunkOptions } from '../trunk-options.ts'
import { isPrivateAddress, type SourceList } from './gate.ts'
import { HostNames } from './host-names.ts'
import { type Lookup, resolveHost, sourceAddressFor } from './route.ts'
import type { Endpoint } from './transport.ts'

const DNS_TTL_MS = 60_000

export interface Route {
  destination: Endpoint
  /** Our own address on the way there. */
  localHost: string
  /** The address behind `sip.public_host`; null without one. */
  publicHost: string | null
}

/** What a request inside a dialog has of where it goes. */
export interface Inside {
  /** Route header values, in order. */
  routes: readonly string[]
  /** The request-URI. */
  target: string
}

interface Deps {
  clock: Clock
  sources: SourceList
  options: TrunkOptions
  boundTo: string
  /** An address or a host name. */
  publicHost: string | null
  lookup?: Lookup
}

export class TrunkRoutes {
  private readonly deps: Deps
  private readonly names: HostNames
  private route: (Route & { until: number }) | null = null
  private resolving: Promise<Route> | null = null

  constructor(deps: Deps) {
    this.deps = deps
    this.names = new HostNames(deps)
  }

  /** Null until it was resolved once. */
  get last(): Route | null {
    return this.route
  }

  /** Where the trunk is now. Throws when its name, or `sip.public_host`, does not resolve. */
  async resolve(): Promise<Route> {
    if (this.route && this.route.until > this.deps.clock.steady()) return this.route
    this.resolving ??= this.findRoute().finally(() => {
      this.resolving = null
    })
    return this.resolving
  }

  /** Where the trunk was last, at once: a call goes on without DNS. It waits only while that is not known at all. */
  async lastRoute(): Promise<Route> {
    const resolved = this.resolve()
    if (!this.route) return resolved
    resolved.catch(() => undefined)
    return this.route
  }

  private async findRoute(): Promise<Route> {
    const { host, port } = this.hop()
    const { clock, boundTo, sources } = this.deps
    const [addresses, publicHost] = await Promise.all([
      resolveHost(host, this.deps),
      this.publicAddress(),
    ])
    const destination = { host: addresses[0] ?? host, port }
    const localHost = await sourceAddressFor(destination, boundTo)
    sources.set(this.deps.options.name, addresses)
    const until = clock.steady() + DNS_TTL_MS
    this.route = { destination, localHost, publicHost, until }
    return this.route
  }

  /** Sound goes to addresses only: a name is none that could be put into SDP. */
  private async publicAddress(): Promise<string | null> {
    const { publicHost } = this.deps
    if (publicHost === null) return null
    const [address] = await resolveHost(publicHost, this.deps).catch((error) => {
      throw new Error(`sip.public_host: ${reasonOf(error)}`, { cause: error })
    })
    return address ?? null
  }

  private hop(): { host: string; port: number } {
    const proxy = this.deps.options.outboundProxy
    if (proxy === null) return { host: this.deps.options.host, port: this.deps.options.port }
    const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(proxy)
    return { host: match?.[1] ?? proxy, port: Number(match?.[2] ?? 5060) }
  }

  /** Where a request inside a dialog goes: its first Route, else its request-URI (RFC 3261 §8.1.2). */
  async nextHop(message: Inside): Promise<Endpoint> {
    const route = await this.lastRoute()
    const hop = this.hopOf(message, route)
    if ('host' in hop) return hop
    const address = await this.names.find(hop.name)
    return address === null ? route.destination : { host: address, port: hop.port }
  }

  /** As `nextHop`, at once: `meanwhile` while that needs a name that is not known yet. It is asked for. */
  knownHop(message: Inside, meanwhile: Endpoint): Endpoint {
    if (!this.route) return meanwhile
    const hop = this.hopOf(message, this.route)
    if ('host' in hop) return hop
    const address = this.names.known(hop.name)
    return address === null ? meanwhile : { host: address, port: hop.port }
  }

  private hopOf(message: Inside, route: Route): Endpoint | { name: string; port: number } {
    const first = message.routes[0]
    const uri = first === undefined ? message.target : (/<([^>]*)>/.exec(first)?.[1] ?? first)
    const match = /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>\s]+)(?::(\d{1,5}))?/i.exec(uri)
    const host = match?.[1]?.replace(/^\[|\]$/g, '')
    if (host === undefined || this.isOwnName(host)) return route.destination
    const port = Number(match?.[2] ?? 5060)
    if (isIP(host)) {
      // A PBX behind NAT writes its inner address: what answered us is reachable, that is not.
      const hidden = isPrivateAddress(host) && !isPrivateAddress(route.destination.host)
      return hidden ? route.destination : { host, port }
    }
    return { name: host, port }
  }

  private isOwnName(host: string): boolean {
    const name = host.toLowerCase()
    const { domain } = this.deps.options
    if (isIP(name)) return false
    return name === this.deps.options.host.toLowerCase() || name === domain?.toLowerCase()
  }
}
