/** One trunk as a user agent: sip.js's core for it, and where its messages go. */
import * as Core from 'sip.js/lib/core/index.js'
import { URI } from 'sip.js/lib/grammar/index.js'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import type { TrunkOptions } from '../trunk-options.ts'
import { Authentication } from './authenticate.ts'
import type { Credentials } from './digest.ts'
import type { Dns } from './dns.ts'
import type { SourceList } from './gate.ts'
import { HostNames } from './host-names.ts'
import { type Inside, knownHop, nextHop } from './next-hop.ts'
import { type Member, readOwn, type SipStack } from './sip-stack.ts'
import { bracket, type Endpoint, isSameEndpoint, protocolOf } from './transport.ts'
import { type Route, TrunkRoute } from './trunk-route.ts'
import { headerOf, splitList, type WireMessage } from './wire-message.ts'

const USER_AGENT = 'Landline'
/** RFC 3261 §18.1.1: what is larger may not fit a datagram on its way, and goes over TCP where there is TCP. */
const LARGEST_DATAGRAM = 1_300
const TCP_PATIENCE_MS = 1_500
/** How long a trunk that has no TCP is not asked for it again. */
const NO_TCP_MS = 300_000
const FIRST_RECONNECT_MS = 1_000
const LONGEST_RECONNECT_MS = 30_000

export type { Route }

/** Who wants to know about an INVITE: its dial. */
export interface InviteWatcher {
  /** Awaited when the bytes are ready; when it throws, nothing is sent. */
  beforeSend(invite: WireMessage, to: Endpoint): Promise<void>
  onResponse(message: WireMessage, source: Endpoint): void
  /** The INVITE was refused where it went, or the connection broke that it went over; `reason` is for people. */
  onRefused(to: Endpoint, reason: string): void
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
  /** An address or a host name. */
  publicHost: string | null
  dns: Dns
}

export class TrunkAgent implements Member {
  readonly options: TrunkOptions
  readonly core: Core.UserAgentCore
  readonly credentials: Credentials | null
  /** Called when the address that we advertise changed. */
  onAddressChanged: () => void = () => {}
  /** Called when the trunk refused what we sent, or its connection broke. */
  onDisconnected: (reason: string) => void = () => {}
  private readonly deps: Deps
  private readonly where: TrunkRoute
  private readonly names: HostNames
  private readonly watched = new Map<string, Watched>()
  /** Where the answer of each dialog came from, by sip.js's id of the dialog. */
  private readonly answers = new Map<string, Endpoint>()
  private noTcpUntil = 0
  private reconnects = 0
  private forgetReconnect = (): void => {}

