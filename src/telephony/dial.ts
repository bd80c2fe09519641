/** One call over one trunk: from the offer to an answered leg or the reason why there is none. */
import type * as Core from 'sip.js/lib/core/index.js'
import type { Dialed, DialRequest } from '../calls/ports.ts'
import type { Clock } from '../core/clock.ts'
import { reasonOf } from '../core/errors.ts'
import type { Ids } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { CallEnder } from './call-ender.ts'
import { DialogLeg } from './dialog-leg.ts'
import { buildInvite } from './invite.ts'
import type { CodecName, Media, MediaSession } from './media/media.ts'
import { failureOf } from './outcome.ts'
import { type RemoteSound, readSound } from './sdp/answer.ts'
import { type LocalSound, localSound } from './sdp/offer.ts'
import type { SourceList } from './sip/gate.ts'
import type { SipStack } from './sip/sip-stack.ts'
import type { Endpoint } from './sip/transport.ts'
import type { InviteWatcher, Route, TrunkAgent } from './sip/trunk-agent.ts'
import { bodyOf, printable, type WireMessage } from './sip/wire-message.ts'
import { dialogState, type InviteState, inviteState } from './sip-state.ts'

/** After a CANCEL the final response is a matter of one round trip; longer than this nobody waits for it. */
const CANCEL_PATIENCE_MS = 5_000
/** RFC 3261 §9.1: an INVITE without a final response 64 × T1 after its CANCEL is over. */
const CANCEL_LIFETIME_MS = 32_000

export interface DialDeps {
  clock: Clock
  ids: Ids
  log: Log
  stack: SipStack
  sources: SourceList
  media: Media
  /** Told of each leg, so that a stop can end it. */
  onLeg(leg: DialogLeg): void
}

/** What came of it, and whether the called phone may have rung: then no other trunk may be tried. */
export interface DialResult {
  dialed: Dialed
  rang: boolean
}

/** Never throws for what the other side does; throws what `beforeInvite` threw. */
export async function dialOver(
  agent: TrunkAgent,
  request: DialRequest,
  deps: DialDeps,
): Promise<DialResult> {
  let media: MediaSession | undefined
  try {
    const route = await agent.resolve()
    media = await deps.media.open()
    if (request.signal.aborted) {
      media.close()
      return { dialed: canceled(null), rang: false }
    }
    return await new Dial(agent, { request, deps, route, media }).run()
  } catch (error) {
    media?.close()
    if (error instanceof HookError) throw error.cause
    return { dialed: trunkError(reasonOf(error)), rang: false }
  }
}

/** Wraps what `beforeInvite` threw, so that it is not taken for a failure of the trunk. */
class HookError extends Error {
  constructor(cause: unknown) {
    super('beforeInvite threw', { cause })
  }
}

const canceled = (sipCode: number | null): Dialed => ({
  failed: 'canceled',
  sipCode,
  reason: 'canceled before an answer',
})

const trunkError = (reason: string, sipCode: number | null = null): Dialed => ({
  failed: 'trunk_error',
  sipCode,
  reason,
})

