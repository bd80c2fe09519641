/** Keeps one trunk registered (RFC 3261 §10.2), and the hole in a NAT open between refreshes. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import { shownPhrase } from './phrase.ts'
import { type Endpoint, isSameEndpoint, protocolOf, type SipTransport } from './transport.ts'
import type { Route, TrunkAgent } from './trunk-agent.ts'
import { paramOf } from './wire-message.ts'

export type RegistrationState =
  | { is: 'registering' }
  | { is: 'registered' }
  | { is: 'failed'; reason: string }
  | { is: 'stopped' }

/** What happened so far, for metrics. */
export interface RegistrationCounts {
  accepted: number
  failed: number
}

/** Refreshes begin after this part of the time granted, less up to a tenth of it. */
const REFRESH_AT = 0.8
const JITTER = 0.1
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 45_000
/** Wrong credentials stay wrong until somebody changes them: asking more often only gets us blocked. */
const REFUSED_RETRY_MS = 300_000
/** What a registrar may ask for with Retry-After. */
const LONGEST_ASKED_RETRY_MS = 600_000
/** Shorter than the shortest that NATs forget UDP after; RFC 5626 §4.4.1 asks for 24 to 29 s at most. */
const KEEP_ALIVE_MS = 20_000
const KEEP_ALIVE_JITTER_MS = 5_000
/** Every so many keep-alives are OPTIONS: the answer tells that the trunk is there, and how we look from outside. */
const OPTIONS_EVERY = 4
/** A NAT that shows the trunk another address each time must not make us register without an end. */
const LEAST_BETWEEN_MOVES_MS = 30_000
const GOODBYE_PATIENCE_MS = 1_000
const LONGEST_EXPIRES = 86_400

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  agent: TrunkAgent
  transport: SipTransport
}

export class Registration {
  readonly counts: RegistrationCounts = { accepted: 0, failed: 0 }
  private readonly deps: Deps
  private readonly callId: string
  private readonly fromTag: string
  private current: RegistrationState = { is: 'stopped' }
  private expiresSeconds: number
  private cseq = 0
  private failures = 0
  private keptAlive = 0
  /** When another address of ours last made us register; a steady time. */
  private readdressedAt = Number.NEGATIVE_INFINITY
  /** By the wall clock, which tells a sleep of the machine from a moment; timers and steady times do not. */
  private refreshAt = Number.POSITIVE_INFINITY
  /** The REGISTER that is under way, a new one for each; its promise resolves when it is over. */
  private underWay: PromiseWithResolvers<void> | null = null
  /** As long as the registrar said it keeps our binding; a steady time. */
  private boundUntil = 0
  private forgetNext = (): void => {}
  private forgetMove = (): void => {}
  private forgetKeepAlive = (): void => {}
  /** The Contact of the last REGISTER, and of the last that was accepted. */
  private contact: string | null = null
  private bound: { contact: string; at: Endpoint } | null = null
  private sentTo: Endpoint | null = null

  constructor(deps: Deps) {
    this.deps = deps
    this.callId = deps.ids.uuid()
    this.fromTag = deps.ids.hex(8)
    this.expiresSeconds = deps.agent.options.expiresSeconds
    deps.agent.onAddressChanged = () => void this.stayTrue()
    deps.agent.onDisconnected = (reason) => this.onDisconnected(reason)
  }

  get state(): RegistrationState {
    const { current } = this
    if (current.is !== 'registered' || this.isBound) return current
    return { is: 'failed', reason: 'the registration ran out' }
  }

  private get isBound(): boolean {
    return this.boundUntil > this.deps.clock.steady()
  }

  /** Returns at once; the state tells how it went. */
  start(): void {
    this.current = { is: 'registering' }
    void this.register()
    this.keepAlive()
  }

  /**
   * Takes the binding back where there is one, or may be. Waits a second for the answer to a REGISTER under way, and
   * another for that to its own, at most.
   */
  async stop(): Promise<void> {
    this.forgetNext()
    this.forgetMove()
    this.forgetKeepAlive()
    this.current = { is: 'stopped' }
    if (this.underWay) await this.patiently(this.underWay.promise)
    // Still under way: nobody knows what became of it.
    if (this.contact === null || !(this.isBound || this.underWay)) return
    const over = Promise.withResolvers<void>()
    const done = (): void => over.resolve()
    this.send(0, { onAccept: done, onReject: done, onRedirect: done }).catch(done)
    await this.patiently(over.promise)
  }

