/** Keeps one trunk registered (RFC 3261 §10.2), and the hole in a NAT open between refreshes. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../../core/clock.ts'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import type { SipTransport } from './transport.ts'
import type { TrunkAgent } from './trunk-agent.ts'
import type { Route } from './trunk-routes.ts'
import { paramOf, printable } from './wire-message.ts'

export type RegistrationState =
  | { is: 'registering' }
  | { is: 'registered' }
  | { is: 'failed'; reason: string }
  | { is: 'stopped' }

/** Refreshes begin after this part of the time granted, less up to a tenth of it. */
const REFRESH_AT = 0.8
const JITTER = 0.1
const FIRST_RETRY_MS = 2_000
const LONGEST_RETRY_MS = 45_000
/** Wrong credentials stay wrong until somebody changes them: asking more often only gets us blocked. */
const REFUSED_RETRY_MS = 300_000
/** RFC 5626 §4.4.1 asks for less than 30 s over UDP. */
const KEEP_ALIVE_MS = 25_000
const GOODBYE_PATIENCE_MS = 1_000
/** A NAT that shows the trunk another address each time must not make us register without an end. */
const LEAST_BETWEEN_MOVES_MS = 30_000
const LONGEST_EXPIRES = 86_400

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  agent: TrunkAgent
  transport: SipTransport
}

export class Registration {
  private readonly deps: Deps
  private readonly callId: string
  private readonly fromTag: string
  private current: RegistrationState = { is: 'stopped' }
  private expiresSeconds: number
  private cseq = 0
  private failures = 0
  /** The REGISTER under way; resolves when it is over. */
  private underWay: Promise<void> | null = null
  /** As long as the registrar said it keeps our binding; a steady time. */
  private boundUntil = 0
  /** When another address of ours last made us register. */
  private movedAt = Number.NEGATIVE_INFINITY
  private forgetNext = (): void => {}
  private forgetMove = (): void => {}
  private forgetKeepAlive = (): void => {}
  /** The Contact of the last REGISTER. */
  private contact: string | null = null

  constructor(deps: Deps) {
    this.deps = deps
    this.callId = deps.ids.uuid()
    this.fromTag = deps.ids.hex(8)
    this.expiresSeconds = deps.agent.options.expiresSeconds
    deps.agent.onAddressChanged = () => this.onAddressChanged()
  }

  get state(): RegistrationState {
    const { current } = this
    if (current.is !== 'registered' || this.bound) return current
    return { is: 'failed', reason: 'the registration ran out' }
  }

  private get bound(): boolean {
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
    if (this.underWay) await this.patiently(this.underWay)
    // Still under way: nobody knows what became of it.
    if (this.contact === null || !(this.bound || this.underWay)) return
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
    const over = Promise.withResolvers<void>()
    this.underWay = over.promise
    const finished = (): boolean => {
      this.underWay = null
      over.resolve()
      return this.current.is === 'stopped'
    }
    try {
      await this.send(this.expiresSeconds, {
        onAccept: ({ message }) => {
          const seconds = this.grantedBy(message)
          this.boundUntil = this.deps.clock.steady() + seconds * 1_000
          if (!finished()) this.onAccepted(seconds)
        },
        onReject: ({ message }) => finished() || this.onRejected(message),
        onRedirect: ({ message }) => finished() || this.onRejected(message),
      })
    } catch (error) {
      if (!finished()) this.failed(reasonOf(error))
    }
  }

  private async send(expires: number, delegate: Core.OutgoingRequestDelegate): Promise<void> {
    const { agent } = this.deps
    const route: Route = await agent.resolve()
    if (expires > 0 && this.current.is === 'stopped') throw new Error('it was stopped meanwhile')
    const contact = agent.contact(route)
    this.contact = contact
    const own = agent.uri(agent.contactUser)
    this.cseq += 1
    const message = agent.core.makeOutgoingRequestMessage(
      'REGISTER',
      agent.uri(null),
      own,
      own,
      { callId: this.callId, fromTag: this.fromTag, cseq: this.cseq },
      [`Contact: ${contact};expires=${expires}`, `Expires: ${expires}`],
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
    this.current = { is: 'registered' }
    const part = REFRESH_AT - JITTER * ids.fraction()
    this.next(Math.max(1_000, seconds * 1_000 * part))
    this.onAddressChanged()
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
    if (message.via === undefined)
      this.failed(status === 408 ? 'no answer to REGISTER' : 'REGISTER could not be sent')
    else {
      const refused = status === 401 || status === 403 || status === 407
      const reason = `REGISTER was refused: ${status} ${printable(message.reasonPhrase ?? '')}`
      this.failed(reason.trim(), refused ? REFUSED_RETRY_MS : undefined)
    }
  }

  private failed(reason: string, waitMs?: number): void {
    const { log, agent, ids } = this.deps
    this.current = { is: 'failed', reason }
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
    this.forgetNext = this.deps.clock.after(ms, () => void this.register())
  }

  /** The trunk told us another address than we registered: it would not reach us at that one. */
  private onAddressChanged(): void {
    if (this.current.is !== 'registered' || this.underWay) return
    void this.deps.agent.lastRoute().then(
      (route) => {
        if (this.deps.agent.contact(route) !== this.contact) this.move()
      },
      () => undefined,
    )
  }

  private move(): void {
    const { clock } = this.deps
    const wait = this.movedAt + LEAST_BETWEEN_MOVES_MS - clock.steady()
    this.forgetMove()
    if (wait > 0) {
      this.forgetMove = clock.after(wait, () => this.onAddressChanged())
      return
    }
    this.movedAt = clock.steady()
    void this.register()
  }

  private keepAlive(): void {
    this.forgetKeepAlive = this.deps.clock.after(KEEP_ALIVE_MS, () => {
      this.keepAlive()
      void this.deps.agent.lastRoute().then(
        ({ destination }) => {
          if (this.deps.transport.open)
            this.deps.transport.sendOnce({ text: '\r\n\r\n', to: destination })
        },
        () => undefined,
      )
    })
  }
}
