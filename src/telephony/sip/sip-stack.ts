/**
 * Between the transport and what keeps calls: signs what goes out, checks what comes in, and finds whose it is.
 * Only what belongs to a call of ours reaches sip.js's parser; the rest is answered from the wire, or not at all.
 */
import * as Core from 'sip.js/lib/core/index.js'
import { reasonOf } from '../../core/errors.ts'
import type { Ids } from '../../core/ids.ts'
import { BranchSigner, signRequest } from './branch.ts'
import { fitRequest, fitResponse } from './for-sipjs.ts'
import {
  answerOutside,
  judgeRequest,
  type Reply,
  renderReply,
  replyTo,
  withSource,
} from './reply.ts'
import { ReturnPaths } from './return-paths.ts'
import {
  type Endpoint,
  type Protocol,
  protocolOf,
  type SipTransport,
  type Source,
  type TransportEvents,
  unbracket,
} from './transport.ts'
import {
  bodyOf,
  declaredLength,
  headersOf,
  paramOf,
  readVia,
  readWire,
  renderWire,
  splitList,
  type Via,
  type WireMessage,
} from './wire-message.ts'

/** A user agent of sip.js, and what it wants to see of its traffic before sip.js does. */
export interface Member {
  readonly core: Core.UserAgentCore
  /** A response to one of its INVITEs. */
  onInviteResponse(message: WireMessage, source: Endpoint): void
  /** A final response to one of its INVITEs made sip.js throw. */
  onBroken(message: WireMessage, reason: string): void
  /** What went to `to` was refused there, or the connection broke. */
  onRefused(to: Endpoint, reason: string): void
  /** What a response's Via says of how we look from `source` (RFC 3581); port null where it does not say. */
  onSeenAs(address: { host: string; port: number | null }, source: Endpoint): void
}

/** Vias that are looked at for one of ours. */
const MAX_VIAS = 8
const LOOP = { status: 482, reason: 'Loop Detected' }
const UNREADABLE = { status: 400, reason: 'Unreadable Header' }
/** So many ended dialogs are remembered: a BYE that crossed ours is answered 200 and not 481. */
const MAX_ENDED = 256

export class SipStack {
  readonly transport: SipTransport
  private readonly members = new Set<Member>()
  private readonly watched = new Map<string, (message: WireMessage, source: Endpoint) => void>()
  private readonly ended = new Set<string>()
  private invited: ((message: WireMessage, source: Source) => Member | null) | null = null
  private readonly ways = new ReturnPaths()
  private readonly signer: BranchSigner
  private readonly secret: string
  private readonly parserLog: Core.Logger

  constructor(deps: { transport: SipTransport; ids: Ids; loggerFactory: Core.LoggerFactory }) {
    this.transport = deps.transport
    this.secret = deps.ids.hex(32)
    this.signer = new BranchSigner(this.secret)
    this.parserLog = deps.loggerFactory.getLogger('sip.parser')
  }

  /** The handlers to start the transport with. */
  events(): TransportEvents {
    return {
      onMessage: (message, source) =>
        message.kind === 'request'
          ? this.onRequest(message, source)
          : this.onResponse(message, source),
      onRefused: (to, reason) => {
        for (const member of this.members) member.onRefused(to, reason)
      },
    }
  }

  add(member: Member): void {
    this.members.add(member)
  }

  /** Hands responses that carry `branch` on the wire to `handler` alone, until the returned function is called. */
  watch(branch: string, handler: (message: WireMessage, source: Endpoint) => void): () => void {
    this.watched.set(branch, handler)
    return () => {
      if (this.watched.get(branch) === handler) this.watched.delete(branch)
    }
  }

  /**
   * From now on an INVITE that begins a call goes to the member that `owner` names; null refuses it. Without an owner
   * nobody can call us.
   */
  takeCalls(owner: (invite: WireMessage, source: Source) => Member | null): void {
    this.invited = owner
  }

