import ipaddr from 'ipaddr.js'

export interface Endpoint {
  host: string
  port: number
}

/** So long without a valid packet from the SDP's own address and port before another source may take its place. */
const WAIT_MS = 500
/** The same for RTCP, of which two or three packets would have come in that time. */
export const CONTROL_WAIT_MS = 15_000

/** Behind NAT an SDP may name an address that only its own network knows; sound then comes from the signalling host. */
const PRIVATE = new Set(['private', 'uniqueLocal', 'carrierGradeNat', 'linkLocal', 'loopback'])
/** What an SDP must not make us send to, `none` being what is no address. */
const FORBIDDEN = new Set(['unspecified', 'broadcast', 'multicast', 'none'])

/**
 * Where a call's sound may come from and goes to: the SDP's exact address and port. Only after a while (500 ms) without a valid
 * packet from there may the first valid one from the SDP's address (or, where that is private, the signalling
 * address) replace it, once; until the SDP changes. Everybody else is refused, and nothing is ever sent to them.
 */
export class SourceRule {
  private agreed: Endpoint | undefined
  private source: Endpoint | undefined
  private substitutes: ReadonlySet<string> = new Set()
  private waitingSince = 0
  private locked = false
  private readonly waitMs: number

  /** `waitMs` is how long the SDP's own address and port may be silent before another source takes its place. */
  constructor(waitMs: number = WAIT_MS) {
    this.waitMs = waitMs
  }

  /** Takes what the SDP says now; the same address and port again change nothing. */
  agree(remote: Endpoint, signallingHost: string, now: number): void {
    const host = plain(remote.host)
    if (this.agreed?.host === host && this.agreed.port === remote.port) return
    const range = rangeOf(host)
    this.agreed = { host, port: remote.port }
    this.source = !FORBIDDEN.has(range) && isPort(remote.port) ? this.agreed : undefined
    this.substitutes = new Set(PRIVATE.has(range) ? [host, plain(signallingHost)] : [host])
    this.waitingSince = now
    this.locked = false
  }

  /** Whether a packet from there might be the other side's, should it be valid. Changes nothing. */
  couldBe(host: string, port: number, now: number): boolean {
    if (!this.source) return false
    return this.isSource(host, port) || this.maySubstitute(host, now)
  }

  /**
   * Whether a valid packet from there is the other side's. Ask only for packets that are valid: an accepted one may
   * take the source's place.
   */
  accepts(host: string, port: number, now: number): boolean {
    if (!this.source) return false
    if (this.isSource(host, port)) {
      this.waitingSince = now
      return true
    }
    if (!this.maySubstitute(host, now)) return false
    this.source = { host: plain(host), port }
    this.locked = true
    return true
  }

  private isSource(host: string, port: number): boolean {
    if (port !== this.source?.port) return false
    return host === this.source.host || plain(host) === this.source.host
  }

  private maySubstitute(host: string, now: number): boolean {
    if (this.locked || now - this.waitingSince < this.waitMs) return false
    return this.substitutes.has(plain(host))
  }

  /** Where sound goes; undefined where the SDP names nothing that one may send to. */
  get destination(): Endpoint | undefined {
    return this.source
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536
}

/** IPv4 inside IPv6 (`::ffff:192.0.2.1`), as a socket for both tells it, in its plain form. */
function plain(host: string): string {
  return ipaddr.isValid(host) ? ipaddr.process(host).toString() : host
}

function rangeOf(host: string): string {
  return ipaddr.isValid(host) ? ipaddr.parse(host).range() : 'none'
}
