/** An answered call: sip.js's dialog and the media session, seen as a leg. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Leg, LegEnd } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { CodecName, MediaSession } from './media/media.ts'
import { agreementOf } from './sdp/agreement.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import { type LocalSound, renderAnswer, renderOffer } from './sdp/offer.ts'

/** How long a BYE may go unanswered before the leg counts as ended anyway; it is sent again meanwhile and after. */
const BYE_PATIENCE_MS = 4_000

interface Deps {
  clock: Clock
  log: Log
  session: Core.Session
  media: MediaSession
  /** What we said of ourselves in the offer. */
  local: LocalSound
  codecs: readonly CodecName[]
  dtmf: 'rfc4733' | 'info' | 'inband'
  /** Our Contact header value. */
  contact: string
  /** The address that signals for the other side. */
  signallingHost: string
  /** Called once, when the dialog is over. */
  onOver(): void
}

export class DialogLeg implements Leg {
  readonly ended: Promise<LegEnd>
  private readonly deps: Deps
  private readonly resolveEnded: (end: LegEnd) => void
  private state: 'live' | 'ending' | 'over' = 'live'
  private version: number
  /** Sends the BYE that had to wait for an ACK. */
  private byeAfterAck: () => void = () => {}
  private sound: RemoteSound
  /** The last address that they named: a hold by `0.0.0.0` does not forget it. */
  private remoteHost: string

  /** `sound` is their answer; it names an address. */
  constructor(deps: Deps, sound: RemoteSound & { host: string }) {
    this.deps = deps
    this.sound = sound
    this.remoteHost = sound.host
    this.version = deps.local.version
    const { promise, resolve } = Promise.withResolvers<LegEnd>()
    this.ended = promise
    this.resolveEnded = resolve
    deps.session.delegate = this.delegate()
    this.agree()
    void deps.media.silent.then(() => this.finish({ by: 'rtp_timeout' }))
  }

  get ears(): Leg['ears'] {
    return this.deps.media.ears
  }

  get mouth(): Leg['mouth'] {
    return this.deps.media.mouth
  }

  get held(): boolean {
    return this.sound.direction === 'recvonly' || this.sound.direction === 'inactive'
  }

  async sendDigits(digits: string): Promise<void> {
    if (this.state !== 'live') return
    if (this.deps.dtmf !== 'info') return this.deps.media.sendDigits(digits)
    for (const digit of digits) if (this.state === 'live') await this.sendInfoDigit(digit)
  }

  hangup(): Promise<void> {
    this.finish({ by: 'us' })
    return this.ended.then(() => undefined)
  }

  /** The dialog broke: hangs up, and says so. */
  fail(reason: string): void {
    this.finish({ by: 'trunk_error', reason })
  }

  /** Stops the sound at once and sends BYE; the leg has ended when that is answered. */
  private finish(end: LegEnd): void {
    if (this.state !== 'live') return
    this.state = 'ending'
    this.deps.media.close()
    const over = (): void => {
      forget()
      this.over(end)
    }
    const forget = this.deps.clock.after(BYE_PATIENCE_MS, over)
    const bye = (): void => {
      this.deps.session.bye({ onAccept: over, onReject: over, onRedirect: over })
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
    this.deps.media.close()
    this.deps.onOver()
    this.resolveEnded(end)
  }

  private delegate(): Core.SessionDelegate {
    return {
      onBye: (request) => {
        request.accept()
        this.over(this.state === 'ending' ? { by: 'us' } : { by: 'human' })
      },
      onInvite: (request) => this.onReInvite(request),
      onAck: (request) => {
        this.byeAfterAck()
        this.byeAfterAck = () => {}
        this.onLateAnswer(request.message.body)
      },
      // Keys that they press come as RTP; an INFO of the old kind (no package) does no harm (RFC 6086 §4.2.2).
      onInfo: (request) =>
        request.message.hasHeader('info-package')
          ? request.reject({ statusCode: 469, extraHeaders: ['Recv-Info:'] })
          : request.accept(),
      // Following a REFER would let the other side place calls at our cost.
      onRefer: (request) => request.reject({ statusCode: 603 }),
      onMessage: (request) => request.accept(),
      onNotify: (request) => request.accept(),
      onPrack: (request) => request.accept(),
    }
  }

  /** A changed session: adopted, or refused with 488 and everything as before (RFC 3261 §14.2). */
  private onReInvite(request: Core.IncomingInviteRequest): void {
    const offer = request.message.body
    if (offer.trim() === '') {
      const body = renderOffer(this.nextLocal(), {
        codecs: [this.sound.codec],
        telephoneEvent: this.deps.dtmf === 'rfc4733',
      })
      this.accept(request, body)
      return
    }
    const sound = readSound(offer, {
      codecs: this.preferCurrentCodec(),
      srtp: this.deps.local.srtp,
    })
    if ('refused' in sound) {
      this.deps.log.info('a changed session was refused', { reason: sound.refused })
      request.reject({ statusCode: 488 })
      return
    }
    this.adopt(sound)
    this.accept(
      request,
      renderAnswer(this.nextLocal(), sound, { telephoneEvent: this.deps.dtmf === 'rfc4733' }),
    )
  }

  private accept(request: Core.IncomingInviteRequest, content: string): void {
    request.accept({
      statusCode: 200,
      extraHeaders: [`Contact: ${this.deps.contact}`],
      body: { contentDisposition: 'session', contentType: 'application/sdp', content },
    })
  }

  /** The answer to an offer that we made in a 200. */
  private onLateAnswer(body: string | undefined): void {
    if (this.state !== 'live' || !body) return
    const { codecs, local } = this.deps
    const sound = readSound(body, { codecs, srtp: local.srtp, offeredKeys: local.keys })
    if ('refused' in sound) this.fail(sound.refused)
    else this.adopt(sound)
  }

  private adopt(sound: RemoteSound): void {
    this.sound = sound
    if (sound.host !== null) this.remoteHost = sound.host
    this.agree()
  }

  private agree(): void {
    const { local, media, signallingHost, dtmf } = this.deps
    media.agree(
      agreementOf({
        local,
        remote: this.sound,
        host: this.remoteHost,
        signallingHost,
        dtmf,
      }),
    )
  }

  /** Staying with the codec in use spares the other side a change. */
  private preferCurrentCodec(): readonly CodecName[] {
    return [this.sound.codec, ...this.deps.codecs.filter((codec) => codec !== this.sound.codec)]
  }

  private nextLocal(): LocalSound {
    this.version++
    return { ...this.deps.local, version: this.version }
  }

  /** One key by INFO, the way that gateways know from before RFC 6086. */
  private sendInfoDigit(digit: string): Promise<void> {
    const pause = digit === 'w' ? 500 : 250
    if (digit !== 'w')
      this.deps.session.info(undefined, {
        body: {
          contentDisposition: 'render',
          contentType: 'application/dtmf-relay',
          content: `Signal=${digit}\r\nDuration=160\r\n`,
        },
      })
    return new Promise((done) => {
      this.deps.clock.after(pause, done)
    })
  }
}
