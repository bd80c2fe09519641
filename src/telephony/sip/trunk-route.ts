/** Where one trunk is now: its targets in order, which of them to avoid for a while, and how we look from there. */
import { isIP } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { TrunkOptions } from '../trunk-options.ts'
import type { Dns } from './dns.ts'
import type { SourceList } from './gate.ts'
import { locate, reachableAddresses } from './locate.ts'
import { sourceAddressFor } from './route.ts'
import {
  type Endpoint,
  isSameEndpoint,
  protocolOf,
  type SipTransport,
  unbracket,
} from './transport.ts'

/** What the name system said is believed for this long at most. */
const DNS_TTL_MS = 60_000
/** A target that failed is passed over for this long (RFC 3263 §4.3), unless all have failed. */
const AVOID_MS = 30_000
/** With another target to try, a connection that does not come about is given up sooner. */
const QUICK_CONNECT_MS = 2_500

export interface Route {
  destination: Endpoint
  /** Our own address on the way there. */
  localHost: string
}

interface Deps {
  clock: Clock
  ids: Ids
  dns: Dns
  sources: SourceList
  transport: SipTransport
  options: TrunkOptions
  boundTo: string
  /** An address or a host name. */
  publicHost: string | null
}

export class TrunkRoute {
  private readonly deps: Deps
  private targets: Endpoint[] = []
  /** The addresses behind `sip.public_host`; empty without one. */
  private publicHosts: readonly string[] = []
  private believedUntil = 0
  private looking: Promise<void> | null = null
  private readonly avoided = new Map<string, number>()
  /** One draw for the whole life of the process: the order only changes when the records do. */
  private readonly draws: number[] = []
  private known: Route | null = null
  private seenAs: Endpoint | null = null

  constructor(deps: Deps) {
    this.deps = deps
  }

  /** Where messages went last; null before the first `resolve`. */
  get current(): Route | null {
    return this.known
  }

  /**
   * Where the trunk is now; for TCP and TLS it is connected. Rejects when its name, or `sip.public_host`, does not
   * resolve or no target can be connected to.
   */
  async resolve(): Promise<Route> {
    if (this.isStale) await this.lookOnce()
    return this.choose()
  }

  private get isStale(): boolean {
    return this.targets.length === 0 || this.believedUntil <= this.deps.clock.steady()
  }

  /** The first of the known targets that can be connected to. */
  private async choose(): Promise<Route> {
    const { transport, boundTo } = this.deps
    let failure: unknown
    const candidates = this.inOrder()
    for (const [index, target] of candidates.entries()) {
      const last = index === candidates.length - 1
      try {
        await transport.connect(target, last ? undefined : QUICK_CONNECT_MS)
      } catch (error) {
        failure ??= error
        this.avoid(target)
        continue
      }
      if (!this.known || !isSameEndpoint(this.known.destination, target)) {
        const localHost = await sourceAddressFor(target, boundTo)
        this.known = { destination: target, localHost }
      }
      return this.known
    }
    throw failure
  }

  /** Looks the trunk up, so that it is known when it calls us; connects to nothing. Rejects as `resolve` does. */
  async find(): Promise<void> {
    if (this.targets.length === 0) await this.lookOnce()
  }

  /**
   * Where the trunk was last: a call goes on without DNS, which is asked meanwhile. It waits only for a connection that
   * was lost, and for names while nothing is known at all.
   */
  async last(): Promise<Route> {
    const { known } = this
    if (!known) return this.resolve()
    if (this.isStale) void this.lookOnce().catch(() => undefined)
    return this.choose().catch(() => known)
  }

  /** Passes `failed` over for a while. Whether there is another target to try. */
  failOver(failed: Endpoint): boolean {
    this.avoid(failed)
    return this.targets.some((target) => !this.isAvoided(target))
  }

  /** What a response told of us. Whether that changes what we advertise. */
  see(seen: { host: string; port: number | null }, source: Endpoint): boolean {
    if (isIP(seen.host) === 0 || !this.known) return false
    const { destination } = this.known
    if (protocolOf(source) !== protocolOf(destination)) return false
    const before = this.advertised(this.known)
    const port = seen.port ?? this.seenAs?.port ?? this.ownPort(this.known)
    this.seenAs = { host: seen.host, port }
    const after = this.advertised(this.known)
    return before.host !== after.host || before.port !== after.port
  }

  /** A new connection has a port of its own: what was learned of the former is void. */
  forgetSeen(): void {
    this.seenAs = null
  }

