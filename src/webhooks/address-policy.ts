import ipaddr from 'ipaddr.js'
import { type Clock, sleep } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'

/** Where webhooks may go: public addresses, and what the owner lists (host names, addresses, CIDRs). */
export interface AddressPolicy {
  /** True when `host` itself is listed. */
  listsHost(host: string): boolean
  /** Why an address may not be connected to, or null when it may. */
  refusal(host: string, address: string): string | null
  /** True when an address is listed, by itself or by a CIDR. */
  listsAddress(address: string): boolean
}

/** Addresses at which clouds answer with the machine's credentials. No setting opens them. */
const METADATA = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.169.123',
  '168.63.129.16',
  '100.100.100.200',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
])

export function createAddressPolicy(allowedHosts: readonly string[]): AddressPolicy {
  const names = new Set<string>()
  const ranges: [ipaddr.IPv4 | ipaddr.IPv6, number][] = []
  for (const entry of allowedHosts.map((host) => host.trim().toLowerCase())) {
    const bare = entry.replace(/^\[|\]$/g, '')
    if (ipaddr.isValid(bare)) {
      const address = ipaddr.process(bare)
      ranges.push([address, address.kind() === 'ipv4' ? 32 : 128])
    } else if (ipaddr.isValidCIDR(entry)) ranges.push(ipaddr.parseCIDR(entry))
    else names.add(entry.replace(/\.$/, ''))
  }

  function listsAddress(address: string): boolean {
    const parsed = ipaddr.process(address)
    return ranges.some(
      ([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits),
    )
  }

  return {
    listsHost: (host) => names.has(normalHost(host)),
    listsAddress: (address) => ipaddr.isValid(address) && listsAddress(address),
    refusal(host, address) {
      if (!ipaddr.isValid(address)) return `${address} is not an IP address`
      const parsed = ipaddr.process(address)
      if (METADATA.has(parsed.toString())) return `${address} is a cloud metadata address`
      if (isPublic(parsed)) return null
      if (names.has(normalHost(host)) || listsAddress(address)) return null
      return `${address} is a ${parsed.range()} address; list it in webhooks.allowed_hosts to allow it`
    },
  }
}

/**
 * Global unicast. Of IPv6 only 2000::/3 is (RFC 4291 §2.4): what lies outside, such as fec0::/10 or the IPv4-compatible
 * ::/96, is routed inside sites at most.
 */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || address.match(ipaddr.parse('2000::'), 3)
}

function normalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

/** The host of a URL as a resolver or a policy wants it: without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export const MAX_URL_LENGTH = 2048
/** How long somebody who creates a webhook waits for the resolver. */
const LONGEST_LOOKUP_MS = 3000

interface Resolver {
  clock: Clock
  resolve(host: string): Promise<string[]>
}

/**
 * Checks a webhook's URL as the contract says. Host names are judged by what they resolve to now; one that does not
 * resolve (in time) is accepted and judged at each attempt. Throws invalid_request with a sentence to act on.
 */
export async function checkWebhookUrl(
  text: string,
  d: Resolver & { policy: AddressPolicy },
): Promise<string> {
  if ([...text].length > MAX_URL_LENGTH)
    throw invalid(`url may have up to ${MAX_URL_LENGTH} characters.`)
  if (/[\p{Cc} ]/u.test(text)) throw invalid('url must not contain spaces or control characters.')
  // A URL parser would repair a missing host from the path.
  const url = /^https?:\/\/[^/\\?#]/i.test(text) && URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw invalid('url must be an https: URL, for example https://example.com/hooks.')
  if (url.username !== '' || url.password !== '')
    throw invalid('url must not contain a user name or password.')
  if (text.includes('#')) throw invalid('url must not contain a fragment (#…).')
  if (url.port === '0') throw invalid('url must not name port 0.')
  const host = hostOf(url)
  const addresses = await addressesOf(host, d)
  for (const address of addresses) {
    const refusal = d.policy.refusal(host, address)
    if (refusal) throw invalid(`url is refused: ${refusal}.`)
  }
  if (url.protocol === 'http:' && !mayBePlain(host, addresses, d.policy))
    throw invalid('url must be https:. Plain http: is only for hosts in webhooks.allowed_hosts.')
  return url.href
}

/** What a host name stands for now; nothing when it does not resolve. RFC 6761 §6.3: localhost is loopback without DNS. */
async function addressesOf(host: string, d: Resolver): Promise<string[]> {
  if (ipaddr.isValid(host)) return [host]
  if (/^(?:.+\.)?localhost$/.test(normalHost(host))) return ['127.0.0.1']
  const patience = new AbortController()
  const late = sleep(d.clock, LONGEST_LOOKUP_MS, patience.signal).then(() => [])
  try {
    return await Promise.race([d.resolve(host).catch(() => []), late])
  } finally {
    patience.abort()
  }
}

/** Plain http: is for listed hosts only: by name, or by each of the addresses behind the name. */
export function mayBePlain(
  host: string,
  addresses: readonly string[],
  policy: AddressPolicy,
): boolean {
  if (policy.listsHost(host)) return true
  return addresses.length > 0 && addresses.every((address) => policy.listsAddress(address))
}

function invalid(message: string): AppError {
  return new AppError('invalid_request', message)
}