  /** A BYE for this dialog is answered 200 from now on. */
  rememberEnded(dialogId: string): void {
    this.ended.add(dialogId)
    for (const oldest of this.ended) {
      if (this.ended.size <= MAX_ENDED) return
      this.ended.delete(oldest)
    }
  }

  /** A request of sip.js as it will be on the wire. */
  sign(text: string, o: { callId: string; sentBy: string; protocol: Protocol }): string {
    return signRequest(text, { ...o, signer: this.signer })
  }

  /** Sends a response that sip.js made, to where its request came from. */
  async respond(response: string): Promise<void> {
    const { text, source } = this.ways.unmark(response)
    const via = readVia(/^Via: (.*)$/im.exec(text)?.[1]?.trim())
    const to = via && (source ? replyTo(via, source) : returnAddress(via))
    if (!to) throw new Error('sending a SIP response: its Via has no source')
    await this.transport.send({ text: text.replace(/^Supported: *\r\n/m, ''), to })
  }

  private onRequest(message: WireMessage, source: Source): void {
    const stream = protocolOf(source) !== 'UDP'
    const verdict = this.isOwn(message) ? LOOP : judgeRequest(message, { stream })
    if (verdict === 'drop') return
    const owner = verdict ? undefined : (this.ownerOf(message) ?? this.callee(message, source))
    const unreadable = owner && !this.hand(message, { owner, source })
    if (owner && !unreadable) return
    this.reply(message, unreadable ? UNREADABLE : (verdict ?? this.answerStranger(message)), source)
  }

  /** Gives a request to whose it is; false when sip.js cannot read it. */
  private hand(message: WireMessage, o: { owner: Member; source: Source }): boolean {
    const { core } = o.owner
    const fit = structuredClone(message)
    fitRequest(fit, core.dialogs.get(dialogIdOf(message))?.remoteTarget.toRaw())
    const via = fit.headers.find((header) => header.name === 'via')
    if (via) via.value = this.ways.mark(withSource(via.value, fit.via, o.source), o.source)
    // sip.js answers 404 to what names another user; whose dialog it is was found by tags, and some proxies rewrite it.
    fit.startLine = `${fit.method} ${core.configuration.aor.toRaw()} SIP/2.0`
    const parsed = this.parse(fit)
    if (!(parsed instanceof Core.IncomingRequestMessage)) return false
    // Whom a call begins with has to be reachable (RFC 3261 §8.1.1.8).
    if (fit.method === 'INVITE' && !parsed.hasHeader('contact') && fit.toTag === undefined)
      return false
    core.receiveIncomingRequestFromTransport(parsed)
    return true
  }

  private reply(message: WireMessage, reply: Reply | null, source: Source): void {
    if (!reply || !message.via || message.method === 'ACK') return
    const text = renderReply(message, reply, { secret: this.secret, source })
    this.transport.sendOnce({ text, to: replyTo(message.via, source) })
  }

  private answerStranger(message: WireMessage): ReturnType<typeof answerOutside> {
    const crossed = message.method === 'BYE' && this.ended.has(dialogIdOf(message))
    return crossed ? { status: 200, reason: 'OK' } : answerOutside(message)
  }

  /** A request of ours that came back to us by some way round (RFC 3261 §16.3, §8.2.2.2). */
  private isOwn(message: WireMessage): boolean {
    const { callId, method } = message
    if (callId === undefined || method === 'ACK') return false
    const vias = headersOf(message, 'via').flatMap(splitList).slice(0, MAX_VIAS)
    return vias.some((value) => {
      const branch = readVia(value)?.branch
      return branch !== undefined && this.signer.open(branch, callId) !== undefined
    })
  }

  private ownerOf(message: WireMessage): Member | undefined {
    const branch = message.via?.branch ?? ''
    const dialog = dialogIdOf(message)
    for (const member of this.members)
      if (member.core.userAgentServers.has(branch) || member.core.dialogs.has(dialog)) return member
    return undefined
  }

