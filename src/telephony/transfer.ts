/** A blind transfer: our REFER, and the NOTIFYs that tell what became of it (RFC 3515, RFC 5589 §6). */
import type * as Core from 'sip.js/lib/core/index.js'
import type { TransferOutcome } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { failureOf } from './outcome.ts'
import { shownPhrase } from './sip/phrase.ts'

/** A phone rings a minute before somebody's voicemail takes it; who has not told by then tells nothing. */
const PATIENCE_MS = 90_000

export class Transfer {
  readonly outcome: Promise<TransferOutcome>
  private readonly resolve: (outcome: TransferOutcome) => void
  private readonly forget: () => void

  /** `send` sends the REFER. */
  constructor(o: { clock: Clock; send(delegate: Core.OutgoingRequestDelegate): void }) {
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>()
    this.outcome = promise
    this.resolve = resolve
    this.forget = o.clock.after(PATIENCE_MS, () =>
      this.fail(`no word of its outcome within ${PATIENCE_MS / 1_000} s`),
    )
    const refused = ({ message }: Core.IncomingResponse): void => this.onRefused(message)
    o.send({ onReject: refused, onRedirect: refused })
  }

  /** A NOTIFY of the event `refer`: the state of its subscription, and a piece of a SIP message as its body. */
  onNotify(subscriptionState: string, body: string): void {
    const match = /^\s*SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]*))?(?=[\r\n]|$)/.exec(body)
    const status = Number(match?.[1] ?? 0)
    if (status >= 200 && status < 300) this.settle({ ok: true })
    else if (status >= 300) this.fail(reasonOfStatus(status, match?.[2] ?? ''))
    else if (/^terminated\b/i.test(subscriptionState.trim()))
      this.fail('the other side stopped telling before it was decided')
  }

  /** The call ended while it went on. */
  abandon(): void {
    this.fail('the call ended before it was decided')
  }

  private onRefused(message: Core.IncomingResponseMessage): void {
    const status = message.statusCode ?? 0
    // sip.js makes a message of its own, without a Via, for a time-out and for a transport that failed.
    if (message.via === undefined) this.fail('the trunk did not answer')
    else
      this.fail(
        `the trunk does not transfer: ${status} ${shownPhrase(message.reasonPhrase)}`.trim(),
      )
  }

  private fail(reason: string): void {
    this.settle({ ok: false, reason })
  }

  private settle(outcome: TransferOutcome): void {
    this.forget()
    this.resolve(outcome)
  }
}

function reasonOfStatus(status: number, phrase: string): string {
  const failure = failureOf(status)
  if (failure === 'busy') return 'the number is busy'
  if (failure === 'no_answer') return 'nobody answered'
  return `it was refused: ${status} ${shownPhrase(phrase)}`.trim()
}