  private patiently(work: Promise<void>): Promise<void> {
    return new Promise((done) => {
      const forget = this.deps.clock.after(GOODBYE_PATIENCE_MS, done)
      void work.then(forget).then(done)
    })
  }

  private async register(): Promise<void> {
    if (this.underWay || this.current.is === 'stopped') return
    const attempt = Promise.withResolvers<void>()
    this.underWay = attempt
    const isOurs = (): boolean => {
      attempt.resolve()
      if (this.underWay !== attempt) return false
      this.underWay = null
      return this.current.is !== 'stopped'
    }
    try {
      await this.send(this.expiresSeconds, {
        onAccept: ({ message }) => {
          const seconds = this.grantedBy(message)
          this.boundUntil = this.deps.clock.steady() + seconds * 1_000
          if (isOurs()) this.onAccepted(seconds)
        },
        onReject: ({ message }) => isOurs() && this.onRejected(message),
        onRedirect: ({ message }) => isOurs() && this.onRejected(message),
      })
    } catch (error) {
      if (isOurs()) this.failed(reasonOf(error))
    }
  }

  private async send(expires: number, delegate: Core.OutgoingRequestDelegate): Promise<void> {
    const { agent } = this.deps
    const route: Route = await agent.resolve()
    if (expires > 0 && this.current.is === 'stopped') throw new Error('it was stopped meanwhile')
    const contact = agent.contact(route)
    this.contact = contact
    this.sentTo = route.destination
    const own = agent.uri(agent.contactUser)
    this.cseq += 1
    // §10.2.2: a binding that leads nowhere any more is taken back with the same request.
    const stale = this.bound && this.bound.contact !== contact ? [this.bound.contact] : []
    const message = agent.core.makeOutgoingRequestMessage(
      'REGISTER',
      agent.uri(null),
      own,
      own,
      { callId: this.callId, fromTag: this.fromTag, cseq: this.cseq },
      [
        `Contact: ${contact};expires=${expires}`,
        ...stale.map((former) => `Contact: ${former};expires=0`),
        `Expires: ${expires}`,
      ],
    )
    const request = agent.core.register(message, delegate)
    // A challenge makes sip.js count on: the next REGISTER goes on from there.
    const count = (): void => {
      this.cseq = Math.max(this.cseq, request.message.cseq)
    }
    const { onAccept, onReject } = delegate
    delegate.onAccept = (response) => {
      count()
      onAccept?.(response)
    }
    delegate.onReject = (response) => {
      count()
      onReject?.(response)
    }
  }

  private onAccepted(seconds: number): void {
    const { ids, log, agent } = this.deps
    if (this.current.is !== 'registered') log.info('registered', { trunk: agent.options.name })
    this.failures = 0
    this.counts.accepted++
    this.current = { is: 'registered' }
    if (this.contact !== null && this.sentTo)
      this.bound = { contact: this.contact, at: this.sentTo }
    const part = REFRESH_AT - JITTER * ids.fraction()
    this.next(Math.max(1_000, seconds * 1_000 * part))
    void this.stayTrue()
  }

  /** What the registrar granted: our Contact's `expires`, else the header, else what we asked for (§10.2.4). */
  private grantedBy(message: Core.IncomingResponseMessage): number {
    const ours = /<([^>]*)>/.exec(this.contact ?? '')?.[1] ?? ''
    const contacts = message.getHeaders('contact')
    const mine = contacts.find((value) => value.includes(ours)) ?? contacts[0] ?? ''
    const granted = paramOf(mine.slice(mine.lastIndexOf('>') + 1), 'expires')
    const seconds = Number(granted || message.getHeader('expires') || this.expiresSeconds)
    return Number.isFinite(seconds) && seconds > 0
      ? Math.min(seconds, LONGEST_EXPIRES)
      : this.expiresSeconds
  }

  private onRejected(message: Core.IncomingResponseMessage): void {
    const status = message.statusCode ?? 0
    const least = Number(message.getHeader('min-expires') ?? Number.NaN)
    // §10.2.8: a registrar that finds the time too short says how long it has to be.
    if (status === 423 && least > this.expiresSeconds && least <= LONGEST_EXPIRES) {
      this.expiresSeconds = least
      void this.register()
      return
    }
    // sip.js makes a message of its own, without a Via, for a timer and for a transport that failed.
    const made = message.via === undefined
    if ((made || status === 408 || status >= 500) && this.tryElsewhere()) return
    if (made) this.failed(status === 408 ? 'no answer to REGISTER' : 'REGISTER could not be sent')
    else {
      const refused = status === 401 || status === 403 || status === 407
      const reason = `REGISTER was refused: ${status} ${shownPhrase(message.reasonPhrase)}`
      this.failed(reason.trim(), refused ? REFUSED_RETRY_MS : retryAfter(message))
    }
  }

