/** An answered call: sip.js's dialog and the media session, seen as a leg. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Leg, LegEnd, TransferOutcome } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { sendInside, takeRequests } from './dialog-requests.ts'
import { digitOfInfo } from './info-digit.ts'
import { pressByInfo } from './info-keys.ts'
import type { Agreement, MediaSession } from './media/media.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { SessionChanges } from './session-changes.ts'
import { SessionRefresh } from './session-refresh.ts'
import type { SessionTimer } from './session-timer.ts'
import { Transfer } from './transfer.ts'

/** How long a BYE may go unanswered before the leg counts as ended anyway; it is sent again meanwhile and after. */
const BYE_PATIENCE_MS = 4_000

interface Deps {
  clock: Clock
  ids: Ids
  log: Log
  session: Core.Session
  media: MediaSession
  /** What both sides have agreed on by now. */
  offers: OfferAnswer
  timer: SessionTimer
  /** Whether the dialog began with our INVITE. */
  weBegan: boolean
  /** The value of their Allow header, where they sent one. */
  allow: string | undefined
  dtmf: 'rfc4733' | 'info' | 'inband'
  /** Our Contact header value. */
  contact: string
  /** The address that signals for the other side. */
  signallingHost: string
  /** The header lines of a REFER to a number in E.164 form. */
  referTo(number: string): string[]
  /** Sends the ACK of their answer when it has not left yet: no request of ours may come before it. */
  acknowledge?(): void
  /** Called when the other side names another Contact than before (RFC 3261 §12.2). */
  onMoved(): void
  /** Called when our BYE leaves: from then on sip.js knows nothing of the dialog. */
  onBye(): void
  /** Called once, when the dialog is over. */
  onOver(): void
}

export class DialogLeg implements Leg {
  readonly ended: Promise<LegEnd>
  private readonly deps: Deps
  private readonly resolveEnded: (end: LegEnd) => void
  private readonly changes: SessionChanges
  private readonly refresh: SessionRefresh
  private state: 'live' | 'ending' | 'over' = 'live'
  private hold: Leg['lastHold'] = null
  private transferring: Transfer | null = null
  /** How many keys they have pressed. */
  private keysHeard = 0
  private digitListener: (digit: string) => void = () => {}
  /** Where the other side is to be reached, as it said last. */
  private target: string
  /** What the media session was told last. */
  private agreed = ''
  /** Sends the BYE that had to wait for an ACK. */
  private byeAfterAck: () => void = () => {}

  constructor(deps: Deps) {
    this.deps = deps
    this.target = deps.session.remoteTarget.toRaw()
    const { promise, resolve } = Promise.withResolvers<LegEnd>()
    this.ended = promise
    this.resolveEnded = resolve
    const onChanged = (): void => this.onChanged()
    this.changes = new SessionChanges({
      ...deps,
      onChanged,
      onBroken: (reason) => this.fail(reason),
    })
    const onDead = (reason: string): void => this.fail(reason)
    const onTarget = (): void => this.noteTarget()
    this.refresh = new SessionRefresh({ ...deps, onChanged, onTarget, onDead }, deps.allow)
    deps.session.delegate = this.delegate()
    takeRequests(deps.session, {
      onUpdate: (request) => {
        this.refresh.learn(request.message.getHeader('allow'))
        this.changes.onUpdate(request)
        this.noteTarget()
      },
      busy: () => this.refresh.inviting,
    })
    this.onChanged()
    deps.media.onDigit((digit) => this.onKey(digit))
    deps.media.onSilent(() => this.onSilent())
  }

  get ears(): Leg['ears'] {
    return this.deps.media.ears
  }

  get mouth(): Leg['mouth'] {
    return this.deps.media.mouth
  }

  get held(): boolean {
    return this.deps.offers.held
  }

  get lastHold(): Leg['lastHold'] {
    return this.hold
  }

  async sendDigits(digits: string): Promise<void> {
    if (this.state !== 'live') return
    if (this.deps.dtmf !== 'info') return this.deps.media.sendDigits(digits)
    const { clock, session } = this.deps
    this.deps.acknowledge?.()
    await pressByInfo(digits, { clock, session, live: () => this.state === 'live' })
  }

  onDigit(listener: (digit: string) => void): void {
    this.digitListener = listener
  }

  async transfer(number: string): Promise<TransferOutcome> {
    if (this.state !== 'live') return { ok: false, reason: 'the call is over' }
    if (this.transferring) return { ok: false, reason: 'the call is being transferred already' }
    const { clock, session, contact, log, referTo } = this.deps
    const extraHeaders = [`Contact: ${contact}`, ...referTo(number)]
    this.deps.acknowledge?.()
    this.transferring = new Transfer({
      clock,
      send: (delegate) => sendInside(session, 'REFER', { extraHeaders }, delegate),
    })
    const outcome = await this.transferring.outcome
    this.transferring = null
    log.info('a call was transferred, or not', outcome)
    return outcome
  }

