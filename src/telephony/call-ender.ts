/**
 * Ends an INVITE or a dialog from what was stored of it, without sip.js: for calls that an earlier process left
 * open, and for an INVITE that we gave up without an answer, should the other side wake up after all.
 */
import type { Clock } from '../core/clock.ts'
import type { Ids } from '../core/ids.ts'
import { Authentication } from './sip/authenticate.ts'
import type { Credentials } from './sip/digest.ts'
import { uriOf } from './sip/for-sipjs.ts'
import type { SipStack } from './sip/sip-stack.ts'
import { type Endpoint, protocolOf } from './sip/transport.ts'
import { headerOf, headersOf, readVia, type WireMessage } from './sip/wire-message.ts'
import { type DialogState, dialogState, type InviteState } from './sip-state.ts'

/** What was stored at the answer does not know how many requests the dialog has sent since: a gap is allowed. */
const CSEQ_LEAD = 1_000
/** A BYE that is challenged is sent once more. */
const MAX_CHALLENGES = 2

interface Deps {
  clock: Clock
  ids: Ids
  stack: SipStack
  credentials: Credentials | null
  /** Where a request inside a dialog goes; rejects when that cannot be told. */
  nextHop(message: { routes: readonly string[]; target: string }): Promise<Endpoint>
  /** The port of ours that the state was made on, when it is not the usual one. */
  fromPort?: number
}

export class CallEnder {
  private readonly deps: Deps

  constructor(deps: Deps) {
    this.deps = deps
  }

  /**
   * Ends an INVITE: CANCEL at once, or with `cancel: 'when it rings'` once a provisional response shows that there
   * is something to cancel (RFC 3261 §9.1). A 2xx is acknowledged and ended with BYE. Resolves when the other side
   * confirmed, or after `patienceMs`.
   */
  endInvite(
    state: InviteState,
    o: { cancel: 'now' | 'when it rings'; patienceMs: number },
  ): Promise<void> {
    return this.until(o.patienceMs, (done) => {
      const acks = new Map<string, string>()
      let canceled = false
      const cancel = (): void => {
        if (!canceled) this.send(cancelText(state), state.destination)
        canceled = true
      }
      const stop = this.deps.stack.watch(state.branch, (message, source) => {
        if (message.method !== 'INVITE' || message.callId !== state.callId) return
        if (message.status < 200) cancel()
        else if (message.status >= 300) {
          this.send(ackText(state, message), state.destination)
          done()
        } else this.onAccepted(state, { message, source, acks }).then(done, done)
      })
      if (o.cancel === 'now') cancel()
      return stop
    })
  }

  /** Ends a dialog with BYE. Resolves at its final response, or after `patienceMs`. */
  endDialog(state: DialogState, patienceMs: number): Promise<void> {
    return this.until(patienceMs, (done) => this.sendBye(state, done))
  }

  /** ACK for every 2xx, one BYE for each dialog that one makes. */
  private async onAccepted(
    invite: InviteState,
    o: { message: WireMessage; source: Endpoint; acks: Map<string, string> },
  ): Promise<void> {
    const { message, source, acks } = o
    const tag = message.toTag ?? ''
    const known = acks.get(tag)
    const target = uriInside(headerOf(message, 'contact')) ?? uriOf(source)
    const sentBy = readVia(invite.via)?.sentBy ?? ''
    const draft = dialogState(invite, message, { destination: source, target, sentBy })
    const destination = await this.deps.nextHop(draft).catch(() => invite.destination)
    const state = { ...draft, destination }
    const ack = known ?? this.insideText(state, { method: 'ACK', cseq: state.cseq })
    acks.set(tag, ack)
    this.send(ack, destination)
    if (known !== undefined) return new Promise(() => {})
    await this.endDialog(state, 4_000)
  }

  /** Returns what ends its watching. */
  private sendBye(state: DialogState, done: () => void): () => void {
    const { stack, ids, credentials } = this.deps
    const authentication = credentials ? new Authentication(credentials, ids) : null
    let stop = (): void => {}
    const attempt = (o: { cseq: number; extra: string[] }): void => {
      const branch = `z9hG4bK${ids.hex(16)}`
      stop()
      stop = stack.watch(branch, (message) => {
        if (message.method !== 'BYE' || message.status < 200) return
        const extra = authentication && answerTo(message, authentication, state.target)
        const tries = o.cseq - state.cseq - CSEQ_LEAD + 1
        if (extra && tries < MAX_CHALLENGES) attempt({ cseq: o.cseq + 1, extra })
        else done()
      })
      this.send(this.insideText(state, { method: 'BYE', ...o, branch }), state.destination)
    }
    attempt({ cseq: state.cseq + CSEQ_LEAD, extra: [] })
    return () => stop()
  }

  private insideText(
    state: DialogState,
    o: { method: string; cseq: number; branch?: string; extra?: string[] },
  ): string {
    const branch = o.branch ?? `z9hG4bK${this.deps.ids.hex(16)}`
    const protocol = protocolOf(state.destination)
    const via = `SIP/2.0/${protocol} ${state.sentBy};branch=${branch};rport`
    const extra = o.extra ?? []
    return requestText(o.method, state.target, { ...state, via, cseq: o.cseq, extra })
  }

  private send(text: string, to: Endpoint): void {
    const { fromPort, stack } = this.deps
    const port = fromPort === undefined ? {} : { fromPort }
    // What cannot be sent is not answered: the patience ends it.
    stack.transport.send({ text, to, ...port }).catch(() => undefined)
  }

  /** Keeps watching for the whole time, also when it resolved before: what was acknowledged may come again. */
  private until(ms: number, begin: (done: () => void) => () => void): Promise<void> {
    return new Promise((done, fail) => {
      let stop = (): void => {}
      const forget = this.deps.clock.after(ms, () => {
        stop()
        done()
      })
      try {
        stop = begin(done)
      } catch (error) {
        forget()
        fail(error)
      }
    })
  }
}

function cancelText(state: InviteState): string {
  return requestText('CANCEL', state.requestUri, { ...state, extra: [] })
}

/** RFC 3261 §17.1.1.3: the ACK of a refusal is the INVITE's own, with the refusal's To. */
function ackText(state: InviteState, refusal: WireMessage): string {
  const to = headerOf(refusal, 'to') ?? state.to
  return requestText('ACK', state.requestUri, { ...state, to, extra: [] })
}

function requestText(
  method: string,
  uri: string,
  o: {
    via: string
    from: string
    to: string
    callId: string
    cseq: number
    routes: readonly string[]
    extra: readonly string[]
  },
): string {
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: ${o.via}`,
    ...o.routes.map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${o.from}`,
    `To: ${o.to}`,
    `Call-ID: ${o.callId}`,
    `CSeq: ${o.cseq} ${method}`,
    ...o.extra,
    'Content-Length: 0',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The whole header lines that answer a 401 or 407, or null. */
function answerTo(
  message: WireMessage,
  authentication: Authentication,
  uri: string,
): string[] | null {
  if (message.status !== 401 && message.status !== 407) return null
  const request = { method: 'BYE', uri, body: '' }
  const lines = authentication.answer((header) => headersOf(message, header), request)
  return lines?.flatMap(({ name, values }) => values.map((value) => `${name}: ${value}`)) ?? null
}

/** The URI of a name-addr or addr-spec (RFC 3261 §20.10: without `<>` the parameters are the header's). */
function uriInside(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const inside = /<([^>]+)>/.exec(value)?.[1] ?? value.split(/[;,]/, 1)[0]?.trim()
  return inside && /^sips?:/i.test(inside) ? inside : undefined
}