  constructor(deps: Deps) {
    this.deps = deps
    this.options = deps.options
    this.where = new TrunkRoute({ ...deps, transport: deps.stack.transport })
    this.names = new HostNames(deps)
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

  /** Where the trunk is now; for TCP and TLS it is connected. Rejects with a reason for people. */
  resolve(): Promise<Route> {
    return this.where.resolve()
  }

  /** Looks the trunk up, so that it is known when it calls us. */
  find(): Promise<void> {
    return this.where.find()
  }

  /** Where the trunk was last, without waiting for DNS; that is waited for only while nothing is known at all. */
  lastRoute(): Promise<Route> {
    return this.where.last()
  }

  /** Passes a target over that failed; whether there is another to try (RFC 3263 §4.3). */
  failOver(failed: Endpoint): boolean {
    return this.where.failOver(failed)
  }

  /** Asks the kernel again which address of ours leads to the trunk. */
  refreshLocalHost(): Promise<void> {
    return this.where.refreshLocalHost()
  }

  /** What we tell the trunk that we are: configured, or as it sees us, or our own address. */
  advertised(route: Route): Endpoint {
    return this.where.advertised(route)
  }

  contact(route: Route): string {
    const { host, port } = this.advertised(route)
    const protocol = protocolOf(route.destination)
    const transport = protocol === 'UDP' ? '' : `;transport=${protocol.toLowerCase()}`
    return `<sip:${encodeURIComponent(this.contactUser)}@${bracket(host)}:${port}${transport}>`
  }

  sentBy(route: Route): string {
    return `${bracket(this.where.ownHost(route))}:${this.where.ownPort(route)}`
  }

  /** Ends what runs by itself. */
  stop(): void {
    this.forgetReconnect()
    this.onDisconnected = () => {}
    this.core.reset()
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

  onRefused(to: Endpoint, reason: string): void {
    for (const { watcher, sent } of [...this.watched.values()])
      if (sent && isSameEndpoint(sent.to, to)) watcher.onRefused(to, reason)
    const { current } = this.where
    if (!current || !isSameEndpoint(current.destination, to)) return
    if (protocolOf(to) !== 'UDP') {
      this.where.forgetSeen()
      this.reconnect()
    }
    this.onDisconnected(reason)
  }

  onSeenAs(seen: { host: string; port: number | null }, source: Endpoint): void {
    if (this.where.see(seen, source)) this.onAddressChanged()
  }

  /** Where a request inside a dialog goes: its first Route, else its request-URI (RFC 3261 §8.1.2). */
  async nextHop(message: Inside): Promise<Endpoint> {
    const { destination } = await this.lastRoute()
    return nextHop(message, destination, { ...this.deps, names: this.names })
  }

  /** As `nextHop`, at once: `meanwhile` while that needs a name that is not known yet. It is asked for. */
  knownHop(message: Inside, meanwhile: Endpoint): Endpoint {
    const destination = this.where.current?.destination
    if (!destination) return meanwhile
    return knownHop(message, { destination, meanwhile }, { ...this.deps, names: this.names })
  }

  /** Until `forgetAnswer`, requests of this dialog go to `source` while the name that they name is not known. */
  rememberAnswer(dialogId: string, source: Endpoint): void {
    this.answers.set(dialogId, source)
  }

  forgetAnswer(dialogId: string): void {
    this.answers.delete(dialogId)
  }

  /** While calls are on, a lost connection is opened again: what the other side has to say comes over it. */
  private reconnect(): void {
    this.forgetReconnect()
    if (this.core.dialogs.size === 0) return
    const { clock, ids } = this.deps
    const doubled = FIRST_RECONNECT_MS * 2 ** Math.min(this.reconnects++, 10)
    const wait = Math.min(doubled, LONGEST_RECONNECT_MS) * (0.5 + ids.fraction() / 2)
    this.forgetReconnect = clock.after(wait, () => {
      if (this.core.dialogs.size === 0) return
      this.resolve().then(
        () => {
          this.reconnects = 0
        },
        () => this.reconnect(),
      )
    })
  }

  private async send(text: string): Promise<void> {
    const message = readOwn(text)
    const { stack } = this.deps
    if (message.kind === 'response') return stack.respond(text)
    const callId = message.callId ?? ''
    const watched = this.watched.get(callId)
    const hop = await this.destinationOf(message, watched)
    const route = await this.lastRoute()
    const sign = (protocol: ReturnType<typeof protocolOf>): string =>
      stack.sign(text, { callId, sentBy: this.sentBy(route), protocol })
    const fits = sign(protocolOf(hop))
    const to = fits.length > LARGEST_DATAGRAM ? await this.forLarge(hop) : hop
    const signed = to === hop ? fits : sign(protocolOf(to))
    if (watched && message.method === 'INVITE' && message.toTag === undefined) {
      const invite = readOwn(signed)
      await watched.watcher.beforeSend(invite, to)
      watched.sent = { to, branch: invite.via?.branch ?? '' }
    }
    await this.deliver(signed, { to, route, watched })
  }

  private async deliver(
    text: string,
    o: { to: Endpoint; route: Route; watched: Watched | undefined },
  ): Promise<void> {
    const { transport } = this.deps.stack
    const { to, route } = o
    try {
      await transport.send({ text, to })
    } catch (error) {
      // The target of a dialog may be an address that only the trunk reaches: then it goes by way of the trunk.
      const other = !isSameEndpoint(to, route.destination) && protocolOf(to) !== 'UDP'
      if (other && protocolOf(to) === protocolOf(route.destination))
        return transport.send({ text, to: route.destination })
      if (o.watched?.sent) o.watched.watcher.onRefused(to, reasonOf(error))
      throw error
    }
  }

  /** The same hop over TCP, where that can be had. */
  private async forLarge(hop: Endpoint): Promise<Endpoint> {
    const now = this.deps.clock.steady()
    if (protocolOf(hop) !== 'UDP' || this.noTcpUntil > now) return hop
    const stream: Endpoint = { ...hop, protocol: 'TCP' }
    try {
      await this.deps.stack.transport.connect(stream, TCP_PATIENCE_MS)
      return stream
    } catch {
      this.noTcpUntil = now + NO_TCP_MS
      return hop
    }
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
    const { destination } = await this.lastRoute()
    if (message.toTag === undefined) return destination
    const routes = splitList(headerOf(message, 'route') ?? '')
    const answeredFrom = this.answers.get(`${message.callId}${message.fromTag}${message.toTag}`)
    return this.knownHop({ routes, target: message.requestUri }, answeredFrom ?? destination)
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
        toString: () => {
          const { current } = this.where
          return current ? this.contact(current) : `<${aor.toString()}>`
        },
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
        protocol: 'UDP',
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

  /** What `authenticationGuard` gets, in place of the class with private parts that sip.js's type names. */
  private authentication(): Core.DigestAuthentication | undefined {
    if (!this.credentials) return undefined
    const authentication = new Authentication(this.credentials, this.deps.ids)
    return authentication as unknown as Core.DigestAuthentication
  }
}
