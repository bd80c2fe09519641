/** How a session is changed by the other side: re-INVITE and UPDATE, answered or refused with all as before. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { OfferAnswer } from './offer-answer.ts'
import type { SessionTimer, TimerRequest } from './session-timer.ts'
import { ALLOW } from './sip/reply.ts'

/** RFC 3261 §13.3.1.4: a 2xx that nobody acknowledged for 64 × T1 ends the session. */
const ACK_PATIENCE_MS = 32_000

interface Deps {
  clock: Clock
  log: Log
  offers: OfferAnswer
  timer: SessionTimer
  /** Our Contact header value. */
  contact: string
  /** Something was agreed on anew: sound, timer or both. */
  onChanged(): void
  /** The session cannot go on. */
  onBroken(reason: string): void
}

type Refusal = { statusCode: number; extraHeaders?: string[] }

export class SessionChanges {
  private readonly deps: Deps
  private forgetAck = (): void => {}

  constructor(deps: Deps) {
    this.deps = deps
  }

  onInvite(request: Core.IncomingInviteRequest): void {
    const { offers, clock, onBroken } = this.deps
    const body = bodyOf(request.message)
    const refusal = this.refuse(request.message)
    if (refusal) return void request.reject(refusal)
    const content = body === '' ? offers.offer() : this.answer(body)
    if (content === null) return void request.reject(this.unacceptable())
    request.accept({ ...this.acceptance(request.message), body: sdp(content) })
    this.forgetAck()
    this.forgetAck = clock.after(ACK_PATIENCE_MS, () =>
      onBroken('the answer to a changed session was never acknowledged'),
    )
    this.deps.onChanged()
  }

  /** RFC 3311 §5.2. */
  onUpdate(request: Core.IncomingRequest & { message: Core.IncomingRequestMessage }): void {
    const body = bodyOf(request.message)
    const refusal = this.refuse(request.message)
    if (refusal) return void request.reject(refusal)
    if (body === '') request.accept(this.acceptance(request.message))
    else if (this.deps.offers.pending) return void request.reject({ statusCode: 491 })
    else {
      const content = this.answer(body)
      if (content === null) return void request.reject(this.unacceptable())
      request.accept({ ...this.acceptance(request.message), body: sdp(content) })
    }
    this.deps.onChanged()
  }

  /** The ACK of our 2xx; where that made an offer, `body` is the answer. */
  onAck(body: string): void {
    this.forgetAck()
    const { offers } = this.deps
    if (!offers.pending) return
    // Without an answer to it our offer counts for nothing: all goes on as before.
    const answered = body.trim() !== ''
    if (!answered) offers.withdraw()
    const refused = answered ? offers.answered(body) : null
    if (refused) this.deps.onBroken(refused.refused)
    else this.deps.onChanged()
  }

  stop(): void {
    this.forgetAck()
  }

  private answer(offer: string): string | null {
    const result = this.deps.offers.answer(offer)
    if ('answer' in result) return result.answer
    this.deps.log.info('a changed session was refused', { reason: result.refused })
    return null
  }

  /** What can be refused before the offer is read. */
  private refuse(message: Core.IncomingRequestMessage): Refusal | null {
    const type = message.getHeader('content-type') ?? 'application/sdp'
    if (bodyOf(message) !== '' && !/^(application\/sdp|multipart\/)/i.test(type.trim()))
      return { statusCode: 415, extraHeaders: ['Accept: application/sdp'] }
    const least = this.deps.timer.tooShort(timerRequest(message))
    return least && { statusCode: 422, extraHeaders: least }
  }

  /** RFC 3261 §20.43: 305, incompatible media format. */
  private unacceptable(): Refusal {
    return { statusCode: 488, extraHeaders: ['Warning: 305 landline "Incompatible media format"'] }
  }

  private acceptance(message: Core.IncomingRequestMessage): Core.ResponseOptions {
    const { timer, clock, contact } = this.deps
    const timing = timer.asked(timerRequest(message), clock.steady())
    return {
      statusCode: 200,
      supported: ['timer'],
      extraHeaders: [`Contact: ${contact}`, `Allow: ${ALLOW}`, ...timing],
    }
  }
}

/** What a request of theirs says of session timers. */
export function timerRequest(message: Core.IncomingMessage): TimerRequest {
  return {
    sessionExpires: message.getHeader('session-expires'),
    minSe: message.getHeader('min-se'),
    supported: hasOption(message, 'supported', 'timer') || hasOption(message, 'require', 'timer'),
  }
}

/** Whether a header of option tags names `option`. */
export function hasOption(message: Core.IncomingMessage, header: string, option: string): boolean {
  const tags = message.getHeaders(header).flatMap((value) => value.split(','))
  return tags.some((tag) => tag.trim().toLowerCase() === option)
}

export function sdp(content: string): Core.Body {
  return { contentDisposition: 'session', contentType: 'application/sdp', content }
}

function bodyOf(message: Core.IncomingMessage): string {
  return (message.body ?? '').trim() === '' ? '' : message.body
}
