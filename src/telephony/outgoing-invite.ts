/** Our INVITE on its way: sent, sent again with a longer session, canceled, or given up without an answer. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { DialRequest } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import { CallEnder } from './call-ender.ts'
import { buildInvite, type InviteIdentity } from './invite.ts'
import type { SessionTimer } from './session-timer.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { InviteWatcher, Route, TrunkAgent } from './sip/trunk-agent.ts'
import type { InviteState } from './sip-state.ts'
import type { TraceRecorder } from './trace.ts'

/** RFC 3261 §9.1: an INVITE without a final response 64 × T1 after its CANCEL is over. */
const CANCEL_LIFETIME_MS = 32_000
/** How often a 422 may make us ask for a longer session: each proxy on the way may have a minimum of its own. */
const MAX_TIMER_RETRIES = 3

interface Order {
  deps: { clock: Clock; ids: Ids; stack: SipStack; trace: TraceRecorder | null }
  request: DialRequest
  route: Route
  timer: SessionTimer
  /** Our description. */
  offer: string
  watcher: InviteWatcher
  delegate: Core.OutgoingInviteRequestDelegate
}

export class OutgoingInvite {
  /** What left last; it is stored. */
  sent: InviteState | null = null
  /** Whether a provisional response to it came: only then may a CANCEL leave. */
  provisional = false
  private readonly agent: TrunkAgent
  private readonly o: Order
  private request: Core.OutgoingInviteRequest | undefined
  private timerRetries = 0
  private cancelSent = false

  constructor(agent: TrunkAgent, o: Order) {
    this.agent = agent
    this.o = o
  }

  send(): void {
    const { ids, stack, trace } = this.o.deps
    const callId = ids.uuid()
    trace?.follow(stack.transport.tap, callId, this.agent.options.name)
    this.sendAs({ callId, fromTag: ids.hex(8), cseq: 1 })
  }

  /** RFC 4028 §7.3: the same INVITE once more, with the interval that a 422 insists on. False when that is no use. */
  askForLonger(refusal: Core.IncomingResponseMessage): boolean {
    const last = this.request?.message
    if (!last || this.timerRetries >= MAX_TIMER_RETRIES) return false
    if (!this.o.timer.raise(refusal.getHeader('min-se'))) return false
    this.timerRetries++
    this.sendAs({ callId: last.callId, fromTag: last.fromTag, cseq: last.cseq + 1 })
    return true
  }

  cancel(): void {
    const { request } = this
    if (this.cancelSent || !request) return
    this.cancelSent = true
    request.cancel()
    this.o.deps.clock.after(CANCEL_LIFETIME_MS, () => this.agent.drop(request))
  }

  /** Sends it no more; an answer is still waited for. */
  stopSending(): void {
    if (this.sent) this.agent.stopRetransmitting(this.sent.callId)
  }

  /** Nothing of it is watched any more. */
  unwatch(): void {
    if (this.request) this.agent.unwatch(this.request.message.callId)
  }

  /** Ends it without a word. */
  drop(): void {
    if (this.request) this.agent.drop(this.request)
  }

  /**
   * Leaves it to be ended by hand, from what was stored, should the other side wake up after all: a phone that rings
   * is canceled (at once when `rang`), one that answers is acknowledged and hung up.
   */
  abandon(o: { rang: boolean }): void {
    const { sent, agent } = this
    if (!sent) return
    const { deps } = this.o
    deps.stack.transport.forget(sent.branch)
    const ender = new CallEnder({
      ...deps,
      credentials: agent.credentials,
      nextHop: (message) => agent.nextHop(message),
    })
    const cancel = o.rang ? 'now' : 'when it rings'
    void ender.endInvite(sent, { cancel, patienceMs: CANCEL_LIFETIME_MS }).catch(() => undefined)
  }

  private sendAs(identity: InviteIdentity): void {
    const { watcher, delegate } = this.o
    this.provisional = false
    const message = buildInvite(this.agent, { ...this.o, identity })
    this.request = this.agent.invite(message, watcher, delegate)
  }
}
