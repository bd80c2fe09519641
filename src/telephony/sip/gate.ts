/** Who may send us anything, and how often: looked at before a byte is read. */
import ipaddr from 'ipaddr.js'
import type { Clock } from '../../core/clock.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Cidr = [Address, number]

/** The addresses that belong to the trunks: configured ranges, resolved hosts, and those that a live call uses. */
export class SourceList {
  private readonly ranges = new Map<string, Cidr[]>()
  private readonly hosts = new Map<string, ReadonlySet<string>>()
  private readonly held = new Map<string, number>()

  /** Allows `owner` addresses or CIDRs for good. Throws on one that is neither. */
  allow(owner: string, ranges: readonly string[]): void {
    this.ranges.set(owner, ranges.map(readRange))
  }

  /** Replaces what is known of `owner`'s addresses. */
  set(owner: string, addresses: readonly string[]): void {
    this.hosts.set(owner, new Set(addresses.map(normalAddress)))
  }

  /** Allows an address until the returned function is called. */
  hold(address: string): () => void {
    const key = normalAddress(address)
    this.held.set(key, (this.held.get(key) ?? 0) + 1)
    let released = false
    return () => {
      if (released) return
      released = true
      const left = (this.held.get(key) ?? 1) - 1
      if (left > 0) this.held.set(key, left)
      else this.held.delete(key)
    }
  }

  allows(address: string): boolean {
    return this.held.has(normalAddress(address)) || this.ownersOf(address).length > 0
  }

  /** Whose address it is: several may share one; an address that is only held is nobody's. */
  ownersOf(address: string): string[] {
    const key = normalAddress(address)
    const owners = [...this.hosts].filter(([, set]) => set.has(key)).map(([owner]) => owner)
    if (this.ranges.size === 0 || !ipaddr.isValid(key)) return owners
    const parsed = ipaddr.parse(key)
    for (const [owner, ranges] of this.ranges)
      if (!owners.includes(owner) && ranges.some((range) => contains(range, parsed)))
        owners.push(owner)
    return owners
  }
}

function contains([net, bits]: Cidr, address: Address): boolean {
  return net.kind() === address.kind() && address.match([net, bits] as never)
}

function readRange(text: string): Cidr {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text) as Cidr
  if (!ipaddr.isValid(text))
    throw new Error(`allowed source '${text}' is neither an address nor a CIDR`)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

/** `::ffff:1.2.3.4` is `1.2.3.4`; what is no address stays as it is. */
export function normalAddress(text: string): string {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : text
}

/** Whether an address cannot be reached from outside its own network. */
export function isPrivateAddress(text: string): boolean {
  return ipaddr.isValid(text) && ipaddr.process(text).range() !== 'unicast'
}

const MAX_SOURCES = 1_024

/** A token bucket per source. */
export class SourceRate {
  private readonly clock: Clock
  private readonly perSecond: number
  private readonly burst: number
  private readonly buckets = new Map<string, { tokens: number; at: number }>()

  constructor(clock: Clock, o: { perSecond: number; burst: number }) {
    this.clock = clock
    this.perSecond = o.perSecond
    this.burst = o.burst
  }

  /** Takes a token of `source`; false when there is none. */
  take(source: string): boolean {
    const now = this.clock.steady()
    const bucket = this.buckets.get(source) ?? { tokens: this.burst, at: now }
    const gained = (Math.max(0, now - bucket.at) / 1_000) * this.perSecond
    bucket.tokens = Math.min(this.burst, bucket.tokens + gained)
    bucket.at = now
    this.buckets.delete(source)
    this.buckets.set(source, bucket)
    if (this.buckets.size > MAX_SOURCES) this.dropOldest()
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  private dropOldest(): void {
    for (const source of this.buckets.keys()) {
      this.buckets.delete(source)
      return
    }
  }
}
