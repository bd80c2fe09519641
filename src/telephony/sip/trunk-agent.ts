/** One trunk as a user agent: sip.js's core for it, where its messages go, and how we look from there. */
import { isIP } from 'node:net'
import * as Core from 'sip.js/lib/core/index.js'
import { URI } from 'sip.js/lib/grammar/index.js'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import type { TrunkOptions } from '../trunk-options.ts'
import { type Challenge, type Credentials, Digest } from './digest.ts'
import { isPrivateAddress, type SourceList } from './gate.ts'
import { type Lookup, resolveHost, sourceAddressFor } from './route.ts'
import { type Member, readOwn, type SipStack } from './sip-stack.ts'
import type { Endpoint } from './transport.ts'
import { headerOf, splitList, type WireMessage } from './wire-message.ts'

const USER_AGENT = 'Landline'
const DNS_TTL_MS = 60_000

export interface Route {
  destination: Endpoint
  /** Our own address on the way there. */
  localHost: string
}

/** Who wants to know about an INVITE: its dial. */
export interface InviteWatcher {
  /** Awaited when the bytes are ready; when it throws, nothing is sent. */
  beforeSend(invite: WireMessage, to: Endpoint): Promise<void>
  onResponse(message: WireMessage, source: Endpoint): void
  onRefused(to: Endpoint): void
  /** A final response that sip.js could not handle. */
  onBroken(reason: string): void
}

interface Watched {
  watcher: InviteWatcher
  /** Where the INVITE went and its branch: CANCEL and the ACK of a refusal go the same way (RFC 3261 §9.1, §17.1.1.3). */
  sent: { to: Endpoint; branch: string } | null
}

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
  loggerFactory: Core.LoggerFactory
  options: TrunkOptions
  boundTo: string
  publicHost: string | null
  lookup?: Lookup
}

export class TrunkAgent implements Member {
  readonly options: TrunkOptions
  readonly core: Core.UserAgentCore
  readonly credentials: Credentials | null
  /** Called when the address that we advertise changed. */
  onAddressChanged: () => void = () => {}
  private readonly deps: Deps
  private readonly watched = new Map<string, Watched>()
  private route: (Route & { until: number }) | null = null
  private seenAs: Endpoint | null = null

  constructor(deps: Deps) {
    this.deps = deps
    this.options = deps.options
    const { username, password } = deps.options
    this.credentials = username !== null ? { username, password: password ?? '' } : null
    this.core = new Core.UserAgentCore(this.coreConfiguration())
  }

  /** The host part of our and of the called addresses. */
  get domain(): string {
    return bracket(this.options.domain ?? this.options.host)
  }

  /** The user part of our Contact. */
  get contactUser(): string {
    return this.options.username ?? this.options.numbers[0]?.replace(/^\+/, '') ?? 'landline'
  }

  /** Where the trunk is now. Throws when its name does not resolve. */
  async resolve(): Promise<Route> {
    const now = this.deps.clock.now()
    if (this.route && this.route.until > now) return this.route
    const { host, port } = this.hop()
    const { clock, boundTo, lookup } = this.deps
    const addresses = await resolveHost(host, { clock, boundTo, ...(lookup ? { lookup } : {}) })
    const destination = { host: addresses[0] ?? host, port }
    const localHost = await sourceAddressFor(destination, boundTo)
    this.deps.sources.set(this.options.name, addresses)
    this.route = { destination, localHost, until: now + DNS_TTL_MS }
    return this.route
  }

  /** As `resolve`, but while its name does not resolve the trunk is where it was: a call goes on without DNS. */
  async lastRoute(): Promise<Route> {
    const known = this.route
    return this.resolve().catch((error) => {
      if (known) return known
      throw error
    })
  }

  private hop(): { host: string; port: number } {
    const proxy = this.options.outboundProxy
    if (proxy === null) return { host: this.options.host, port: this.options.port }
    const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(proxy)
    return { host: match?.[1] ?? proxy, port: Number(match?.[2] ?? 5060) }
  }

  /** What we tell the trunk that we are: configured, or as it sees us, or our own address. */
  advertised(route: Route): Endpoint {
    const { localPort } = this.deps.stack.transport
    if (this.deps.publicHost !== null) return { host: this.deps.publicHost, port: localPort }
    return this.seenAs ?? { host: route.localHost, port: localPort }
  }

  contact(route: Route): string {
    const { host, port } = this.advertised(route)
    return `<sip:${encodeURIComponent(this.contactUser)}@${bracket(host)}:${port}>`
  }

  sentBy(route: Route): string {
    const host = this.deps.publicHost ?? route.localHost
    return `${bracket(host)}:${this.deps.stack.transport.localPort}`
  }

  uri(user: string | null, host = this.domain, port?: number): URI {
    return new URI('sip', user === null ? '' : user, host, port)
  }

  /** Sends an INVITE; `watcher` sees it through until `unwatch`. */
  invite(
    message: Core.OutgoingRequestMessage,
    watcher: InviteWatcher,
    delegate: Core.OutgoingInviteRequestDelegate,
  ): Core.OutgoingInviteRequest {
    this.watched.set(message.callId, { watcher, sent: null })
    return this.core.invite(message, delegate)
  }

  unwatch(callId: string): void {
    this.watched.delete(callId)
  }