class Dial implements InviteWatcher {
  private readonly agent: TrunkAgent
  private readonly o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession }
  private readonly local: LocalSound
  /** Those of the trunk that can be carried. */
  private readonly codecs: readonly CodecName[]
  private readonly done = Promise.withResolvers<Dialed>()
  private invite: Core.OutgoingInviteRequest | undefined
  /** The INVITE that left last; its state is stored. */
  private sent: InviteState | null = null
  private provisional = false
  private rang = false
  /** Why we end it ourselves, once we do. */
  private ending: 'canceled' | 'ring_timeout' | null = null
  private settled = false
  private cancelSent = false
  private answer: WireMessage | null = null
  private answeredBy: Endpoint | null = null
  /** A description that came before the answer, for a 200 that leaves it out. */
  private earlySdp = ''
  private forgetRing = (): void => {}

  constructor(
    agent: TrunkAgent,
    o: { request: DialRequest; deps: DialDeps; route: Route; media: MediaSession },
  ) {
    this.agent = agent
    this.o = o
    this.codecs = agent.options.codecs.filter((codec) => o.media.codecs.has(codec))
    if (this.codecs.length === 0)
      throw new Error(`no codec of the trunk is available: ${agent.options.codecs.join(', ')}`)
    this.local = localSound(o.deps.ids, {
      address: agent.advertised(o.route).host,
      port: o.media.localPort,
      srtp: agent.options.srtp,
    })
  }

  async run(): Promise<DialResult> {
    const { request, deps, route } = this.o
    const onAbort = (): void => this.end('canceled')
    request.signal.addEventListener('abort', onAbort, { once: true })
    this.forgetRing = deps.clock.after(request.ringTimeoutMs, () => this.end('ring_timeout'))
    try {
      this.invite = this.agent.invite(
        buildInvite(this.agent, {
          request,
          ids: deps.ids,
          route,
          local: this.local,
          codecs: this.codecs,
        }),
        this,
        {
          onAccept: (response) => this.onAccept(response),
          onRedirect: ({ message }) => this.onRefusal(message),
          onReject: ({ message }) => this.onRefusal(message),
        },
      )
      return { dialed: await this.done.promise, rang: this.rang }
    } finally {
      this.forgetRing()
      request.signal.removeEventListener('abort', onAbort)
    }
  }

  // ---------------------------------------------------------------- the INVITE

  async beforeSend(invite: WireMessage, to: Endpoint): Promise<void> {
    const { request, deps } = this.o
    const { localPort } = deps.stack.transport
    const state = inviteState(this.agent.options.name, invite, { destination: to, localPort })
    this.refuseWhenEnding()
    try {
      await request.beforeInvite(state)
    } catch (error) {
      this.reject(new HookError(error))
      throw error
    }
    this.refuseWhenEnding()
    this.sent = state
  }

  /** Also after a challenge: a call that is being ended sends no second INVITE. */
  private refuseWhenEnding(): void {
    if (this.ending || this.settled) throw new Error('the call was ended before its INVITE left')
  }

  // ---------------------------------------------------------------- what comes back

  onResponse(message: WireMessage, source: Endpoint): void {
    if (message.status < 200) this.onProvisional(message)
    else if (message.status < 300 && message.toTag !== undefined) {
      this.answer ??= message
      this.answeredBy ??= source
    }
  }

  private onProvisional(message: WireMessage): void {
    this.provisional = true
    if (bodyOf(message).trim() !== '') this.earlySdp = bodyOf(message)
    if (this.ending) {
      // The transaction hears of this response after us: only then may it send a CANCEL (RFC 3261 §9.1).
      queueMicrotask(() => this.cancel())
      return
    }
    if (this.rang || (message.status !== 180 && message.status !== 183)) return
    this.rang = true
    this.o.request.onRinging()
  }

  private onAccept(response: Core.AckableIncomingResponseWithSession): void {
    response.ack()
    const unwanted = this.settled || this.ending !== null
    if (unwanted) {
      response.session.bye()
      this.settle(this.ending === 'ring_timeout' ? this.unanswered() : canceled(null))
      return
    }
    const body = response.message.body
    const sound = readSound(body.trim() === '' ? this.earlySdp : body, {
      codecs: this.codecs,
      srtp: this.local.srtp,
      offeredKeys: this.local.keys,
    })
    if ('refused' in sound || sound.host === null) {
      const reason = 'refused' in sound ? sound.refused : 'no address that sound could be sent to'
      response.session.bye()
      this.settle(trunkError(`the answer cannot be used: ${reason}`))
      return
    }
    this.establish(response.session, { ...sound, host: sound.host }).catch((error) => {
      response.session.bye()
      this.o.media.close()
      this.done.resolve(trunkError(`the answered call could not begin: ${reasonOf(error)}`))
    })
  }

  private async establish(
    session: Core.Session,
    sound: RemoteSound & { host: string },
  ): Promise<void> {
    const { deps, route, media } = this.o
    const { sent, answer, answeredBy } = this
    if (!sent || !answer || !answeredBy) throw new Error('its INVITE is unknown')
    this.settled = true
    this.forgetRing()
    const target = session.remoteTarget.toRaw()
    const sentBy = this.agent.sentBy(route)
    const draft = dialogState(sent, answer, { destination: answeredBy, target, sentBy })
    // The dialog's own address may be another than the trunk's: what comes from there belongs to this call.
    const releases = [deps.sources.hold(answeredBy.host)]
    const leg = new DialogLeg(
      {
        clock: deps.clock,
        log: deps.log,
        session,
        media,
        local: this.local,
        codecs: this.codecs,
        dtmf: this.agent.options.dtmf,
        contact: this.agent.contact(route),
        signallingHost: answeredBy.host,
        onOver: () => {
          deps.stack.rememberEnded(session.id)
          for (const release of releases) release()
        },
      },
      sound,
    )
    deps.onLeg(leg)
    const destination = await this.agent.nextHop(draft).catch(() => answeredBy)
    releases.push(deps.sources.hold(destination.host))
    this.agent.unwatch(session.callId)
    this.done.resolve({ answered: leg, state: { ...draft, destination } })
  }

  private onRefusal(message: Core.IncomingResponseMessage): void {
    const status = message.statusCode ?? 0
    // sip.js makes a message of its own, without a Via, for timer B and for a transport that failed.
    const made = message.via === undefined
    if (made && status === 408 && this.sent) this.watchForLateRinging()
    this.agent.unwatch(this.invite?.message.callId ?? '')
    this.settle(this.meaningOf(message, made))
  }

  private meaningOf(message: Core.IncomingResponseMessage, made: boolean): Dialed {
    const status = message.statusCode ?? 0
    const sipCode = made ? null : status
    if (this.ending === 'canceled') return canceled(sipCode)
    if (this.ending === 'ring_timeout' && (made || status === 487)) return this.unanswered(sipCode)
    if (!made) return this.failure(message)
    const silent = status === 408
    return trunkError(silent ? 'no answer at all to the INVITE' : 'the INVITE could not be sent')
  }

  private failure(message: Core.IncomingResponseMessage): Dialed {
    const sipCode = message.statusCode ?? 0
    const phrase = printable(message.reasonPhrase ?? '')
    const wanted = this.agent.credentials ? 'refused our credentials' : 'asks for credentials'
    const about = sipCode === 401 || sipCode === 407 ? `the trunk ${wanted}: ` : ''
    const reason = `${about}${sipCode} ${phrase}`.trim()
    return { failed: failureOf(sipCode), sipCode, reason }
  }

  private unanswered(sipCode: number | null = null): Dialed {
    return { failed: 'no_answer', sipCode, reason: 'no answer while it rang' }
  }

  onRefused(to: Endpoint): void {
    if (this.provisional || this.settled) return
    if (this.invite) this.agent.drop(this.invite)
    this.settle(
      this.ending === 'canceled'
        ? canceled(null)
        : trunkError(`nothing listens for SIP at ${to.host} port ${to.port}`),
    )
  }

  /** What answered cannot be handled by sip.js: it is ended by hand, at its next retransmission. */
  onBroken(reason: string): void {
    if (this.settled) return
    this.watchForLateRinging()
    if (this.invite) this.agent.drop(this.invite)
    this.settle(trunkError(`an answer of the trunk cannot be read: ${reason}`))
  }

  // ---------------------------------------------------------------- ending it ourselves

  private end(why: 'canceled' | 'ring_timeout'): void {
    if (this.ending || this.settled) return
    this.ending = why
    this.forgetRing()
    if (!this.sent) this.settle(canceled(null))
    else if (this.provisional) this.cancel()
    else {
      // Nothing to cancel yet (RFC 3261 §9.1): the first provisional response will bring the CANCEL.
      this.agent.stopRetransmitting(this.sent.callId)
      if (why === 'ring_timeout') this.settle(trunkError('no answer at all to the INVITE'))
    }
    const patience = why === 'canceled' ? canceled(null) : this.unanswered()
    this.o.deps.clock.after(CANCEL_PATIENCE_MS, () => this.settle(patience))
  }

  private cancel(): void {
    const { invite } = this
    if (this.cancelSent || !invite) return
    this.cancelSent = true
    invite.cancel()
    this.o.deps.clock.after(CANCEL_LIFETIME_MS, () => this.agent.drop(invite))
  }

  /** An INVITE nobody answered may still be waiting in a queue: should it ring yet, it is canceled. */
  private watchForLateRinging(): void {
    const { sent, agent } = this
    const { clock, ids, stack } = this.o.deps
    if (!sent) return
    stack.transport.forget(sent.branch)
    const ender = new CallEnder({
      clock,
      ids,
      stack,
      credentials: agent.credentials,
      nextHop: (message) => agent.nextHop(message),
    })
    void ender
      .endInvite(sent, {
        cancel: this.provisional && !this.answer ? 'now' : 'when it rings',
        patienceMs: CANCEL_LIFETIME_MS,
      })
      .catch(() => undefined)
  }

  private settle(dialed: Dialed): void {
    if (this.settled) return
    this.settled = true
    this.forgetRing()
    this.o.media.close()
    this.done.resolve(dialed)
  }

  private reject(error: unknown): void {
    if (this.settled) return
    this.settled = true
    this.forgetRing()
    this.done.reject(error)
  }
}