  hangup(): Promise<void> {
    this.finish({ by: 'us' })
    return this.ended.then(() => undefined)
  }

  /** Who is being transferred is often taken off the line meanwhile: that is no reason to hang up. */
  private onSilent(): void {
    if (!this.transferring) this.finish({ by: 'rtp_timeout' })
  }

  /** The dialog broke: hangs up, and says so. */
  private fail(reason: string): void {
    this.finish({ by: 'trunk_error', reason })
  }

  /** Stops the sound at once and sends BYE; the leg has ended when that is answered. */
  private finish(end: LegEnd): void {
    if (this.state !== 'live') return
    this.state = 'ending'
    this.rest()
    const over = (): void => {
      forget()
      this.over(end)
    }
    const forget = this.deps.clock.after(BYE_PATIENCE_MS, over)
    const bye = (): void => {
      this.deps.acknowledge?.()
      this.deps.session.bye({ onAccept: over, onReject: over, onRedirect: over })
      this.deps.onBye()
    }
    try {
      bye()
    } catch (error) {
      // RFC 3261 §15: whom we answered gets no BYE before its ACK came.
      this.deps.log.debug('a call is hung up later', { reason: reasonOf(error) })
      this.byeAfterAck = bye
    }
  }

  private over(end: LegEnd): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.rest()
    this.deps.onOver()
    this.resolveEnded(end)
  }

  /** Nothing moves any more but the BYE. */
  private rest(): void {
    this.deps.media.close()
    this.changes.stop()
    this.refresh.stop()
    this.transferring?.abandon()
  }

  private delegate(): Core.SessionDelegate {
    return {
      onBye: (request) => {
        request.accept()
        this.over(this.state === 'ending' ? { by: 'us' } : { by: 'human' })
      },
      onInvite: (request) => {
        this.refresh.learn(request.message.getHeader('allow'))
        this.changes.onInvite(request)
        this.noteTarget()
      },
      onAck: (request) => {
        this.sayBye()
        if (this.state === 'live') this.changes.onAck(request.message.body ?? '')
      },
      onAckTimeout: () => {
        this.sayBye()
        this.fail('our answer to the call was never acknowledged')
      },
      // An INFO of the old kind (no package) does no harm, whatever is in it (RFC 6086 §4.2.2).
      onInfo: (request) => {
        const { message } = request
        if (message.hasHeader('info-package'))
          return request.reject({ statusCode: 469, extraHeaders: ['Recv-Info:'] })
        request.accept()
        const key = digitOfInfo(message.getHeader('content-type'), message.body ?? '')
        if (key !== undefined) this.onKey(key)
      },
      // Following a REFER would let the other side place calls at our cost.
      onRefer: (request) => request.reject({ statusCode: 603 }),
      onMessage: (request) => request.accept(),
      onNotify: (request) => {
        request.accept()
        this.onNotify(request.message)
      },
      // We answer no INVITE with reliable provisional responses (RFC 3262 §3).
      onPrack: (request) => request.reject({ statusCode: 481 }),
    }
  }

  /** They pressed a key. Which one stays out of the log: it may be part of a number or a secret. */
  private onKey(digit: string): void {
    this.keysHeard++
    this.digitListener(digit)
    this.deps.log.debug('a key was pressed', { keys: this.keysHeard })
  }

  private sayBye(): void {
    const bye = this.byeAfterAck
    this.byeAfterAck = () => {}
    bye()
  }

  private onNotify(message: Core.IncomingRequestMessage): void {
    if (!/^\s*refer\s*(;|$)/i.test(message.getHeader('event') ?? '')) return
    this.transferring?.onNotify(message.getHeader('subscription-state') ?? '', message.body ?? '')
  }

  /** Sound, hold and timer as they are agreed on now. */
  private onChanged(): void {
    const { offers, signallingHost } = this.deps
    if (this.state !== 'live') return
    if (offers.complete) this.agree(offers.agreement(signallingHost))
    const { written } = this.ears
    const holding = this.hold !== null && this.hold.to === null
    if (offers.held && !holding) this.hold = { from: written, to: null }
    if (!offers.held && this.hold && holding) this.hold = { from: this.hold.from, to: written }
    this.refresh.arm()
  }

  private noteTarget(): void {
    const target = this.deps.session.remoteTarget.toRaw()
    if (target === this.target) return
    this.target = target
    this.deps.onMoved()
  }

  /** Told anew, the media session would look for its source anew: a refresh that changes nothing is none of its business. */
  private agree(agreement: Agreement): void {
    const told = JSON.stringify(agreement)
    if (told === this.agreed) return
    this.agreed = told
    this.deps.media.agree(agreement)
  }
}