  /** Ends an INVITE transaction without a word: nothing of it is sent any more, late answers are unknown to sip.js. */
  drop(request: Core.OutgoingInviteRequest): void {
    const { callId, branch } = request.message
    const sent = this.watched.get(callId)?.sent
    if (sent) this.deps.stack.transport.forget(sent.branch)
    request.dispose()
    this.core.userAgentClients.delete(`${branch}INVITE`)
    this.unwatch(callId)
  }

  /** Stops sending an INVITE again; its transaction goes on. */
  stopRetransmitting(callId: string): void {
    const sent = this.watched.get(callId)?.sent
    if (sent) this.deps.stack.transport.forget(sent.branch)
  }

  onInviteResponse(message: WireMessage, source: Endpoint): void {
    this.watched.get(message.callId ?? '')?.watcher.onResponse(message, source)
  }

  onBroken(message: WireMessage, reason: string): void {
    this.watched.get(message.callId ?? '')?.watcher.onBroken(reason)
  }

  onRefused(to: Endpoint): void {
    for (const { watcher, sent } of [...this.watched.values()])
      if (sent && sent.to.host === to.host && sent.to.port === to.port) watcher.onRefused(to)
  }

  onSeenAs(address: Endpoint): void {
    if (isIP(address.host) === 0) return
    const known = this.seenAs ?? {
      host: this.route?.localHost,
      port: this.deps.stack.transport.localPort,
    }
    if (known.host === address.host && known.port === address.port) return
    this.seenAs = address
    this.onAddressChanged()
  }

  /** Where a request inside a dialog goes: its first Route, else its request-URI (RFC 3261 §8.1.2). */
  async nextHop(message: { routes: readonly string[]; target: string }): Promise<Endpoint> {
    const route = await this.lastRoute()
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
    const { clock, boundTo, lookup } = this.deps
    const found = await resolveHost(host, { clock, boundTo, ...(lookup ? { lookup } : {}) }).catch(
      () => null,
    )
    return found?.[0] === undefined ? route.destination : { host: found[0], port }
  }

  private isOwnName(host: string): boolean {
    const name = host.toLowerCase()
    const { domain } = this.options
    if (isIP(name)) return false
    return name === this.options.host.toLowerCase() || name === domain?.toLowerCase()
  }

  private async send(text: string): Promise<void> {
    const message = readOwn(text)
    if (message.kind === 'response') return this.deps.stack.respond(text)
    const callId = message.callId ?? ''
    const watched = this.watched.get(callId)
    const to = await this.destinationOf(message, watched)
    const route = await this.lastRoute()
    const signed = this.deps.stack.sign(text, { callId, sentBy: this.sentBy(route) })
    if (watched && message.method === 'INVITE' && message.toTag === undefined) {
      const invite = readOwn(signed)
      await watched.watcher.beforeSend(invite, to)
      watched.sent = { to, branch: invite.via?.branch ?? '' }
    }
    this.deps.stack.transport.send({ text: signed, to })
  }

  private async destinationOf(
    message: WireMessage,
    watched: Watched | undefined,
  ): Promise<Endpoint> {
    const sent = watched?.sent
    if (sent && (message.method === 'CANCEL' || message.method === 'ACK')) {
      const branch = message.via?.branch ?? ''
      if (message.toTag === undefined || sent.branch.startsWith(`${branch}-`)) return sent.to
    }
    if (message.toTag === undefined) return (await this.lastRoute()).destination
    const routes = splitList(headerOf(message, 'route') ?? '')
    return this.nextHop({ routes, target: message.requestUri })
  }

  private coreConfiguration(): Core.UserAgentCoreConfiguration {
    const aor = this.uri(this.contactUser)
    return {
      aor,
      contact: {
        pubGruu: undefined,
        tempGruu: undefined,
        uri: aor,
        // What sip.js writes into its responses to an INVITE.
        toString: () => (this.route ? this.contact(this.route) : `<${aor.toString()}>`),
      },
      displayName: '',
      loggerFactory: this.deps.loggerFactory,
      hackViaTcp: false,
      routeSet: [],
      sipjsId: this.deps.ids.hex(4),
      supportedOptionTags: [],
      supportedOptionTagsResponse: [],
      userAgentHeaderFieldValue: USER_AGENT,
      viaForceRport: true,
      // Replaced on the wire, see `signRequest`.
      viaHost: 'landline.invalid',
      authenticationFactory: () => this.authentication(),
      transportAccessor: () => ({
        protocol: this.deps.stack.transport.protocol,
        send: (text) =>
          this.send(text).catch((error) => {
            this.deps.log.debug('a SIP message could not be sent', {
              trunk: this.options.name,
              reason: reasonOf(error),
            })
            throw error
          }),
      }),
    }
  }

  /** sip.js asks for one per request; its type is a class with private parts, of which it calls these two. */
  private authentication(): Core.DigestAuthentication | undefined {
    if (!this.credentials) return undefined
    const digest = new Digest(this.credentials, this.deps.ids)
    let value: string | null = null
    const authentication = {
      authenticate: (request: Core.OutgoingRequestMessage, challenge: Challenge): boolean => {
        const body = request.body?.body ?? ''
        value = digest.answer(challenge, {
          method: request.method,
          uri: request.ruri.toRaw(),
          body,
        })
        return value !== null
      },
      toString: () => value ?? '',
    }
    return authentication as unknown as Core.DigestAuthentication
  }
}

function bracket(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
