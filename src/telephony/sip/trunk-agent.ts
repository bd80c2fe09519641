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
import type { SourceList } from './gate.ts'
import type { Lookup } from './route.ts'
import { type Member, readOwn, type SipStack } from './sip-stack.ts'
import type { Endpoint } from './transport.ts'
import { type Inside, type Route, TrunkRoutes } from './trunk-routes.ts'
import { headerOf, splitList, type WireMessage } from './wire-message.ts'

const USER_AGENT = 'Landline'

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
  /** An address or a host name. */
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
  private readonly routes: TrunkRoutes
  /** Where the answer of each dialog came from, by sip.js's id of the dialog. */
  private readonly answers = new Map<string, Endpoint>()
  private seenAs: Endpoint | null = null

  constructor(deps: Deps) {
    this.deps = deps
    this.options = deps.options
    this.routes = new TrunkRoutes(deps)
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

  /** Where the trunk is now. Throws when its name, or `sip.public_host`, does not resolve. */
  resolve(): Promise<Route> {
    return this.routes.resolve()
  }

  /** Where the trunk was last, at once; waits only while that is not known at all. */
  lastRoute(): Promise<Route> {
    return this.routes.lastRoute()
  }

  /** Where a request inside a dialog goes (RFC 3261 §8.1.2). */
  nextHop(message: Inside): Promise<Endpoint> {
    return this.routes.nextHop(message)
  }

  /** As `nextHop`, at once: `meanwhile` while that needs a name that is not known yet. It is asked for. */
  knownHop(message: Inside, meanwhile: Endpoint): Endpoint {
    return this.routes.knownHop(message, meanwhile)
  }

  /** What we tell the trunk that we are: configured, or as it sees us, or our own address. */
  advertised(route: Route): Endpoint {
    const { localPort } = this.deps.stack.transport
    if (route.publicHost !== null) return { host: route.publicHost, port: localPort }
    return this.seenAs ?? { host: route.localHost, port: localPort }
  }

  contact(route: Route): string {
    const { host, port } = this.advertised(route)
    return `<sip:${encodeURIComponent(this.contactUser)}@${bracket(host)}:${port}>`
  }

  sentBy(route: Route): string {
    const host = route.publicHost ?? route.localHost
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
      host: this.routes.last?.localHost,
      port: this.deps.stack.transport.localPort,
    }
    if (known.host === address.host && known.port === address.port) return
    this.seenAs = address
    this.onAddressChanged()
  }

  /** Until `forgetAnswer`, requests of this dialog go to `source` while the name that they name is not known. */
  rememberAnswer(dialogId: string, source: Endpoint): void {
    this.answers.set(dialogId, source)
  }

  forgetAnswer(dialogId: string): void {
    this.answers.delete(dialogId)
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
        toString: () => (this.routes.last ? this.contact(this.routes.last) : `<${aor.toString()}>`),
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