  /** The local address may have changed: asked of the kernel again. */
  async refreshLocalHost(): Promise<void> {
    const { known } = this
    if (!known) return
    const localHost = await sourceAddressFor(known.destination, this.deps.boundTo).catch(
      (): null => null,
    )
    if (localHost === null || localHost === known.localHost || this.known !== known) return
    this.known = { ...known, localHost }
    this.seenAs = null
  }

  /** What we tell the trunk that we are: configured, or as it sees us, or our own address. */
  advertised(route: Route): Endpoint {
    const port = this.ownPort(route)
    const publicHost = this.publicHost(route)
    if (publicHost !== null) return { host: publicHost, port }
    const { seenAs } = this
    if (!seenAs) return { host: route.localHost, port }
    return this.isListening(route) && seenAs.host === route.localHost
      ? { host: seenAs.host, port }
      : seenAs
  }

  /** The host that a Via names. */
  ownHost(route: Route): string {
    return this.publicHost(route) ?? route.localHost
  }

  /** Of the family that leads to the trunk, where there is one. */
  private publicHost(route: Route): string | null {
    const family = isIP(route.destination.host)
    return this.publicHosts.find((host) => isIP(host) === family) ?? this.publicHosts[0] ?? null
  }

  /** The port that a Via names: where an answer is sent whose connection is gone. */
  ownPort(route: Route): number {
    const { transport } = this.deps
    if (protocolOf(route.destination) === 'UDP' || this.isListening(route))
      return transport.localPort
    return transport.connectedFrom(route.destination) ?? transport.localPort
  }

  /**
   * Whether the trunk is told the port that we listen on for TCP. One that we register with keeps our connection and
   * is told that: it reaches us where no port is open.
   */
  private isListening(route: Route): boolean {
    const { options, transport } = this.deps
    return protocolOf(route.destination) === 'TCP' && !options.register && transport.listensTcp
  }

  /** Calls that begin together ask together. */
  private lookOnce(): Promise<void> {
    this.looking ??= this.look().finally(() => {
      this.looking = null
    })
    return this.looking
  }

  private async look(): Promise<void> {
    const { clock, sources, options } = this.deps
    let n = 0
    const fraction = (): number => {
      const at = n++
      this.draws[at] ??= this.deps.ids.fraction()
      return this.draws[at]
    }
    const wanted = { ...hopOf(options), trunk: options.name }
    try {
      const [targets, publicHosts] = await Promise.all([
        locate(wanted, { ...this.deps, ids: { ...this.deps.ids, fraction } }),
        this.publicAddresses(),
      ])
      this.targets = targets
      this.publicHosts = publicHosts
      sources.set(
        options.name,
        targets.map(({ host }) => host),
      )
    } catch (error) {
      if (this.targets.length === 0) throw error
    }
    this.believedUntil = clock.steady() + DNS_TTL_MS
    await this.refreshLocalHost()
  }

  /** Sound goes to addresses only: a name is none that could be put into SDP. */
  private async publicAddresses(): Promise<readonly string[]> {
    const { publicHost } = this.deps
    if (publicHost === null) return []
    const bare = unbracket(publicHost)
    if (isIP(bare) !== 0) return [bare]
    try {
      return await reachableAddresses(bare, this.deps)
    } catch (error) {
      throw new Error(`sip.public_host: ${reasonOf(error)}`, { cause: error })
    }
  }

  private inOrder(): Endpoint[] {
    const good = this.targets.filter((target) => !this.isAvoided(target))
    return good.length > 0 ? good : this.targets
  }

  private avoid(target: Endpoint): void {
    const now = this.deps.clock.steady()
    // Addresses that the name no longer leads to would stay for good.
    for (const [key, until] of this.avoided) if (until <= now) this.avoided.delete(key)
    this.avoided.set(keyOf(target), now + AVOID_MS)
  }

  private isAvoided(target: Endpoint): boolean {
    const until = this.avoided.get(keyOf(target))
    if (until === undefined) return false
    if (until > this.deps.clock.steady()) return true
    this.avoided.delete(keyOf(target))
    return false
  }
}

function keyOf(endpoint: Endpoint): string {
  return `${protocolOf(endpoint)} ${endpoint.host} ${endpoint.port}`
}

/** Where everything is sent: the proxy, else the host itself. */
function hopOf(
  options: TrunkOptions,
): Pick<Parameters<typeof locate>[0], 'host' | 'port' | 'protocol'> {
  const { transport, outboundProxy } = options
  const protocol = transport === null ? null : PROTOCOLS[transport]
  if (outboundProxy === null) return { host: options.host, port: options.port, protocol }
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(outboundProxy)
  const host = unbracket(match?.[1] ?? outboundProxy)
  return { host, port: match?.[2] === undefined ? null : Number(match[2]), protocol }
}

const PROTOCOLS = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } as const
