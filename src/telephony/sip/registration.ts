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
  | { is: 'registered'; until: number }
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
  private inFlight = false
  private forgetNext = (): void => {}
  private forgetKeepAlive = (): void => {}
  /** The Contact of the last accepted REGISTER. */
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
    if (current.is !== 'registered' || current.until > this.deps.clock.steady()) return current
    return { is: 'failed', reason: 'the registration ran out' }
  }

  /** Returns at once; the state tells how it went. */
  start(): void {
    this.current = { is: 'registering' }
    void this.register()
    this.keepAlive()
  }

  /** Takes the binding back where there is one; waits a second for that at most. */
  async stop(): Promise<void> {
    const wasRegistered = this.state.is === 'registered'
    this.forgetNext()
    this.forgetKeepAlive()
    this.current = { is: 'stopped' }
    if (!wasRegistered) return
    await new Promise<void>((done) => {
      const forget = this.deps.clock.after(GOODBYE_PATIENCE_MS, done)
      const finish = (): void => {
        forget()
        done()
      }
      this.send(0, { onAccept: finish, onReject: finish, onRedirect: finish }).catch(finish)
    })
  }

  private async register(): Promise<void> {
    if (this.inFlight || this.current.is === 'stopped') return
    this.inFlight = true
    const finished = (): boolean => {
      this.inFlight = false
      return this.current.is === 'stopped'
    }
    try {
      await this.send(this.expiresSeconds, {
        onAccept: ({ message }) => finished() || this.onAccepted(message),
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

  private onAccepted(message: Core.IncomingResponseMessage): void {
    const { clock, ids, log, agent } = this.deps
    const seconds = this.grantedBy(message)
    if (this.current.is !== 'registered') log.info('registered', { trunk: agent.options.name })
    this.failures = 0
    this.current = { is: 'registered', until: clock.steady() + seconds * 1_000 }
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
    if (this.current.is !== 'registered' || this.inFlight) return
    void this.deps.agent.lastRoute().then(
      (route) => {
        if (this.deps.agent.contact(route) !== this.contact) void this.register()
      },
      () => undefined,
    )
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
