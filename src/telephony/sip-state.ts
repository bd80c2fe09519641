/** What is stored before each INVITE and at the answer, so that a later process can end what this one began. */
import { isIP } from 'node:net'
import type { SipState } from '../calls/ports.ts'
import type { Endpoint } from './sip/transport.ts'
import { headerOf, headersOf, splitList, type WireMessage } from './sip/wire-message.ts'

interface Common extends SipState {
  /** Header values as they are on the wire, with their tags. */
  from: string
  to: string
  /** Of the INVITE, where it was ours. */
  cseq: number
  /** Route header values, in order. */
  routes: string[]
  destination: Endpoint
  /** The UDP port that it was sent from. */
  localPort: number
}

/** An INVITE that has no final answer yet. */
export interface InviteState extends Common {
  phase: 'invite'
  requestUri: string
  /** The whole Via value: a CANCEL matches by it (RFC 3261 §9.1). */
  via: string
  branch: string
}

/** A confirmed dialog, `from` being us (RFC 3261 §12.1.1 and §12.1.2). */
export interface DialogState extends Common {
  phase: 'dialog'
  /** The remote target: the request-URI of what is sent inside the dialog. */
  target: string
  /** Our host and port for the Via. */
  sentBy: string
}

/** The state of an INVITE as it is about to leave. */
export function inviteState(
  trunk: string,
  invite: WireMessage,
  o: { destination: Endpoint; localPort: number },
): InviteState {
  return {
    trunk,
    phase: 'invite',
    callId: invite.callId ?? '',
    requestUri: invite.requestUri,
    via: headerOf(invite, 'via') ?? '',
    branch: invite.via?.branch ?? '',
    from: headerOf(invite, 'from') ?? '',
    to: headerOf(invite, 'to') ?? '',
    cseq: invite.cseq?.number ?? 0,
    routes: headersOf(invite, 'route').flatMap(splitList),
    destination: o.destination,
    localPort: o.localPort,
  }
}

/** The state that a 2xx to the INVITE makes: target from its Contact, routes from its Record-Route, reversed. */
export function dialogState(
  invite: InviteState,
  answer: WireMessage,
  o: { destination: Endpoint; target: string; sentBy: string },
): DialogState {
  return {
    trunk: invite.trunk,
    phase: 'dialog',
    callId: invite.callId,
    from: invite.from,
    to: headerOf(answer, 'to') ?? invite.to,
    cseq: invite.cseq,
    routes: headersOf(answer, 'record-route').flatMap(splitList).reverse(),
    target: o.target,
    destination: o.destination,
    localPort: invite.localPort,
    sentBy: o.sentBy,
  }
}

/**
 * The state that our 2xx to `invite` will make, as the UAS sees it (RFC 3261 §12.1.1): routes from its Record-Route in
 * their order; no request of ours has been sent in it.
 */
export function incomingDialogState(
  trunk: string,
  invite: WireMessage,
  o: { localTag: string; target: string; destination: Endpoint; localPort: number; sentBy: string },
): DialogState {
  const { localTag, ...rest } = o
  return {
    ...rest,
    trunk,
    phase: 'dialog',
    callId: invite.callId ?? '',
    from: `${headerOf(invite, 'to') ?? ''};tag=${localTag}`,
    to: headerOf(invite, 'from') ?? '',
    cseq: 0,
    routes: headersOf(invite, 'record-route').flatMap(splitList),
  }
}

/** A stored state, checked: undefined when it is not one of ours. */
export function readState(state: SipState): InviteState | DialogState | undefined {
  const strings =
    state.phase === 'invite'
      ? ['requestUri', 'via', 'branch', 'from', 'to']
      : ['from', 'to', 'target', 'sentBy']
  if (state.phase !== 'invite' && state.phase !== 'dialog') return undefined
  if (![...strings, 'callId', 'trunk'].every((name) => isLine(state[name]))) return undefined
  if (!Number.isInteger(state.cseq) || !Number.isInteger(state.localPort)) return undefined
  if (!Array.isArray(state.routes) || !state.routes.every(isLine)) return undefined
  return isEndpoint(state.destination) ? (state as InviteState | DialogState) : undefined
}

function isLine(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[\r\n]/.test(value)
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { host, port, protocol, tls } = value as Record<string, unknown>
  if (protocol !== undefined && !['UDP', 'TCP', 'TLS'].includes(String(protocol))) return false
  if (tls !== undefined && !isTls(tls)) return false
  return typeof host === 'string' && isIP(host) !== 0 && Number.isInteger(port)
}

function isTls(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { trunk, name } = value as Record<string, unknown>
  return isLine(trunk) && isLine(name)
}
