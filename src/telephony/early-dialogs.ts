/** What rings before somebody answers: each fork of our INVITE is a dialog of its own, with a To tag of its own. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { sendInside, takeRequests } from './dialog-requests.ts'
import type { OfferAnswer } from './offer-answer.ts'
import { hasOption, SessionChanges } from './session-changes.ts'
import { SessionTimer } from './session-timer.ts'

/** No trunk rings more phones for one number; what comes from further forks is not remembered. */
const MAX_FORKS = 32

interface Deps {
  clock: Clock
  log: Log
  /** With our offer, and no answer yet. */
  offers: OfferAnswer
  /** Our Contact header value. */
  contact: string
}

export class EarlyDialogs {
  private readonly deps: Deps
  private readonly forks = new Map<string, OfferAnswer>()

  constructor(deps: Deps) {
    this.deps = deps
  }

  /** A response of 101 to 199 that sip.js found to be in order: acknowledged where it asks for that (RFC 3262 §4). */
  onProgress({ message, session }: Core.PrackableIncomingResponseWithSession): void {
    const rseq = Number(message.getHeader('rseq'))
    if (hasOption(message, 'require', '100rel') && Number.isInteger(rseq) && rseq > 0)
      sendInside(session, 'PRACK', { extraHeaders: [`RAck: ${rseq} ${message.cseq} INVITE`] })
    const fork = this.forkOf(message.toTag)
    if (!fork) return
    // The first description of a dialog is its answer (RFC 3261 §13.2.1).
    if (fork.pending && message.body.trim() !== '') fork.answered(message.body)
    this.takeUpdates(session, fork)
  }

  /** What was agreed on with the fork that answered, its 2xx included; a sentence when that is nothing we can use. */
  accepted({ message }: Core.IncomingResponse): OfferAnswer | { refused: string } {
    const fork = this.forks.get(message.toTag) ?? this.deps.offers.fork()
    if (message.body.trim() === '' && fork.complete) return fork
    return fork.answered(message.body) ?? fork
  }

  private forkOf(toTag: string): OfferAnswer | undefined {
    const known = this.forks.get(toTag)
    if (known || this.forks.size >= MAX_FORKS) return known
    const fork = this.deps.offers.fork()
    this.forks.set(toTag, fork)
    return fork
  }

  /** RFC 3311: sound may change before the answer, once it was agreed on; a timer runs only after it. */
  private takeUpdates(session: Core.Session, offers: OfferAnswer): void {
    const nothing = (): void => {}
    const changes = new SessionChanges({
      ...this.deps,
      offers,
      timer: new SessionTimer(),
      onChanged: nothing,
      onBroken: nothing,
    })
    takeRequests(session, {
      onUpdate: (request) => changes.onUpdate(request),
      busy: () => false,
    })
  }
}
