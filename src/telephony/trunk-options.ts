/** What the owner configured about SIP: contract §4, `sip.*` and `[[sip.trunks]]`. */
import type { CodecName } from './media/media.ts'

/** How numbers are written in the request-URI: `+15551234567`, `15551234567`, or as dialled at home. */
export type NumberFormat = '+e164' | 'e164' | 'national'

/** The header that carries our number: From, P-Asserted-Identity or P-Preferred-Identity (RFC 3325). */
export type CallerIdHeader = 'from' | 'pai' | 'ppi'

export interface TrunkOptions {
  name: string
  /** The provider's host name or address. */
  host: string
  /** Null: what SRV records say, else 5060, for TLS 5061 (RFC 3263). */
  port: number | null
  /** The host part of our addresses; null: `host`. */
  domain: string | null
  /** Null: what the host publishes by NAPTR and SRV, of UDP and TCP; UDP where it publishes nothing. */
  transport: 'udp' | 'tcp' | 'tls' | null
  username: string | null
  password: string | null
  /** Whether we REGISTER, and for how long each time. */
  register: boolean
  expiresSeconds: number
  /** `host` or `host:port`: where everything is sent instead of to `host`. */
  outboundProxy: string | null
  /** CIDRs or addresses that may send to us, beside the addresses of the host and the proxy. */
  allowedSources: readonly string[]
  /** Our numbers, E.164 with `+`; the first is the default caller. */
  numbers: readonly string[]
  callerId: CallerIdHeader
  numberFormat: NumberFormat
  /** In order of preference; not empty. */
  codecs: readonly CodecName[]
  srtp: 'off' | 'optional' | 'required'
  dtmf: 'rfc4733' | 'info' | 'inband'
  /** Calls at once over this trunk; null: no bound of its own. */
  maxCalls: number | null
  /** INVITEs a second over this trunk; null: no pace of its own. */
  perSecond: number | null
  /** PEM certificates that TLS trusts instead of the system's. */
  caFile: string | null
  /** False takes whatever certificate a TLS server shows. */
  verify: boolean
}

export interface SipOptions {
  /** The address that signalling listens on. */
  host: string
  /** 0 takes a free one. */
  port: number
  /** What we advertise; null: what the trunk tells us it sees, else the address of the route to it. */
  publicHost: string | null
  /** In order of preference. */
  trunks: readonly TrunkOptions[]
}