  /** RFC 3263 §4.3: another target of the same trunk, at once, where there is one left. */
  private tryElsewhere(): boolean {
    const other = this.sentTo !== null && this.deps.agent.failOver(this.sentTo)
    if (other) void this.register()
    return other
  }

  private failed(reason: string, waitMs?: number): void {
    const { log, agent, ids } = this.deps
    this.current = { is: 'failed', reason }
    this.counts.failed++
    const doubled = FIRST_RETRY_MS * 2 ** Math.min(this.failures, 10)
    this.failures++
    const wait = waitMs ?? Math.min(doubled, LONGEST_RETRY_MS)
    const jittered = wait * (1 - JITTER + 2 * JITTER * ids.fraction())
    log.warn('a trunk could not be registered', {
      trunk: agent.options.name,
      reason,
      retryInMs: Math.round(jittered),
    })
    this.next(jittered)
  }

  private next(ms: number): void {
    this.forgetNext()
    this.refreshAt = this.deps.clock.now() + ms
    this.forgetNext = this.deps.clock.after(ms, () => void this.register())
  }

  /** The way that we registered over is gone: what is registered leads nowhere until it is registered anew. */
  private onDisconnected(reason: string): void {
    if (this.current.is === 'stopped' || this.current.is === 'failed') return
    this.underWay = null
    this.failed(reason)
  }

  /** Registers again when what is registered does not lead to us any more, or is overdue after a sleep. */
  private async stayTrue(): Promise<void> {
    const { agent, clock } = this.deps
    if (this.current.is !== 'registered' || this.underWay) return
    const route = await agent.lastRoute().catch((): null => null)
    const { bound } = this
    if (this.current.is !== 'registered' || this.underWay || !route || !bound) return
    const overdue = clock.now() > this.refreshAt + KEEP_ALIVE_MS
    const moved = !isSameEndpoint(bound.at, route.destination)
    if (overdue || moved) await this.register()
    else if (agent.contact(route) !== bound.contact) this.readdress()
  }

  /** The trunk told us another address than we registered: it would not reach us at that one. */
  private readdress(): void {
    const { clock } = this.deps
    const wait = this.readdressedAt + LEAST_BETWEEN_MOVES_MS - clock.steady()
    this.forgetMove()
    if (wait > 0) {
      this.forgetMove = clock.after(wait, () => void this.stayTrue())
      return
    }
    this.readdressedAt = clock.steady()
    void this.register()
  }

  private keepAlive(): void {
    const { clock, ids } = this.deps
    this.forgetKeepAlive = clock.after(
      KEEP_ALIVE_MS + KEEP_ALIVE_JITTER_MS * ids.fraction(),
      () => {
        this.keepAlive()
        if (this.current.is === 'registered') void this.stayReachable()
      },
    )
  }

  /** Keeps a NAT's mapping; a connection does that by itself. */
  private async stayReachable(): Promise<void> {
    const { agent, transport } = this.deps
    await agent.refreshLocalHost()
    await this.stayTrue()
    const to = this.bound?.at
    if (!to || protocolOf(to) !== 'UDP' || this.current.is !== 'registered') return
    this.keptAlive++
    if (this.keptAlive % OPTIONS_EVERY !== 0) transport.sendOnce({ text: '\r\n\r\n', to })
    else this.askWhetherItIsThere()
  }

  /** Whatever it answers will do; when it answers nothing it may have lost us. */
  private askWhetherItIsThere(): void {
    const { agent, ids } = this.deps
    const own = agent.uri(agent.contactUser)
    const message = agent.core.makeOutgoingRequestMessage(
      'OPTIONS',
      agent.uri(null),
      own,
      agent.uri(null),
      { callId: ids.uuid(), fromTag: ids.hex(8), cseq: 1 },
      [],
    )
    agent.core.request(message, {
      onReject: ({ message: response }) => {
        if (response.via === undefined && this.current.is === 'registered') void this.register()
      },
    })
  }
}

/** In ms; undefined when the registrar does not say. */
function retryAfter(message: Core.IncomingResponseMessage): number | undefined {
  const seconds = /^\s*(\d{1,6})/.exec(message.getHeader('retry-after') ?? '')?.[1]
  return seconds === undefined
    ? undefined
    : Math.min(Math.max(Number(seconds) * 1_000, FIRST_RETRY_MS), LONGEST_ASKED_RETRY_MS)
}