  private callee(message: WireMessage, source: Source): Member | undefined {
    if (message.method !== 'INVITE' || message.toTag !== undefined) return undefined
    return this.invited?.(message, source) ?? undefined
  }

  private onResponse(message: WireMessage, source: Source): void {
    const { via, callId } = message
    if (!via?.branch || !callId || !message.cseq) return
    const watcher = this.watched.get(via.branch)
    if (watcher) {
      watcher(message, source)
      return
    }
    // RFC 3261 §18.1.2 and §8.1.3.3: what is not for us, or passed somebody who left a Via, is dropped.
    if (headersOf(message, 'via').flatMap(splitList).length !== 1) return
    if (message.status < 100 || message.status > 699) return
    const length = declaredLength(message)
    if (Number.isNaN(length) || (length ?? 0) > message.body.length) return
    const branch = this.signer.open(via.branch, callId)
    const member = branch === undefined ? undefined : this.memberOf(branch, message.method)
    if (branch === undefined || !member) return
    tellSeenAs(member, message, source)
    if (message.method === 'INVITE') member.onInviteResponse(message, source)
    this.pass(member, branch, message, source)
  }

  private memberOf(branch: string, method: string): Member | undefined {
    for (const member of this.members)
      if (member.core.userAgentClients.has(branch + method)) return member
    return undefined
  }

  private pass(member: Member, branch: string, message: WireMessage, source: Endpoint): void {
    const via = message.headers.find((header) => header.name === 'via')
    if (via) via.value = `SIP/2.0/UDP landline.invalid;branch=${branch}`
    const taken = fitResponse(message, source)
    try {
      const parsed = this.parse(message)
      if (!(parsed instanceof Core.IncomingResponseMessage)) throw new Error('it cannot be parsed')
      for (const { name, value } of taken) parsed.addHeader(name, value)
      member.core.receiveIncomingResponseFromTransport(parsed)
      if (isAnswer(message) && !member.core.dialogs.has(ownDialogIdOf(message)))
        member.onBroken(message, 'no dialog can be made of it')
    } catch (error) {
      if (message.method === 'INVITE' && message.status >= 200)
        member.onBroken(message, reasonOf(error))
      throw error
    }
  }

  private parse(message: WireMessage): ReturnType<typeof Core.Parser.parseMessage> {
    const text = renderWire({ ...message, body: bodyOf(message) })
    return Core.Parser.parseMessage(text, this.parserLog)
  }
}

function tellSeenAs(member: Member, message: WireMessage, source: Source): void {
  const params = message.via?.params ?? ''
  const host = paramOf(params, 'received')
  const port = Number(paramOf(params, 'rport') || Number.NaN)
  const known = Number.isInteger(port) && port > 0 && port < 65_536
  if (host) member.onSeenAs({ host: unbracket(host), port: known ? port : null }, source)
}

/** Where a datagram came from, by what we wrote into its Via. */
function returnAddress(via: Via): Source | undefined {
  const host = paramOf(via.params, 'received')
  if (!host) return undefined
  const port = paramOf(via.params, 'rport') || undefined
  const source = { host: unbracket(host), port: Number(port ?? 5060) }
  return port === undefined ? replyTo(via, source) : source
}

/** sip.js's key of the dialog that a request from the other side belongs to. */
function dialogIdOf(message: WireMessage): string {
  return `${message.callId}${message.toTag ?? ''}${message.fromTag}`
}

/** The same for a response to a request of ours. */
function ownDialogIdOf(message: WireMessage): string {
  return `${message.callId}${message.fromTag}${message.toTag ?? ''}`
}

function isAnswer({ method, status }: WireMessage): boolean {
  return method === 'INVITE' && status >= 200 && status < 300
}

/** Reads what sip.js or we are about to send. Throws when it is no SIP message. */
export function readOwn(text: string): WireMessage {
  const message = readWire(text)
  if (!message) throw new Error('sending a SIP message: it cannot be read')
  return message
}
